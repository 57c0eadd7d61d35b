"""Run a workspace's code in this process, and restore the process afterward."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from q2mfa_cli.platform import FAKE_SDK
from q2mfa_cli.platform.failures import is_within
from q2mfa_cli.platform.preview.extension import use_fake_sdk
from q2mfa_cli.platform.readings import ENVIRONMENT_VARIABLE

# Variables that any process needs. The others may be secrets, and the extension does not get them.
KEPT = re.compile(
    rf"PATH|HOME|USER|LANG|LC_\w+|TZ|TE?MP|TMPDIR|TERM|NO_COLOR|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|USERPROFILE"
    rf"|PYTHON\w*|PLAYWRIGHT_\w+|XDG_CACHE_HOME|VIRTUAL_ENV|COVERAGE\w*|PYTEST_\w+|{ENVIRONMENT_VARIABLE}",
    re.IGNORECASE,
)


@contextlib.contextmanager
def running_workspace_code(workspace: Path, needed: Sequence[str] = ()) -> Iterator[None]:
    """Use the fake SDK for *workspace* until the block ends.

    The environment contains what any process needs and what files in ``configuration/`` name. Output of the code is discarded.

    :raises Q2mfaError: see :func:`use_fake_sdk`.
    """
    path, environment, writes_no_bytecode = sys.path[:], dict(os.environ), sys.dont_write_bytecode
    before = {name: module for name, module in sys.modules.items() if _is_of_workspace(name)}
    for name in before:
        del sys.modules[name]
    try:
        use_fake_sdk(workspace, needed)
        os.environ.clear()
        os.environ.update(_named(environment, workspace / "configuration"))
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        sys.path[:], sys.dont_write_bytecode = path, writes_no_bytecode
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if _is_of_workspace(name) or (file and is_within(file, workspace)):
                del sys.modules[name]
        for entry in [entry for entry in sys.path_importer_cache if entry in (str(workspace), str(FAKE_SDK))]:
            del sys.path_importer_cache[entry]
        sys.modules.update(before)


def _is_of_workspace(module: str) -> bool:
    return module.partition(".")[0] in ("configuration", "q2_sdk")


def _named(environment: Mapping[str, str], configuration: Path) -> dict[str, str]:
    """Return the part of *environment* that the code may see."""
    texts = [file.read_text("utf-8", "replace") for file in sorted(configuration.glob("*.py"))]
    return {
        name: value
        for name, value in environment.items()
        if KEPT.fullmatch(name) or any(name in text for text in texts)
    }
