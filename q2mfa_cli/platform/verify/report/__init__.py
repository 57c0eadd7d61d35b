"""What was found, as text, JSON, SARIF and JUnit. Each is a function of the same reports."""

from __future__ import annotations

NOT_SHOWN = (
    "how Q2's platform behaves where Q2 does not document it: docs/explanation/platform.md",
    "TLS, the real session's cookies, and what q2_requests writes to the log",
    "what stands in HQ's database: who is registered, and with what",
)
"""What no check on this machine can show."""
