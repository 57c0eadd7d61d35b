"""The lanes of the test suite, and what most tests need: a Q2 SDK workspace.

A test without a marker is in the unit lane. The other lanes are the markers `browser`, `node`, `server` and `slow`.

- `pytest` runs the unit lane.
- `pytest -m browser` runs one of the other lanes.
- `pytest tests` runs everything, and `pytest tests/browser` everything in a folder.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import windows
from command import SETTINGS

pytest_plugins = ["chromium_fixture", "preview_process"]

# Workspaces in memory, if the system has a gigabyte for them: most tests make one, and sync what they write.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# The same examples on every machine, and half of them in the unit lane. `pytest --hypothesis-profile search` looks for others,
# for as long as it takes.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.register_profile("half", derandomize=True, deadline=None, max_examples=25)
hypothesis.settings.register_profile("search", max_examples=2000, deadline=None)
hypothesis.settings.load_profile("same")

# `--windows` has to be known before the tests are imported.
if "--windows" in sys.argv:
    os.environ[windows.VARIABLE] = "1"

# They fork, and send signals.
collect_ignore_glob = ["resilience/*"] if sys.platform == "win32" else []

LANE_OF_FOLDER = {"browser": "browser", "idp": "server", "resilience": "slow"}
UNIT_LANE = "not (browser or node or server or slow)"
IN_ANOTHER_LANE = re.compile(r"(?m)^pytestmark = .*\bpytest\.mark\.(browser|node|server|slow)\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--windows",
        action="store_true",
        help="Run the command with the behaviors of Windows: see tests/windows.py.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Select the unit lane if the command line names neither a path nor a marker."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS and not config.option.markexpr:
        config.option.markexpr = UNIT_LANE
        hypothesis.settings.load_profile(config.getoption("--hypothesis-profile") or "half")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import folders and modules that are all in another lane for the unit lane. It starts a second earlier."""
    if config.option.markexpr != UNIT_LANE:
        return None
    if collection_path.suffix == ".py":
        is_elsewhere = IN_ANOTHER_LANE.search(collection_path.read_text("utf-8")) is not None
    else:
        is_elsewhere = collection_path.name in LANE_OF_FOLDER
    return is_elsewhere or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of a folder that is one lane."""
    for item in items:
        if lane := LANE_OF_FOLDER.get(item.path.parent.name):
            item.add_marker(lane)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through the collected tests again and again: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Show short lists and mappings in the id of a test. pytest's own id is `arguments0`, which names no value."""
    if not isinstance(val, list | tuple | dict):
        return None
    try:
        shown = json.dumps(val)
    except TypeError:
        return None
    return shown if len(shown) <= 60 else None


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A Q2 SDK workspace as its generator leaves it."""
    root = tmp_path / "workspace"
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    (root / "configuration" / "settings.py").write_bytes(SETTINGS)
    (root / "requirements.txt").write_bytes(b"q2-sdk==2.208.1\n")
    (root / "Existing").mkdir()
    (root / "Existing" / "__init__.py").write_bytes(b"")
    return root


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory if the system has one, for tests that make many workspaces."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)
