"""``q2mfa test NAME``: run an extension's own tests, on the Q2 SDK or on q2mfa's fake of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.integrations import integration_of, refuse_other_extensions
from q2mfa_cli.platform import FAKE_SDK, FAKE_SDK_MODULES
from q2mfa_cli.record import refuse_conflict_markers
from q2mfa_cli.workspace.installed import extension_folder

# Used in place of the workspace's own pytest configuration, which may need plugins that are not installed.
NO_CONFIGURATION = FAKE_SDK.parent / "pytest.ini"

# Environment variables that can change which tests pytest runs, or keep it from starting.
PYTEST_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")

# Child processes change sys.path, because PYTHONPATH cannot contain a folder with a colon (on Windows, a semicolon) in its name.
PATH_FIRST = """\
import json, sys
sys.path[:0] = json.loads(sys.argv.pop(1))
"""

# The child process prints whether the SDK is installed, and which modules are missing.
PROBE = """\
import importlib.util
print(importlib.util.find_spec("q2_sdk") is not None)
print(*[name for name in sys.argv[1:] if importlib.util.find_spec(name) is None])
"""

# Like `python -m pytest`, but with our path. Other ways to start pytest are deprecated, or fail if a pipe is closed early.
RUN = """\
import runpy
runpy.run_module("pytest", run_name="__main__")
"""


def run_tests(workspace: Path, name: str, pytest_args: Sequence[str] = ()) -> int:
    """Run the tests of the extension *name* in a child process, which writes to the same output.

    Nothing is written to the workspace, not even compiled files or a cache.

    :returns: 0 if at least one test ran and all passed; otherwise, 1.
    :raises Q2mfaError: There is no such extension, or a module that the tests need is not installed.
    """
    workspace = workspace.resolve()
    folder = extension_folder(workspace, name)
    tests = folder / "tests"
    if not name.isidentifier() or not tests.is_dir():
        raise Q2mfaError(
            f"There is no extension {shown(name)} with tests in {shown(str(workspace))}.",
            "Run this in the workspace, or pass it with -o; `q2mfa create` generates an extension.",
            "no_such_extension",
        )
    refuse_other_extensions(name, folder)
    refuse_conflict_markers(workspace, name)
    needed = ["pytest", *FAKE_SDK_MODULES, *integration_of(workspace / name).modules]
    sdk_is_there, missing = _probe(workspace, needed)
    if missing:
        raise Q2mfaError(
            f"The tests need {', '.join(missing)}, which this Python does not have.",
            'Install it: pip install "q2mfa-cli[sandbox]"',
            "sandbox_missing",
        )
    path = [workspace]
    if not sdk_is_there:
        print("q2_sdk is not installed: using q2mfa's fake of it.", file=sys.stderr)
        path.append(FAKE_SDK)
    sys.stdout.flush()
    # The paths are relative, because pytest treats `[` and `::` in a path as part of a test's name, and expands `$`.
    done = subprocess.run(
        [
            *_python(RUN, path),
            *("-c", str(NO_CONFIGURATION), "-p", "no:cacheprovider", "--import-mode", "importlib"),
            *("--rootdir", ".", "--confcutdir", ".", f"{name}/tests", *pytest_args),
        ],
        cwd=workspace,
        env=_environment(),
        check=False,
    )
    # pytest exits with 5 if no test ran. That counts as a failure.
    return 0 if done.returncode == 0 else 1


def _probe(workspace: Path, modules: list[str]) -> tuple[bool, list[str]]:
    done = subprocess.run(
        [*_python(PROBE, [workspace]), *modules],
        cwd=workspace,
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    sdk_is_there, missing = done.stdout.splitlines()
    return sdk_is_there == "True", missing.split()


def _python(code: str, path: Sequence[Path]) -> list[str]:
    """Return the command that runs *code* with *path* at the front of ``sys.path``."""
    return [sys.executable, "-c", PATH_FIRST + code, json.dumps([str(folder) for folder in path])]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in PYTEST_VARIABLES}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}
