"""The wheel in a clean virtual environment: what a user installs."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

from conftest import contents, q2mfa

ROOT = Path(__file__).parent.parent


def test_an_installed_wheel_creates_the_same_files(tmp_path: Path, workspace: Path) -> None:
    def run(*command: str | Path) -> str:
        return subprocess.run(
            [*map(str, command)], check=True, capture_output=True, text=True, cwd=tmp_path
        ).stdout

    run(sys.executable, "-m", "build", "-q", "--wheel", "-o", tmp_path / "dist", ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    run(tmp_path / "venv/bin/pip", "install", "-q", wheel)
    made = run(
        *(tmp_path / "venv/bin/q2mfa", "create", "Foo", "--no-input", "--format", "json"),
        *("-o", tmp_path / "by wheel"),
    )
    assert json.loads(made)["status"] == "created"
    assert q2mfa("create", "Foo", "--no-input", "-o", tmp_path / "by checkout", cwd=workspace).status == 0
    assert contents(tmp_path / "by wheel") == contents(tmp_path / "by checkout")
