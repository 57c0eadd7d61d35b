"""The dynamic checks, by ID. Each runs in one workflow, against the preview in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from q2mfa_cli.platform.verify.check import Problem
from q2mfa_cli.platform.verify.dynamic import general, page, passcode, redirect
from q2mfa_cli.platform.verify.dynamic.bench import Bench

DynamicCheck = Callable[[Bench], Awaitable[Iterable[Problem]]]

DYNAMIC: dict[str, DynamicCheck] = {**general.CHECKS, **passcode.CHECKS, **redirect.CHECKS, **page.CHECKS}
