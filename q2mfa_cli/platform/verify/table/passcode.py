"""One-time passcodes, from an authenticator app or delivered."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check

CHECKS: tuple[Check, ...] = ()
