"""The reports as text, JSON, SARIF and JUnit. Each is a function of the same values."""

from __future__ import annotations

NOT_SHOWN = (
    "how Q2's platform behaves where Q2 does not document it: docs/explanation/platform.md",
    "TLS, the real session's cookies, and what q2_requests writes to the log",
    "what stands in HQ's database: who is registered, and with what",
)
"""What no local check can show."""
