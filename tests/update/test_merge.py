"""The three-way merge by lines, with `git merge-file` as the oracle."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_updates import git_merge

from q2mfa_cli.merge import Conflict, has_markers, merge3
from q2mfa_cli.rendering import render
from q2mfa_cli.request import make_request

BASE = b"one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (BASE, BASE, BASE),
        (b"ONE\ntwo\nthree\nfour\nfive\n", BASE, b"ONE\ntwo\nthree\nfour\nfive\n"),
        (BASE, b"one\ntwo\nthree\nfour\n", b"one\ntwo\nthree\nfour\n"),
        (
            b"ONE\ntwo\nthree\nfour\nfive\n",
            b"one\ntwo\nthree\nfour\nFIVE\n",
            b"ONE\ntwo\nthree\nfour\nFIVE\n",
        ),
        # Both made the same change, and each one more.
        (
            b"zero\none\nTWO\nthree\nfour\nfive\n",
            b"one\nTWO\nthree\nfour\n",
            b"zero\none\nTWO\nthree\nfour\n",
        ),
        # Line endings, a missing last newline and a byte order mark stay as the owner has them.
        (BASE.replace(b"\n", b"\r\n"), BASE + b"six\n", (BASE + b"six\n").replace(b"\n", b"\r\n")),
        (b"ONE\r\ntwo\nthree\r\nfour\nfive\n", BASE + b"six\n", b"ONE\r\ntwo\nthree\r\nfour\nfive\nsix\n"),
        (BASE[:-1], BASE + b"six\n", BASE + b"six"),
        (BASE, b"ONE\ntwo\nthree\nfour\nfive", b"ONE\ntwo\nthree\nfour\nfive"),
        (b"\xef\xbb\xbf" + BASE, b"ONE" + BASE[3:], b"\xef\xbb\xbfONE" + BASE[3:]),
        (b"", BASE, b""),
        # Only \n ends a line.
        (BASE + b"a\x0cb\x85c\rd\n", b"zero\n" + BASE, b"zero\n" + BASE + b"a\x0cb\x85c\rd\n"),
    ],
)
def test_changes_of_both_sides_are_merged(ours: bytes, theirs: bytes, merged: bytes) -> None:
    assert merge3(BASE, ours, theirs).text() == merged


@pytest.mark.parametrize(
    ("ours", "theirs", "conflict"),
    [
        (b"one\nA\nthree\n", b"one\nB\nthree\n", Conflict([b"two\n"], [b"A\n"], [b"B\n"])),
        # Changes that touch: their order is not known.
        (
            b"A\ntwo\nthree\n",
            b"one\nB\nthree\n",
            Conflict([b"one\n", b"two\n"], [b"A\n", b"two\n"], [b"one\n", b"B\n"]),
        ),
        (b"one\ntwo\nthree\nA\n", b"one\ntwo\nthree\nB\n", Conflict([], [b"A\n"], [b"B\n"])),
        (b"one\nthree\n", b"one\nTWO\nthree\n", Conflict([b"two\n"], [], [b"TWO\n"])),
        # Equal lines at the edges are no part of it.
        (b"one\nX\nA\nthree\n", b"one\nX\nB\nthree\n", Conflict([b"two\n"], [b"A\n"], [b"B\n"])),
    ],
)
def test_different_changes_of_the_same_lines_are_a_conflict(
    ours: bytes, theirs: bytes, conflict: Conflict
) -> None:
    merge = merge3(b"one\ntwo\nthree\n", ours, theirs)
    assert merge.conflicts == [conflict]
    with pytest.raises(ValueError, match="conflict"):
        merge.text()


def test_each_conflict_is_counted() -> None:
    """Complaint 3: the exit status of `git merge-file` is the number of conflicts, which was read as a failure."""
    merge = merge3(BASE, b"A\ntwo\nB\nfour\nC\n", b"1\ntwo\n3\nfour\n5\n")
    assert len(merge.conflicts) == 3


def test_marked_text_has_both_sides_and_the_base_in_the_owners_line_endings() -> None:
    merge = merge3(b"one\ntwo\n", b"one\r\nmine", b"one\nnew\n")
    marked = merge.marked("made by q2mfa 0.1.0", "q2mfa 0.2.0")
    assert marked == (
        b"one\r\n<<<<<<< yours\r\nmine\r\n||||||| made by q2mfa 0.1.0\r\ntwo\r\n=======\r\nnew\r\n"
        b">>>>>>> q2mfa 0.2.0"
    )
    assert has_markers(marked) and not has_markers(b"one\n=======\n")


def edited(text: bytes, chance: random.Random) -> bytes:
    """*text* with up to four edits: lines inserted, removed, replaced, or copied from elsewhere in it."""
    lines = text.splitlines(keepends=True)
    for number in range(chance.randint(0, 4)):
        at = chance.randrange(len(lines))
        length = chance.choice([0, 0, 1, 1, 2, 5])
        new = [b"# edit %d of %d\n" % (number, chance.randrange(9))] * chance.choice([0, 1, 1, 2])
        copied = chance.randrange(len(lines))
        lines[at : at + length] = chance.choice([new, new, lines[copied : copied + 3]])
    return b"".join(lines)


TREES = [render(make_request({"name": "Foo", "mfa": mfa})) for mfa in ("standard", "redirect")]
TEXTS = [text for tree in TREES for text in tree.values() if text.count(b"\n") > 5]


@pytest.mark.slow
def test_merge_agrees_with_git_on_edited_templates(tmp_path: Path) -> None:
    chance = random.Random(16)
    agreed = 0
    for _ in range(300):
        base = chance.choice(TEXTS)
        ours, theirs = edited(base, chance), edited(base, chance)
        by_git = git_merge(tmp_path, base, ours, theirs)
        merge = merge3(base, ours, theirs)
        if by_git is not None and not merge.conflicts:
            assert merge.text() == by_git
        agreed += (by_git is None) == bool(merge.conflicts)
    # The matchers pick different equal lines now and then.
    assert agreed >= 295


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"}\n", b"c\r\n"]), max_size=8).map(b"".join)
TEXT = st.builds(lambda text, last: text + last, LINES, st.sampled_from([b"", b"end"]))


@given(TEXT, TEXT)
@settings(max_examples=200)
def test_side_that_changed_nothing_gets_what_the_other_has(base: bytes, side: bytes) -> None:
    base = base.replace(b"\r\n", b"\n")
    assert merge3(base, side, base).text() == side
    new = side.replace(b"\r\n", b"\n")
    assert merge3(base, base, new).text() == new
    assert merge3(base, new, new).text() == new


@given(TEXT, TEXT, TEXT)
@settings(max_examples=200)
def test_every_line_of_a_merge_comes_from_a_side(base: bytes, ours: bytes, theirs: bytes) -> None:
    merge = merge3(base, ours, theirs)
    known = {line.strip() for text in (base, ours, theirs) for line in text.split(b"\n")}
    for chunk in merge.chunks:
        sides = (chunk.base, chunk.ours, chunk.theirs) if isinstance(chunk, Conflict) else (chunk,)
        assert {line.strip() for side in sides for line in side} <= known
        if isinstance(chunk, Conflict):
            assert list(chunk.ours) != list(chunk.theirs)
