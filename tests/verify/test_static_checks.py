"""The static checks: what they find in extensions with known defects, and that they find nothing in clean ones."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from q2mfa_cli.platform.verify.check import NotApplicable
from q2mfa_cli.platform.verify.static import STATIC
from q2mfa_cli.platform.verify.static.source import Source
from q2mfa_cli.platform.verify.table import CHECKS

HERE = Path(__file__).parent
HAND_WRITTEN = HERE / "hand_written"
SNAPSHOTS = HERE.parent / "snapshots"
NAME = "MyExternalMFA"

Place = tuple[str, str, int]
"""A check's id, a path and a line."""


def found(workspace: Path, name: str) -> Counter[Place]:
    source = Source(workspace, name)
    places: Counter[Place] = Counter()
    for check_id, run in STATIC.items():
        try:
            places.update((check_id, each.location.path, each.location.line) for each in run(source))
        except NotApplicable:
            continue
    return places


def marked(workspace: Path, name: str) -> Counter[Place]:
    """What the comments announce: `DEFECT` and the ids of the checks that see it, on the line of the defect."""
    places: Counter[Place] = Counter()
    configuration = workspace / "configuration"
    files = [*(workspace / name).rglob("*.*"), configuration / f"{name}.py", configuration / "settings.py"]
    for file in files:
        if "__pycache__" in file.parts:
            continue
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if comment := re.search(r"DEFECT((?: [a-z][a-z-]+)+)", line):
                path = file.relative_to(workspace).as_posix()
                places.update((check_id, path, number) for check_id in comment[1].split())
    return places


@pytest.mark.parametrize("name", ["voice_call", "bank_id"])
def test_each_defect_of_a_hand_written_extension_is_found_on_its_line_and_nothing_else(name: str) -> None:
    workspace = HAND_WRITTEN / "defects"
    assert found(workspace, name) == marked(workspace, name)


@pytest.mark.parametrize("name", ["voice_call", "bank_id"])
def test_nothing_is_found_in_a_clean_hand_written_extension(name: str) -> None:
    assert found(HAND_WRITTEN / "clean", name) == Counter()
