"""Run the command, and look at what it printed and wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import windows
from click.testing import CliRunner
from published_schemas import validator

from q2mfa_cli.cli import main

SCHEMA_OF = {"update": "update", "remove": "update", "list": "list", "doctor": "doctor"}

SETTINGS = b"""from q2_sdk.core.default_settings import *

# What this server runs.
INSTALLED_EXTENSIONS = ['Existing', ('short', 'elsewhere.module')]

OUTBOUND_WHITELIST.extend(['localhost'])  # for the sandbox
"""


# A process that starts as `python -m q2mfa_cli` does, on Windows if the tests are.
COMMAND = (
    [sys.executable, "-c", "import windows; windows.install(); from q2mfa_cli.__main__ import run; run()"]
    if windows.is_active()
    else [sys.executable, "-m", "q2mfa_cli"]
)


# The pytest of `q2mfa test` starts in three quarters of the time without the plugins of our own tests.
PROCESS = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


class Run:
    """One run of the command: its exit status, its two streams, and the name of the schema of its report."""

    def __init__(self, status: int, out: str, err: str, schema: str = "create") -> None:
        self.status, self.out, self.err, self.schema = status, out, err, schema

    @property
    def json(self) -> Any:
        """What ``--format json`` printed, which is one object and as its published schema says."""
        report = json.loads(self.out)
        validator(f"{self.schema}-report").validate(report)
        return report

    def __repr__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def q2mfa(*args: str | Path, cwd: Path, stdin: str | bytes = b"") -> Run:
    """Run the command in this process: standard input is not a terminal, and nothing is written to ours."""
    before = os.getcwd()
    os.chdir(cwd)
    try:
        with windows.if_active():
            done = CliRunner().invoke(main, [*map(str, args)], input=stdin)
    finally:
        os.chdir(before)
    schema = "list" if "--check" in args else SCHEMA_OF.get(str(args[0]) if args else "", "create")
    return Run(done.exit_code, done.stdout, done.stderr, schema)


def q2mfa_process(
    *args: str | Path, cwd: Path, stdin: str | bytes = b"", env: dict[str, str] | None = None
) -> Run:
    """Run the command as a user does, in a process of its own, where that matters to the test."""
    tests = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    path = {"PYTHONPATH": tests} if windows.is_active() else {}
    done = subprocess.run(
        [*COMMAND, *map(str, args)],
        cwd=cwd,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, **PROCESS, **path, **(env or {})},
        timeout=120,
        check=False,
    )
    return Run(
        done.returncode, *(text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under *folder*, and every empty folder (with a trailing slash), with its content."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif path.is_dir() and not any(path.iterdir()):
            found[name + "/"] = b""
    return found
