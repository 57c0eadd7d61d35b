"""Plain American English in what people read: documents, and the texts of generated extensions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A word, and what to write in its place.
AVOIDED = {
    "anew": "again",
    "behaviour": "behavior",
    "colour": "color",
    "favour": "favor",
    "honour": "honor",
    "lately": "recently",
    "licence": "license",
    "learnt": "learned",
    "nobody": "no one, or name the attacker",
    "set-up": "setup",
    "somebody": "someone, or name who it is",
    "spelt": "spelled",
    "stand-in": "fake",
    "to the letter": "exactly",
    "whatever": "any, or name it",
    "whilst": "while",
    "whoever": "anyone who, or name who it is",
}
WORDS = re.compile(rf"(?i)(?<![\w-])({'|'.join(AVOIDED)})(?![\w-])")
CODE = re.compile(r"(?s)```.*?```|`[^`\n]*`")


def avoided_in(text: str) -> list[str]:
    """The avoided words of a Markdown text, each with its replacement. Code is left out."""
    return [f"{word}: {AVOIDED[word.lower()]}" for word in WORDS.findall(CODE.sub("", text))]


DOCUMENTS = [
    *ROOT.glob("*.md"),
    *(ROOT / ".github").rglob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
]
# Its tables are written from the attacks in tests/attacks.
WRITTEN_BY_HAND = {"redirect-attacks.md": "<!-- `make snapshots` writes the rest"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_are_in_plain_american_english(document: Path) -> None:
    text = document.read_text("utf-8").partition(WRITTEN_BY_HAND.get(document.name, "\0"))[0]
    assert avoided_in(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Whatever it is, nobody honours it.",
            ["Whatever: any, or name it", "nobody: no one, or name the attacker"],
        ),
        ("`nobody` and\n```\nsomebody\n```\nnewly set-ups", []),
    ],
)
def test_avoided_words_are_found_outside_of_code(text: str, found: list[str]) -> None:
    assert avoided_in(text) == found
