"""OAuth 2.0 and OpenID Connect: what a relying party has to check."""

from __future__ import annotations

from q2mfa_cli.platform.verify.check import Check

CHECKS: tuple[Check, ...] = ()
