"""The templates: what they generate, and the files that both of them have."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from command import contents

from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.questions import RENDERINGS
from q2mfa_cli.rendering import render
from q2mfa_cli.request import make_request

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
# The checkout's: in the wheel two folders have shorter names.
TEMPLATES_FOLDER = Path(__file__).parents[2] / "templates"
EXTENSION = "{{cookiecutter.workspace}}/{{cookiecutter.extension_name}}"
PLATFORM = Path(__file__).parents[2] / "docs" / "explanation" / "platform.md"

# Files that both templates have and that differ, with the reason.
DIFFERENT = {
    "cookiecutter.json": "each integration has its own questions",
    "{{cookiecutter.workspace}}/configuration/{{cookiecutter.extension_name}}.py": "redirect: the provider's settings",
    f"{EXTENSION}/README.md": "each integration is set up differently",
    f"{EXTENSION}/extension.py": "the routes verify a code, or start and finish a login",
    f"{EXTENSION}/frontend/public/{{% if cookiecutter.__csr %}}index.html{{% endif %}}": "a form, or a redirect",
    f"{EXTENSION}/templates/{{% if cookiecutter.__ssr %}}index.html.jinja2{{% endif %}}": "a form, or a redirect",
    f"{EXTENSION}/tests/test_extension.py": "the tests of the routes",
    **{
        f"{EXTENSION}/frontend/public/assets/languages/{tag}.json": "the texts of the pages"
        for tag in ("en-US", "es-MX", "pt-BR", "zh-CN", "zh-HK", "zh-TW")
    },
}


def template_files(integration: str) -> dict[str, bytes]:
    """The files of a template, by path, without byte code."""
    files = contents(TEMPLATES_FOLDER / integration)
    return {path: content for path, content in files.items() if "__pycache__" not in path}


TEMPLATES = [template_files(integration.id) for integration in INTEGRATIONS]
IN_BOTH = sorted(set.intersection(*map(set, TEMPLATES)))


# By the name of the golden tree, without its rendering.
KINDS = {
    "standard": {"mfa": "standard"},
    "standard-message": {"mfa": "standard", "factor": "message"},
    "redirect": {"mfa": "redirect"},
}


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_rendered_tree_equals_the_golden_tree(kind: str, rendering: str) -> None:
    """`make snapshots` rewrites the golden trees. Review the difference."""
    tree = dict(render(make_request({"name": "MyExternalMFA", "rendering": rendering, **KINDS[kind]})))
    golden = contents(SNAPSHOTS / f"{kind}-{rendering}")
    assert sorted(tree) == sorted(golden)
    for path, content in tree.items():
        assert content.decode() == golden[path].decode(), path


@pytest.mark.parametrize("kind", KINDS)
def test_code_that_grants_is_equal_in_both_renderings(kind: str) -> None:
    """Tests that break this code, or run it by many readings, do so in one rendering."""
    ssr, csr = (contents(SNAPSHOTS / f"{kind}-{rendering}") for rendering in ("ssr", "csr"))
    python = {path for path in ssr if path in csr and path.endswith(".py")}
    extension = "MyExternalMFA"
    assert {path for path in python if ssr[path] != csr[path]} == {
        f"configuration/{extension}.py",
        f"{extension}/extension.py",
        f"{extension}/tests/test_extension.py",
    }


@pytest.mark.parametrize("path", IN_BOTH)
def test_file_of_both_templates_is_equal_unless_listed(path: str) -> None:
    versions = {files[path] for files in TEMPLATES}
    assert (len(versions) > 1) == (path in DIFFERENT)


def test_listed_difference_is_in_both_templates() -> None:
    assert set(DIFFERENT) <= set(IN_BOTH)


@pytest.mark.parametrize(
    ("name", "handler"),
    [
        ("MyExternalMFA", "MyExternalMFAHandler"),
        ("make_a_payment", "MakeAPaymentHandler"),
        ("step_up_MFA2", "StepUpMFA2Handler"),
        ("foo", "FooHandler"),
    ],
)
@pytest.mark.parametrize("mfa", [integration.id for integration in INTEGRATIONS])
def test_handler_is_named_in_camel_case_and_package_as_given(mfa: str, name: str, handler: str) -> None:
    tree = render(make_request({"name": name, "rendering": "ssr", "mfa": mfa}))
    assert f"class {handler}(Q2Tecton" in tree[f"{name}/extension.py"].decode()
    assert f"import {handler}\n" in tree[f"{name}/urls.py"].decode()
    assert f'url(r"/{name}(?:' in tree[f"{name}/urls.py"].decode()
    assert f'CONFIG_FILE_NAME = "{name}"' in tree[f"{name}/extension.py"].decode()


@pytest.mark.parametrize("mfa", [integration.id for integration in INTEGRATIONS])
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_generated_files_have_one_tecton_version_and_no_tag(mfa: str, rendering: str) -> None:
    tree = render(make_request({"name": "Foo", "rendering": rendering, "mfa": mfa}))
    text = "".join(content.decode() for content in tree.values())
    assert len(set(re.findall(r"/tecton/v[^/]*/", text))) == 1
    assert not re.search(r"\[(guess|seed|docs|seen)\]", text)


ASSUMPTION = re.compile(r"^\| \*\*(.+?)\*\* \|", re.MULTILINE)


def test_assumptions_of_the_readmes_are_those_of_the_documentation() -> None:
    documented = ASSUMPTION.findall(PLATFORM.read_text("utf-8"))
    found: set[str] = set()
    for kind in KINDS.values():
        for rendering in RENDERINGS:
            tree = render(make_request({"name": "Foo", "rendering": rendering, **kind}))
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


@pytest.mark.parametrize(("kind", "limit"), [("standard", 160), ("standard-message", 230), ("redirect", 394)])
@pytest.mark.parametrize("rendering", RENDERINGS)
def test_generated_python_is_short(kind: str, rendering: str, limit: int) -> None:
    """Lines of code, without tests, comments, docstrings and empty lines."""
    tree = render(make_request({"name": "Foo", "rendering": rendering, **KINDS[kind]}))
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
