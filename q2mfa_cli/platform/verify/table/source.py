"""What can be read in the source: secrets, hosts, settings."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check

CHECKS: tuple[Check, ...] = ()
