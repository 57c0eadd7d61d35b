"""The page in the outlet."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check

CHECKS: tuple[Check, ...] = ()
