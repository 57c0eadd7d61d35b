"""What most tests need: a Q2 SDK workspace."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from command import SETTINGS

pytest_plugins = ["running_previews"]

# The same examples on every machine. `pytest --hypothesis-profile search` looks for others, for as long as it takes.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", max_examples=2000, deadline=None)
hypothesis.settings.load_profile("same")


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
    """A folder in memory where there is such a place, for what makes workspaces by the hundred."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)
