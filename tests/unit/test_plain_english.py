"""The texts that people read here have no words that are unusual in American English."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from q2mfa_cli.cli import main

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "q2mfa_cli"

# A word or phrase, as a regular expression, and what to write instead.
BANNED = {
    r"whatever": "any, no matter which, or name it",
    r"(?:no|some)body(?: else)?": "no one, someone, or the person: the customer, the owner",
    r"anew": "again, or reload, reassign",
    r"lately": "recently",
    r"whilst|amongst|thereof|hence|thereby": "while, among, of it, so",
    r"spelt|learnt|cancelled": "spelled, learned, canceled",
    r"(?:colour|behaviour|honour|favour|neighbour)\w*": "color, behavior, honor, favor, neighbor",
    r"licen[c]e\w*|catalogue\w*|grey": "license, catalog, gray",
    r"(?:organis|recognis|initialis|normalis|authoris|serialis|customis)\w*": "-ize",
    r"(?:the|a|an|own|its) set-up": "setup",
    r"stand-ins?": "fake",
    r"shall": "must, or will",
    r"e-mails?": "email",
    r"likewise": "the same way",
    r"wrong usage": "usage error",
}
PATTERNS = {
    re.compile(rf"(?<![\w-])(?:{banned})(?![\w-])", re.IGNORECASE): better
    for banned, better in BANNED.items()
}
# All of them in one: most files have none, and need no parser.
ANY_BANNED = re.compile(rf"(?<![\w-])(?:{'|'.join(BANNED)})(?![\w-])", re.IGNORECASE)

# Code.
QUOTED = re.compile(r"`[^`\n]*`")


def prose_of_python(source: str) -> Iterator[tuple[int, str]]:
    """The strings and comments of a module, with their lines. Text in backticks is code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def prose(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text("utf-8")
    # A phrase can go on in the next string or comment.
    if not ANY_BANNED.search(re.sub(r"[\s\"'#]+", " ", text)):
        return
    if path.suffix == ".py" and "templates" not in path.relative_to(ROOT).parts[:1]:
        yield from prose_of_python(text)
    else:
        yield from enumerate(text.splitlines(), 1)


def files() -> list[Path]:
    """What people read: the documents, the templates, and the package with its static files."""
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    package = [path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".js", ".html", ".css", ".ini"}]
    return sorted(path for path in (*documents, *templates, *package) if is_text(path))


def is_text(path: Path) -> bool:
    # Translations are in their own language.
    return path.suffix not in {".png", ".svg", ".woff2", ".pyc"} and (
        path.parent.name != "languages" or path.name == "en-US.json"
    )


def findings(place: str, text: str) -> list[str]:
    words = QUOTED.sub("", text)
    if not ANY_BANNED.search(words):
        return []
    return [
        f'{place}: "{found[0]}": write {better}'
        for pattern, better in PATTERNS.items()
        for found in pattern.finditer(words)
    ]


def test_files_have_no_banned_words() -> None:
    found = [
        finding
        for path in files()
        for line, text in prose(path)
        for finding in findings(f"{path.relative_to(ROOT)}:{line}", text)
    ]
    assert found == []


@pytest.mark.parametrize("name", [None, *sorted(main.commands)])
def test_help_has_no_banned_words(name: str | None) -> None:
    command = main.commands[name] if name else main
    text = command.get_help(click.Context(command, info_name=name or "q2mfa"))
    assert findings(f"q2mfa {name or ''} --help", text) == []


def test_banned_word_is_found_in_strings_and_comments_but_not_in_code() -> None:
    source = 'whatever = 1  # Whatever it is\nsay("the colour")\n"`nobody`"\n'
    found = [finding for line, text in prose_of_python(source) for finding in findings(str(line), text)]
    assert [finding.partition(": write")[0] for finding in sorted(found)] == ['1: "Whatever"', '2: "colour"']
