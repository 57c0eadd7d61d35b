"""The wheel, installed into a clean virtual environment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from command import contents, q2mfa

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def test_installed_wheel_creates_the_same_files_as_the_checkout(tmp_path: Path, workspace: Path) -> None:
    def run(*command: str | Path) -> str:
        return subprocess.run(
            [*map(str, command)], check=True, capture_output=True, text=True, cwd=tmp_path
        ).stdout

    run(sys.executable, "-m", "build", "-q", "--wheel", "-o", tmp_path / "dist", ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    members = zipfile.ZipFile(wheel).namelist()
    # Windows: 260 characters, of which Python of the Microsoft Store takes 135.
    assert [name for name in members if len(name) > 120 or re.search(r'[<>:"|?*\\]|[ .](/|$)', name)] == []
    # `q2mfa update --check` names the security fixes.
    assert "q2mfa_cli/CHANGELOG.md" in members
    # Our pip installs into it: a pip of its own would take longer than the wheel.
    venv.create(tmp_path / "venv")
    run(sys.executable, "-m", "pip", "--python", tmp_path / "venv/bin/python", "install", "-q", wheel)
    for mfa in ("standard", "redirect"):
        for rendering in ("ssr", "csr"):
            asked = [
                "create",
                "Foo",
                "--no-input",
                "--format",
                "json",
                "--mfa",
                mfa,
                "--rendering",
                rendering,
            ]
            made = run(tmp_path / "venv/bin/q2mfa", *asked, "-o", tmp_path / f"wheel {mfa} {rendering}")
            assert json.loads(made)["status"] == "created"
            checkout = q2mfa(*asked, "-o", tmp_path / f"checkout {mfa} {rendering}", cwd=workspace)
            assert checkout.status == 0, checkout
            by_wheel, by_checkout = (tmp_path / f"{how} {mfa} {rendering}" for how in ("wheel", "checkout"))
            assert contents(by_wheel) == contents(by_checkout)
