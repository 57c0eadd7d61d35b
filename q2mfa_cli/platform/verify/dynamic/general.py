"""Tokens, sessions, faults and configuration: what any External MFA extension has to get right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from q2mfa_cli.platform.verify.check import Problem
from q2mfa_cli.platform.verify.dynamic.bench import Bench

# These look at the routes alone, so they run even if the right user does not get through.
WITHOUT_RIGHT_USER = frozenset[str]()

CHECKS: dict[str, Callable[[Bench], Awaitable[Iterable[Problem]]]] = {}
