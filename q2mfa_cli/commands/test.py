"""``q2mfa test NAME``: run an extension's own tests, on the Q2 SDK or on the fake of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.integrations import integration_of
from q2mfa_cli.platform import FAKE_SDK, FAKE_SDK_MODULES
from q2mfa_cli.record import refuse_conflict_markers

# Replaces the workspace's own pytest configuration, which may need plugins that are not installed.
NO_CONFIGURATION = FAKE_SDK.parent / "pytest.ini"

# The child process prints whether the SDK is installed, and which modules are missing.
PROBE = """\
import importlib.util, sys
print(importlib.util.find_spec("q2_sdk") is not None)
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])
"""


def run_tests(workspace: Path, name: str, pytest_args: Sequence[str] = ()) -> int:
    """Run the tests of the extension *name* in a child process that shares our output.

    Nothing is written to the workspace, not even byte code or a cache.

    :returns: 0 if there were tests and all passed, else 1.
    :raises Q2mfaError: There is no such extension, or a module that the tests need is not installed.
    """
    workspace = workspace.resolve()
    tests = workspace / name / "tests"
    if not name.isidentifier() or not tests.is_dir():
        raise Q2mfaError(
            f"There is no extension {shown(name)} with tests in {shown(str(workspace))}.",
            "Run this in the workspace, or name it with -o; `q2mfa create` makes an extension.",
            "no_such_extension",
        )
    refuse_conflict_markers(workspace, name)
    needed = ["pytest", *FAKE_SDK_MODULES, *integration_of(workspace / name).modules]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": _path(workspace)}
    sdk_is_there, missing = _probe(workspace, environment, needed)
    if missing:
        raise Q2mfaError(
            f"The tests need {', '.join(missing)}, which this Python does not have.",
            "Install it: pip install 'q2mfa-cli[sandbox]'",
            "sandbox_missing",
        )
    if not sdk_is_there:
        print("q2_sdk is not installed here: running on q2mfa's fake of it.", file=sys.stderr)
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
    # pytest's 5 means that no test ran, which is no success.
    return 0 if done.returncode == 0 else 1


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
