"""The Chromium that Playwright starts, for `q2mfa provider` and `q2mfa verify`, and what to install if there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

# The system's browsers, used if Playwright has no Chromium of its own.
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
    """Return the path of the Chromium to start: Playwright's *own* or one of the system's; None if there is none."""
    return own if Path(own).is_file() else next(filter(None, map(shutil.which, NAMES)), None)


def failed(message: str) -> str:
    """Return the message for a Playwright error that no page caused."""
    return f"Chromium failed: {' '.join(message.split())[:200]}"
