"""Tokens, sessions, faults and configuration: what any External MFA extension has to get right."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check

CHECKS: tuple[Check, ...] = ()
