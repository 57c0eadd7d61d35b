"""A clean start for a test run."""

from __future__ import annotations

from q2_sdk.context import current


def clean() -> None:
    """Forget every session and everything cached."""
    platform = current().platform
    platform.hq.reset()
    platform.cache.flush_all(noreply=False)
