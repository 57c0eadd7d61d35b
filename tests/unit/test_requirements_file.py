"""Reading and extending requirements.txt, against pip's own reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from q2mfa_cli.workspace import requirements_file

PART = st.sampled_from(
    ["pyotp", "==2.8", " ", "\\", "\n", "\r\n", "# c", " # c", "--hash=sha256:ab", "-r x", "\t", "\f", "\x85"]
)


def lines(text: str) -> list[tuple[int, str]]:
    """The number and text of each line as pip reads them."""
    # Not at the top: it takes half a second, in each process that collects this test.
    pip_reader = pytest.importorskip("pip._internal.req.req_file", reason="pip is the oracle")
    return [(number, line.strip()) for number, line in pip_reader.preprocess(text) if line.strip()]


@given(st.lists(PART, max_size=8).map("".join))
def test_added_requirement_is_one_more_line_to_pip(text: str) -> None:
    edited = requirements_file.add(text.encode(), "new>=1").decode()
    assert edited.startswith(text)
    assert [line for _, line in lines(edited)] == [*(line for _, line in lines(text)), "new>=1"]


@given(st.lists(PART, max_size=8).map("".join))
def test_logical_lines_of_arbitrary_text_match_those_of_pip(text: str) -> None:
    assert list(requirements_file.logical_lines(text)) == lines(text)
