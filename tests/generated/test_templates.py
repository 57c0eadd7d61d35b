"""The templates as a product: what they generate, file by file, and what the two of them share."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from command import contents

from q2mfa_cli.rendering import render, templates_folder
from q2mfa_cli.request import INTEGRATIONS, RENDERINGS, ExtensionRequest, Mfa, Rendering

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
PLATFORM = Path(__file__).parents[2] / "docs" / "platform.md"

# Files that both templates have and that differ; every other common file is the same in both.
DIFFERENT = {
    "cookiecutter.json",
    "templates/{% if cookiecutter.rendering == 'ssr' %}index.html.jinja2{% endif %}",
    "frontend/public/{% if cookiecutter.rendering == 'csr' %}index.html{% endif %}",
    "frontend/public/index.js",
    "README.md",
    "extension.py",
    "tests/test_extension.py",
    "{{cookiecutter.workspace}}/configuration/{{cookiecutter.extension_name}}.py",
}
LANGUAGES = "frontend/public/assets/languages/"


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize("mfa", INTEGRATIONS)
def test_what_is_generated_is_what_was_reviewed(mfa: Mfa, rendering: Rendering) -> None:
    """`make snapshots` writes the trees anew; the difference is the review."""
    tree = dict(render(ExtensionRequest("MyExternalMFA", rendering, mfa)))
    golden = contents(SNAPSHOTS / f"{mfa}-{rendering}")
    assert sorted(tree) == sorted(golden)
    for path, content in tree.items():
        assert content.decode() == golden[path].decode(), path


def test_common_files_of_both_templates_are_the_same() -> None:
    extension = "{{cookiecutter.workspace}}/{{cookiecutter.extension_name}}/"
    standard, redirect = (contents(templates_folder() / name) for name in INTEGRATIONS)
    common = {path for path in standard.keys() & redirect.keys() if "__pycache__" not in path}
    different = {path.removeprefix(extension) for path in common if standard[path] != redirect[path]}
    assert len(common) > 20
    assert {path for path in different if not path.startswith(LANGUAGES)} == DIFFERENT


@pytest.mark.parametrize(
    ("name", "handler"),
    [
        ("MyExternalMFA", "MyExternalMFAHandler"),
        ("make_a_payment", "MakeAPaymentHandler"),
        ("step_up_MFA2", "StepUpMFA2Handler"),
        ("foo", "FooHandler"),
    ],
)
@pytest.mark.parametrize("mfa", INTEGRATIONS)
def test_handler_is_named_in_camel_case_and_package_as_given(mfa: Mfa, name: str, handler: str) -> None:
    tree = render(ExtensionRequest(name, "ssr", mfa))
    assert f"class {handler}(Q2Tecton" in tree[f"{name}/extension.py"].decode()
    assert f"import {handler}\n" in tree[f"{name}/urls.py"].decode()
    assert f'url(r"/{name}(?:' in tree[f"{name}/urls.py"].decode()
    assert f'CONFIG_FILE_NAME = "{name}"' in tree[f"{name}/extension.py"].decode()


@pytest.mark.parametrize("mfa", INTEGRATIONS)
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_generated_files_have_one_tecton_version_and_no_tag(mfa: Mfa, rendering: Rendering) -> None:
    text = "".join(content.decode() for content in render(ExtensionRequest("Foo", rendering, mfa)).values())
    assert len(set(re.findall(r"/tecton/v[^/]*/", text))) == 1
    assert not re.search(r"\[(guess|seed|docs|seen)\]", text)


ASSUMPTION = re.compile(r"^\| \*\*(.+?)\*\* \|", re.MULTILINE)


def test_assumptions_of_the_readmes_are_those_of_the_documentation() -> None:
    documented = ASSUMPTION.findall(PLATFORM.read_text("utf-8"))
    found: set[str] = set()
    for mfa in INTEGRATIONS:
        for rendering in RENDERINGS:
            tree = render(ExtensionRequest("Foo", rendering, mfa))
            readme = tree["Foo/README.md"].decode()
            listed = ASSUMPTION.findall(readme)
            assert len(listed) == len(set(listed)) >= 10
            found |= set(listed)
            _expect_places(readme, {path: text.decode() for path, text in tree.items()})
    assert sorted(found) == sorted(documented)


def _expect_places(readme: str, files: Mapping[str, str]) -> None:
    """Every file, and every name in it, that the list of assumptions gives as a place is there."""
    for row in re.findall(r"^\| \*\*.*$", readme, re.MULTILINE):
        for place in row.split(" | ")[-1].rstrip(" |").split("; "):
            named, _, name = place.partition(", ")
            path = named.strip("`").replace("../", "")
            texts = [text for file, text in files.items() if path in file and not file.endswith("README.md")]
            assert texts, place
            for word in re.findall("`([^`/.]+)`", name):
                assert any(word in text for text in texts), place


@pytest.mark.parametrize(("mfa", "limit"), [("standard", 160), ("redirect", 350)])
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_generated_python_is_short(mfa: Mfa, rendering: Rendering, limit: int) -> None:
    """Lines of code, without tests, comments, docstrings and empty lines."""
    tree = render(ExtensionRequest("Foo", rendering, mfa))
    python = [text.decode() for path, text in tree.items() if path.endswith(".py") and "/tests/" not in path]
    assert 50 < sum(map(_lines_of_code, python)) <= limit


def _lines_of_code(text: str) -> int:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    docstrings = [node.body[0] for node in nodes if ast.get_docstring(node) is not None]
    documentation = {
        line for node in docstrings for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = [line.strip() for number, line in enumerate(text.splitlines(), 1) if number not in documentation]
    return sum(line != "" and not line.startswith("#") for line in lines)
