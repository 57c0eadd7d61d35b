"""Reading `console` blocks, and comparing them with what a command printed."""

from __future__ import annotations

import pytest
from console import commands_of, is_shown


def test_command_reader_takes_commands_with_output_from_console_blocks_only() -> None:
    document = (
        "```console\n$ one\n1\n$ two --x\n```\ntext\n```\n$ not this\n```\n```console\n$ three\n3\n\n3\n```\n"
    )
    assert commands_of(document) == [("one", "1"), ("two --x", ""), ("three", "3\n\n3")]


@pytest.mark.parametrize(
    ("printed", "shown", "is_the_same"),
    [
        ("a\nb\n", "a\nb", True),
        ("a\nb\nc\n", "a\n…\nc", True),
        ("3 passed in 0.51s\n", "3 passed in …s", True),
        ("a\nb\n", "a", False),
        ("a.b", "axb", False),
        ("", "", True),
    ],
)
def test_documented_output_matches_printed_output_except_at_the_ellipsis(
    printed: str, shown: str, is_the_same: bool
) -> None:
    assert is_shown(printed, shown) is is_the_same
