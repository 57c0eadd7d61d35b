"""A clean start for a test run [seen]."""

from __future__ import annotations

from q2_sdk._platform import platform


def clean() -> None:
    """Forget every session and everything cached."""
    platform.hq.sessions.clear()
    platform.hq.calls.clear()
    platform.memcache.items.clear()
