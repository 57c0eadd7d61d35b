"""Which Chromium Playwright starts, and what to install if there is none. `q2mfa provider` and `q2mfa verify` both use it."""

from __future__ import annotations

import shutil
from pathlib import Path

# Playwright's own Chromium if it was installed; else one of the system's.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "msedge",
)
LAUNCH_SECONDS = 60

NO_PLAYWRIGHT = (
    'Playwright is missing. Install it: pip install "q2mfa-cli[browser]" && playwright install chromium'
)
NO_CHROMIUM = "Chromium is missing. Install it: playwright install chromium"


def executable(own: str) -> str | None:
    """The path of the Chromium to start: *own*, which Playwright names, or one of the system's; None if there is none."""
    return own if Path(own).is_file() else next(filter(None, map(shutil.which, NAMES)), None)


def failed(message: str) -> str:
    """What to say of an error of Playwright that no page caused."""
    return f"Chromium failed: {' '.join(message.split())[:200]}"
