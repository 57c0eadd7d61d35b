"""The static checks, by id. Each reads the source of one extension."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from q2mfa_cli.platform.verify.check import Problem
from q2mfa_cli.platform.verify.static.source import Source

STATIC: dict[str, Callable[[Source], Iterable[Problem]]] = {}
