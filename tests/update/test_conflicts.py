"""What `q2mfa update` does with conflicts: the four resolutions, and the questions on a terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import pexpect
import pytest
from command import contents, q2mfa
from updating import install_earlier, new_tree, outcomes, recorded, update

from q2mfa_cli import __version__, update_plan
from q2mfa_cli.merge import merge3
from q2mfa_cli.rendering import render

NEW = new_tree()
FACTOR, README, TEXTS = "Foo/factor.py", "Foo/README.md", "Foo/frontend/public/assets/languages/en-US.json"
OLD = NEW[FACTOR].replace(b"WINDOW_STEPS = 1", b"WINDOW_STEPS = 9")
MINE = NEW[FACTOR].replace(b"WINDOW_STEPS = 1", b"WINDOW_STEPS = 2")


@pytest.fixture
def conflicting(workspace: Path) -> Path:
    install_earlier(workspace, {FACTOR: OLD, README: b"old\n"}, {FACTOR: MINE})
    return workspace


def test_both_sides_are_shown(conflicting: Path) -> None:
    out = update(conflicting).out
    line = MINE.splitlines().index(b"WINDOW_STEPS = 2") + 1
    assert f"{FACTOR}:{line}\n<<<<<<< yours\nWINDOW_STEPS = 2" in out
    assert "=======\nWINDOW_STEPS = 1" in out and f">>>>>>> q2mfa {__version__}" in out


def test_markers_have_both_sides_and_the_rest_is_merged(conflicting: Path) -> None:
    run = update(conflicting, "--conflict", "markers")
    assert run.status == 1 and f"Left conflicts to you in {FACTOR}" in run.err
    text = (conflicting / FACTOR).read_bytes()
    assert text.count(b"WINDOW_STEPS = ") == 3 and b"||||||| made by q2mfa 0.1.0.dev2\n" in text
    assert (conflicting / README).read_bytes() == NEW[README]


def test_new_is_written_beside_the_owners(conflicting: Path) -> None:
    run = update(conflicting, "--conflict", "new", "--format", "json")
    assert run.status == 1 and outcomes(run)[FACTOR] == "beside", run
    assert (conflicting / FACTOR).read_bytes() == MINE
    assert (conflicting / f"{FACTOR}.q2mfa-new").read_bytes() == NEW[FACTOR]
    assert "earlier update" in update(conflicting, "--answer", "rendering=csr").err
    (conflicting / f"{FACTOR}.q2mfa-new").unlink()
    assert update(conflicting, "--check").status == 0


def test_own_file_beside_is_not_overwritten(conflicting: Path) -> None:
    (conflicting / f"{FACTOR}.q2mfa-new").write_bytes(b"mine\n")
    before = contents(conflicting)
    run = update(conflicting, "--conflict", "new")
    assert run.status == 1 and "it is there already" in run.out
    assert contents(conflicting) == before


@pytest.mark.parametrize(("resolution", "content"), [("ours", MINE), ("theirs", NEW[FACTOR])])
def test_one_side_is_taken(conflicting: Path, resolution: str, content: bytes) -> None:
    run = update(conflicting, "--conflict", resolution, "--format", "json")
    assert run.status == 0 and outcomes(run)[FACTOR] == resolution
    assert (conflicting / FACTOR).read_bytes() == content
    assert recorded(conflicting).files == NEW


def test_merge_that_cannot_be_parsed_is_a_conflict(workspace: Path) -> None:
    old = NEW[FACTOR] + b"\nX = [\n    1,\n    2,\n    3,\n]\n"
    mine = NEW[FACTOR] + b"\nX = [\n    1,\n    2,\n    3,\n    4,\n]\n"
    install_earlier(workspace, {FACTOR: old.replace(b"\nX = [", b"\n\nX = [")}, {FACTOR: mine})
    assert update(workspace).status == 1
    assert (workspace / FACTOR).read_bytes() == mine


def test_merged_json_that_cannot_be_loaded_is_a_conflict(workspace: Path) -> None:
    """Each side adds or drops an entry next to the last comma, far enough apart for a merge by lines."""
    lines = NEW[TEXTS].decode().splitlines()
    old = "\n".join([*lines[:-2], lines[-2] + ",", '  "old": "1",', '  "older": "2"', "}"]) + "\n"
    mine = old.replace('  "older": "2"\n', '  "older": "2",\n  "mine": "3"\n')
    install_earlier(workspace, {TEXTS: old.encode()}, {TEXTS: mine.encode()})
    assert update(workspace).status == 1
    assert (workspace / TEXTS).read_text() == mine


def test_file_that_could_not_be_parsed_before_is_merged(workspace: Path) -> None:
    install_earlier(
        workspace, {FACTOR: b"# old\n\n" + NEW[FACTOR]}, {FACTOR: b"# old\n\n" + NEW[FACTOR] + b"(\n"}
    )
    assert update(workspace).status == 0
    assert (workspace / FACTOR).read_bytes() == NEW[FACTOR] + b"(\n"


def test_file_in_place_of_which_is_a_folder_is_a_conflict(workspace: Path) -> None:
    install_earlier(workspace, {README: b"old\n"}, {README: None})
    (workspace / README).mkdir()
    run = update(workspace)
    assert run.status == 1 and "a folder or a broken link is in its place" in run.out
    assert update(workspace, "--conflict", "ours").status == 0


def test_edited_file_that_is_no_longer_generated_is_kept(workspace: Path) -> None:
    generated = {"Foo/dropped.py": b"a = 1\n", "Foo/gone.py": b"b = 1\n", "Foo/old/deep.txt": b"c\n"}
    install_earlier(workspace, generated, {"Foo/dropped.py": b"a = 2\n"})
    run = update(workspace)
    assert run.status == 0 and "Foo/dropped.py  (kept: no longer generated; it has your edits)" in run.out
    assert (workspace / "Foo/dropped.py").read_bytes() == b"a = 2\n"
    assert not (workspace / "Foo/gone.py").exists() and not (workspace / "Foo/old").exists()


def test_one_conflict_stops_the_update_of_all(conflicting: Path) -> None:
    install_earlier(conflicting, {"Bar/README.md": b"old\n"}, name="Bar")
    before = contents(conflicting)
    run = q2mfa("update", "--all", cwd=conflicting)
    assert run.status == 1 and "Nothing was written" in run.err
    assert contents(conflicting) == before
    assert q2mfa("update", "Bar", cwd=conflicting).status == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "status", "content"),
    [("4", 0, NEW[FACTOR]), ("\x03", 130, MINE)],
)
def test_terminal_is_asked_about_each_conflict(
    conflicting: Path, keys: str, status: int, content: bytes
) -> None:
    before = contents(conflicting)
    terminal = pexpect.spawn(
        sys.executable, ["-m", "q2mfa_cli", "update", "Foo"], cwd=conflicting, encoding="utf-8", timeout=60
    )
    terminal.expect("WINDOW_STEPS = 2")
    terminal.expect(f"What to do with {FACTOR}.*write nothing")
    terminal.send(keys if keys == "\x03" else f"{keys}\r")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == status, terminal.before
    assert (conflicting / FACTOR).read_bytes() == content
    assert (contents(conflicting) == before) == (status != 0)


def test_merge_that_would_change_when_it_is_repeated_is_a_conflict(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that was killed merges again what it has already merged: that has to change nothing."""
    new = {README: b"\n\n"}
    install_earlier(workspace, {README: b"\n"}, {README: b"a\n\n"})
    monkeypatch.setattr(
        update_plan, "render", lambda request, version=__version__: {**render(request, version), **new}
    )
    merged = merge3(b"\n", b"a\n\n", b"\n\n").text()
    assert merge3(b"\n", merged, b"\n\n").text() != merged
    run = update(workspace)
    assert run.status == 1 and README in run.err
    assert update(workspace, "--conflict", "markers").status == 1
    assert (workspace / README).read_bytes().startswith(b"<<<<<<< yours\na\n")
