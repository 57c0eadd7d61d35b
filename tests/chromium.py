"""The browser of the tests: Chromium, from the system or Playwright's own."""

from __future__ import annotations

import shutil
from pathlib import Path

# Debian's. It draws no window of a browser around a page, so it needs half the time.
PACKAGE = "chromium-headless-shell"
NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Headless, as root in a container, and without requests for updates or lists.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def path() -> str | None:
    """The path of a Chromium, or None."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None
