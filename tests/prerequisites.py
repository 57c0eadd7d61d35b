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
    on_debian = os.geteuid() == 0 and Path("/etc/debian_version").is_file()
    wanted = {"memcached": shutil.which("memcached"), chromium.PACKAGE: chromium.path()}
    if on_debian:
        wanted[chromium.PACKAGE] = shutil.which(chromium.PACKAGE)
    missing = [package for package, path in wanted.items() if path is None]
    if missing and on_debian:
        apt_get("update")
        apt_get("install", "--yes", "--no-install-recommends", *missing)
    elif chromium.PACKAGE in missing:
        command = [sys.executable, "-m", "playwright", "install", "chromium", "--only-shell"]
        subprocess.run(command, check=True)
    node.install()
    real_providers.install()


def apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=sys.stderr, check=True)


if __name__ == "__main__":
    main()
