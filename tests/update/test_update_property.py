"""Arbitrary edits of an extension that a real earlier template made: no edit is lost, and no file is half merged.

`git merge-file` is the oracle for what conflicts, and for what a merge is.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from command import contents, q2mfa
from earlier_templates import earlier_record, install
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_updates import git_merge, temporary_folder
from updating import outcomes, recorded

from q2mfa_cli.rendering import render

pytestmark = pytest.mark.slow

RECORDS = {mfa: earlier_record(mfa) for mfa in ("standard", "redirect")}
NEW = {mfa: render(record.request()) for mfa, record in RECORDS.items()}
MARK = b"my edit"


@st.composite
def edits(draw: st.DrawFn, mfa: str) -> dict[str, bytes | None]:
    """Edits of some files. Each adds lines that stand nowhere else, and may remove or repeat others; or deletes the file."""
    chosen: dict[str, bytes | None] = {}
    paths = [
        path
        for path in RECORDS[mfa].files
        if path.endswith((".py", ".json", ".md", ".js", ".css", ".jinja2"))
    ]
    for path in draw(st.lists(st.sampled_from(paths), min_size=1, max_size=5, unique=True)):
        if draw(st.integers(0, 9)) == 0:
            chosen[path] = None
            continue
        content = RECORDS[mfa].files[path]
        if draw(st.booleans()):
            content = content.replace(b"\n", b"\r\n")
        newline = b"\r\n" if b"\r\n" in content else b"\n"
        lines = content.splitlines(keepends=True)
        for number in range(draw(st.integers(1, 3))):
            at = draw(st.integers(0, len(lines)))
            removed = draw(st.integers(0, 2))
            copied = draw(st.integers(0, len(lines)))
            mine = b"%s%s %d of %s" % (b"" if path.endswith(".json") else b"# ", MARK, number, path.encode())
            lines[at : at + removed] = [mine + newline, *lines[copied : copied + draw(st.integers(0, 2))]]
        chosen[path] = b"".join(lines)
    return chosen


def marks(text: bytes) -> list[bytes]:
    return sorted(line.strip() for line in text.splitlines() if MARK in line)


def expect_as_git(
    folder: Path, mfa: str, edited: Mapping[str, bytes | None], found: Mapping[str, str]
) -> None:
    """Every file that git merges without a conflict is merged to the same bytes, where it is merged here too."""
    for path, mine in edited.items():
        base, new = RECORDS[mfa].files[path], NEW[mfa].get(path)
        if mine is None or new is None or found.get(path) != "merged":
            continue
        by_git = git_merge(folder, base, mine.replace(b"\r\n", b"\n"), new)
        merged = (folder / "workspace" / path).read_bytes().replace(b"\r\n", b"\n")
        assert by_git in (None, merged), path


def parses(path: str, text: bytes) -> bool:
    try:
        if path.endswith(".py"):
            ast.parse(text)
        elif path.endswith(".json"):
            json.loads(text)
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.mark.parametrize("mfa", RECORDS)
@given(data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_update_of_arbitrary_edits_loses_no_edit(mfa: str, data: st.DataObject) -> None:
    edited = data.draw(edits(mfa))
    resolution = data.draw(st.sampled_from(["", "ours", "markers", "new"]))
    with temporary_folder() as folder:
        workspace = folder / "workspace"
        (workspace / "configuration").mkdir(parents=True)
        (workspace / "configuration/settings.py").write_bytes(b"INSTALLED_EXTENSIONS = ['Existing']\n")
        (workspace / "requirements.txt").write_bytes(b"")
        install(workspace, RECORDS[mfa], edited)
        before = contents(workspace)
        arguments = ["--conflict", resolution] if resolution else []
        run = q2mfa("update", "LoginMFA", "--format", "json", *arguments, cwd=workspace)
        found, after = outcomes(run), contents(workspace)
        if run.status == 1 and run.json["error"]["code"] == "conflict":
            assert after == before and resolution == ""
            return
        assert (run.status == 1) == bool(recorded(workspace, "LoginMFA").open), run
        expect_as_git(folder, mfa, edited, found)
        for path, mine in edited.items():
            if mine is None:
                assert path not in after
            else:
                assert marks(after[path]) == marks(mine), path
                assert parses(path, after[path]) or not parses(path, mine) or found[path] == "marked", path
        for path in NEW[mfa].keys() - edited.keys():
            assert after[path] == NEW[mfa][path], path
        again = q2mfa("update", "LoginMFA", "--format", "json", *arguments, cwd=workspace)
        if recorded(workspace, "LoginMFA").open:
            assert again.json["error"]["code"] == "unresolved"
        else:
            assert (again.status, again.json["status"]) == (0, "unchanged")
        assert contents(workspace) == after
