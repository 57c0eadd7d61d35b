"""Small workspaces, and the command line run in this process, for tests that need hundreds of both."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner
from command import SETTINGS, Run, contents

from q2mfa_cli.cli import main

SETTINGS_PATH = "configuration/settings.py"


def fill(root: Path) -> None:
    """Make a workspace at *root*."""
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    (root / SETTINGS_PATH).write_bytes(SETTINGS)
    (root / SETTINGS_PATH).chmod(0o640)
    (root / "requirements.txt").write_bytes(b"q2-sdk==2.208.1\n")


@contextmanager
def temporary_workspace() -> Iterator[Path]:
    """A new workspace, in memory where the system has a place for that."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        root = Path(folder, "workspace")
        fill(root)
        yield root


def run(*arguments: str | Path, stdin: str | bytes = "") -> Run:
    """Run the command line in this process."""
    done = CliRunner().invoke(main, [*map(str, arguments)], input=stdin)
    return Run(done.exit_code, done.stdout, done.stderr)


def assert_refused(done: Run, root: Path, before: dict[str, bytes]) -> None:
    """The run ended with a short error, and changed nothing in or beside *root*."""
    assert done.status in (1, 2), done
    lines = done.err.splitlines()
    assert len(lines) == 2 and lines[0].startswith("Error: ") and len(done.err) < 700, done
    assert "failed unexpectedly" not in done.err, done
    # The error shows no character that controls a terminal or misleads a reader.
    hidden = ("Cc", "Cf", "Cs", "Zl")
    assert all(unicodedata.category(character) not in hidden for character in "".join(lines))
    assert contents(root.parent) == before
