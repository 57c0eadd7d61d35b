"""Documents name what exists: relative links, paths of this repository, and make targets."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN_TREE = ROOT / "tests" / "snapshots" / "redirect-ssr" / "MyExternalMFA"
FOLDERS = ["q2mfa_cli", "templates", "tests", "docs", "benchmarks"]

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)|\b(?:src|srcset|href)=\"(?!https?:|#)([^\"#]+)")
PATH = re.compile(rf"(?<![\w/.>}}-])(?:{'|'.join(FOLDERS)})/[\w./-]*")
TARGET = re.compile(r"(?m)(?:`|^)make ([\w-]+)")


def files(suffix: str) -> list[Path]:
    """The files of this repository with that suffix, without golden trees, templates and npm packages."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob(f"*{suffix}")]
    excluded = {"snapshots", "templates", "node_modules"}
    return [
        *ROOT.glob(f"*{suffix}"),
        *(path for path in found if not excluded.intersection(path.relative_to(ROOT).parts)),
    ]


def prose(file: Path) -> str:
    """The text that people read: a whole document, or the docstrings and comments of a module that names a path."""
    text = file.read_text("utf-8")
    if file.suffix != ".py" or not PATH.search(text):
        return text
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return "\n".join([*docstrings, *(token.string for token in tokens if token.type == tokenize.COMMENT)])


DOCUMENTS = files(".md")
MODULES = files(".py")


def test_relative_links_in_documents_lead_to_existing_files() -> None:
    broken = []
    for file in DOCUMENTS:
        links = ["".join(found) for found in LINK.findall(file.read_text("utf-8"))]
        broken += [f"{file}: {link}" for link in links if not (file.parent / link).exists()]
    assert broken == []


def test_paths_in_documents_and_comments_exist() -> None:
    missing = []
    for file in [*DOCUMENTS, *MODULES]:
        places = [ROOT, GOLDEN_TREE, file.parent]
        paths = {path.rstrip(".") for path in PATH.findall(prose(file))}
        missing += [
            f"{file}: {path}" for path in paths if not any((place / path).exists() for place in places)
        ]
    assert missing == []


def test_make_targets_in_documents_exist() -> None:
    targets = re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"))
    named = [(file, target) for file in DOCUMENTS for target in TARGET.findall(file.read_text("utf-8"))]
    assert ("README.md", "test") in [(file.name, target) for file, target in named]
    assert [f"{file}: make {target}" for file, target in named if target not in targets] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see [x](docs/a.md) and [y](https://x.example)", ["docs/a.md"]),
        ('<img src="docs/b.png"> [z](#here) [w](c.md#there)', ["docs/b.png", "c.md"]),
    ],
)
def test_link_pattern_finds_relative_links_only(text: str, found: list[str]) -> None:
    assert ["".join(groups) for groups in LINK.findall(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run `tests/prerequisites.py`, then read docs/a.md.", ["tests/prerequisites.py", "docs/a.md."]),
        ("`<Name>/tests/` and my/docs/b.md", []),
    ],
)
def test_path_pattern_finds_paths_of_this_repository(text: str, found: list[str]) -> None:
    assert PATH.findall(text) == found
