"""The reports as text, JSON, SARIF and JUnit. Each is a function of the same values."""

from __future__ import annotations

NOT_SHOWN = (
    "undocumented behavior of Q2's platform: docs/explanation/platform.md",
    "TLS, the cookies of the real session, and what q2_requests writes to the log",
    "the data in HQ: who is registered, and with which values",
)
"""What local checks do not cover."""
