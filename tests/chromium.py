"""The browser of the tests: Chromium, from where it can be had.

``python tests/chromium.py`` sees that there is one: on Debian as root by apt-get, elsewhere Playwright's own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REMEDY = f"Install one: {Path(sys.executable).name} tests/chromium.py"

# Headless, in a container as root, and silent: it asks nobody for updates or lists.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def path() -> str | None:
    """Where a Chromium is; None where there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


def install() -> None:
    """Get one where there is none.

    :raises subprocess.CalledProcessError: it cannot be had.
    """
    if path() is not None:
        return
    if os.geteuid() == 0 and shutil.which("apt-get") and Path("/etc/debian_version").is_file():
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=True,
        )
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    install()
    print(f"The browser of the tests: {path()}")
