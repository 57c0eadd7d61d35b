"""``q2mfa test NAME``: an extension's own tests, on the Q2 SDK or on the stand-in for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.request import shown

FAKE_SDK = Path(__file__).resolve().parent.parent / "platform" / "fake_sdk"

# Given instead of the workspace's own pytest configuration, which may ask for plugins that are not here.
NO_CONFIGURATION = FAKE_SDK.parent / "pytest.ini"

# What the child process finds out before it runs anything: the SDK in use, and what is missing.
PROBE = """\
import importlib.util, sys
print(importlib.util.find_spec("q2_sdk") is not None)
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])
"""


def run_tests(workspace: Path, name: str, pytest_args: Sequence[str] = ()) -> int:
    """Run the tests of the extension *name* in a child process; its output goes where ours goes.

    Nothing is written to the workspace: neither byte code nor a cache.

    :returns: 0 where all of at least one test passed, else 1.
    :raises Q2mfaError: there is no such extension, or what the tests need is not installed.
    """
    workspace = workspace.resolve()
    tests = workspace / name / "tests"
    if not name.isidentifier() or not tests.is_dir():
        raise Q2mfaError(
            f"There is no extension {shown(name)} with tests in {shown(str(workspace))}.",
            "Run this in the workspace, or name it with -o; `q2mfa create` makes an extension.",
            "no_such_extension",
        )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": _path(workspace)}
    sdk_is_there, missing = _probe(workspace, environment, _needs(workspace / name))
    if missing:
        raise Q2mfaError(
            f"The tests need {', '.join(missing)}, which this Python does not have.",
            "Install it: pip install 'q2mfa-cli[sandbox]'",
            "sandbox_missing",
        )
    if not sdk_is_there:
        print("q2_sdk is not installed here: running on q2mfa's stand-in for it.", file=sys.stderr)
        environment["PYTHONPATH"] = _path(workspace, FAKE_SDK)
    sys.stdout.flush()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", str(NO_CONFIGURATION), "-p", "no:cacheprovider"),
            *("--rootdir", str(workspace), "--confcutdir", str(workspace), "--import-mode", "importlib"),
            *(str(tests), *pytest_args),
        ],
        cwd=workspace,
        env=environment,
        check=False,
    )
    # pytest's 5 is "no tests were run": a check that checked nothing has not passed.
    return 0 if done.returncode == 0 else 1


def _needs(extension: Path) -> list[str]:
    """The modules that the extension's kind needs beside the SDK."""
    kinds = {"factor.py": "pyotp", "oidc.py": "jwt"}
    return [
        "pytest",
        "tornado",
        "jinja2",
        *(module for file, module in kinds.items() if (extension / file).is_file()),
    ]


def _probe(workspace: Path, environment: dict[str, str], modules: list[str]) -> tuple[bool, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *modules],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    sdk_is_there, missing = done.stdout.splitlines()
    return sdk_is_there == "True", missing.split()


def _path(*folders: Path) -> str:
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([*map(str, folders), *([inherited] if inherited else [])])
