"""Install what the tests need besides Python packages: Chromium, memcached, the npm packages of
tests/web, and the OpenID providers of tests/providers.

On Debian as root, apt-get installs what is missing. Elsewhere, Playwright installs its own Chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import chromium
import node
from providers import real_providers

COMMAND = f"{sys.executable} {Path(__file__)}"


def main() -> None:
    """Install what is missing.

    :raises subprocess.CalledProcessError: a package manager failed.
    """
    found = {"chromium": chromium.path(), "memcached": shutil.which("memcached")}
    missing = [package for package, path in found.items() if path is None]
    if missing and os.geteuid() == 0 and Path("/etc/debian_version").is_file():
        apt_get("update")
        apt_get("install", "--yes", "--no-install-recommends", *missing)
    elif "chromium" in missing:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    node.install()
    real_providers.install()


def apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=sys.stderr, check=True)


if __name__ == "__main__":
    main()
