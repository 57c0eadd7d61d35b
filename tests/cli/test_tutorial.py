"""docs/tutorial: a shell runs every command of the page, and prints what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from console import commands_of, is_shown

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "redirect-extension.md"
COMMANDS = commands_of(TUTORIAL.read_text("utf-8"))
PREVIEW = "q2mfa preview LoginMFA"
TEXTS = "LoginMFA/frontend/public/assets/languages/en-US.json"
# What the page tells the reader to do in an editor, before the command.
IN_AN_EDITOR = {
    "q2mfa diff LoginMFA": f"sed -i.bak 's/Confirm it is you/Acme Bank: confirm it is you/' {TEXTS}"
}
END = re.compile(r"^--- command (\d+) ended with (\d+)$")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each command of the tutorial printed, in one shell. A command that fails ends it."""
    home = tmp_path_factory.mktemp("tutorial")
    for name in ("q2mfa_cli", "templates"):
        shutil.copytree(ROOT / name, home / "q2mfa" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, home / "q2mfa")
    steps = ["trap : INT"]  # Ctrl-C stops the preview, and the shell goes on
    for number, (command, _) in enumerate(COMMANDS):
        steps += [IN_AN_EDITOR.get(command, ":"), command, f'echo "--- command {number} ended with $?"']
    return list(_outputs("\n".join(steps), home))


def _outputs(script: str, home: Path) -> Iterator[str]:
    # The test of the wheel installs the dependencies. Here pip finds ours, which saves half a minute.
    borrowed = os.pathsep.join(site.getsitepackages())
    python = str(Path(sys.executable).parent)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"},
        "PATH": os.pathsep.join([python, os.environ["PATH"]]),
        "PYTHONPATH": borrowed,
        "BROWSER": "true",
        "COLUMNS": "120",
    }
    shell = subprocess.Popen(
        ["bash", "-c", script],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert shell.stdout is not None
    lines: list[str] = []
    try:
        for line in shell.stdout:
            if ended := END.match(line):
                assert ended[2] == "0", f"{COMMANDS[int(ended[1])]}\n{''.join(lines)}"
                yield "".join(lines)
                lines = []
                continue
            lines.append(line)
            if line == "Ctrl-C stops it.\n":
                address = re.search(r"http://127\.0\.0\.1:\d+/", lines[0])
                assert address and requests.get(address[0], timeout=20).ok
                os.killpg(shell.pid, signal.SIGINT)
    finally:
        shell.kill()
        shell.wait()


def test_tutorial_shows_the_output_of_its_commands(printed: list[str]) -> None:
    assert len(printed) == len(COMMANDS)
    for (command, shown), output in zip(COMMANDS, printed, strict=True):
        output = re.sub(r"(?m)^in /.*/bank$", "in /home/me/bank", output)
        if command == PREVIEW:
            output, shown = (re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:N", text) for text in (output, shown))
        assert is_shown(output, shown), f"$ {command}\n{output}"
