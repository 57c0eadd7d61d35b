"""Clean the platform before a test run."""

from __future__ import annotations

from q2_sdk.context import current


def clean() -> None:
    """Remove all sessions and all cached values."""
    platform = current().platform
    platform.hq.reset()
    platform.cache.flush_all(noreply=False)
