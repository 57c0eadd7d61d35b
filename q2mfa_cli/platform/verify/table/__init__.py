"""The table of all checks, by family. ``docs/reference/checks.md`` and ``q2mfa explain`` derive from it."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check
from q2mfa_cli.platform.verify.table import general, page, passcode, redirect, source

CHECKS: tuple[Check, ...] = (
    *general.CHECKS,
    *passcode.CHECKS,
    *redirect.CHECKS,
    *page.CHECKS,
    *source.CHECKS,
)
