"""Install real providers under build/providers: PyPI packages in virtual environments, and unpacked Debian packages.

Each provider has a folder of its own, named after what is in it. Nothing on the system changes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

FOLDER = Path(__file__).resolve().parents[2] / "build" / "providers"


def python_packages(*requirements: str) -> Path:
    """The Python interpreter of a virtual environment with *requirements*."""

    def install(folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        command = [sys.executable, "-m", "pip", "--python", str(folder), "install", "--quiet", "--quiet"]
        subprocess.run(
            [*command, "--disable-pip-version-check", *requirements], stdout=sys.stderr, check=True
        )

    folder = _installed([sys.version, sys.base_prefix, *requirements], install)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def debian_packages(*packages: str) -> Path:
    """A folder with the files of *packages*, and of what they depend on and the system does not have.

    Unpacking runs no installation script, so no service starts, and needs no root.

    :raises RuntimeError: this is not Debian, or not a system like it.
    """
    if not shutil.which("apt-get"):
        raise RuntimeError(
            f"{', '.join(packages)}: the tests need Debian's packages, and there is no apt-get"
        )

    def install(folder: Path) -> None:
        folder.mkdir()
        try:
            _download(packages, folder)
        except subprocess.CalledProcessError:  # the lists of packages are missing or old
            _apt_get("update")
            _download(packages, folder)
        for archive in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)
            archive.unlink()

    return _installed(packages, install)


def _download(packages: tuple[str, ...], folder: Path) -> None:
    plan = _apt_get("install", "--simulate", "--no-install-recommends", *packages)
    _apt_get("download", *{*packages, *re.findall(r"(?m)^Inst (\S+)", plan)}, cwd=folder)


def _apt_get(*arguments: str, cwd: Path | None = None) -> str:
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", *arguments]
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def _installed(content: list[str] | tuple[str, ...], install: Callable[[Path], None]) -> Path:
    """The folder of *content*. Test processes take turns, and an interrupted installation starts again."""
    name = re.split(r"[=\[]", content[-1])[0]
    folder = FOLDER / f"{name}-{hashlib.sha256(' '.join(content).encode()).hexdigest()[:12]}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        ready = folder / "ready"
        if not ready.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            ready.touch()
    return folder
