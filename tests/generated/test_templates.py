"""The templates: what they generate, and the files that both of them have."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import contents

from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.questions import RENDERINGS
from q2mfa_cli.rendering import render, templates_folder
from q2mfa_cli.request import make_request

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
EXTENSION = "{{cookiecutter.workspace}}/{{cookiecutter.extension_name}}"

# Files that both templates have and that differ, with the reason.
DIFFERENT = {
    "cookiecutter.json": "each integration has its own questions",
    "{{cookiecutter.workspace}}/configuration/{{cookiecutter.extension_name}}.py": "redirect: the provider's settings",
    f"{EXTENSION}/README.md": "each integration is set up differently",
    f"{EXTENSION}/extension.py": "the routes verify a code, or start and finish a login",
    f"{EXTENSION}/frontend/package.json": "the scripts name the pages",
    f"{EXTENSION}/frontend/public/index.js": "a form, or a redirect",
    f"{EXTENSION}/frontend/public/{{% if cookiecutter.rendering == 'csr' %}}index.html{{% endif %}}": "a form, or a redirect",
    f"{EXTENSION}/templates/{{% if cookiecutter.rendering == 'ssr' %}}index.html.jinja2{{% endif %}}": "a form, or a redirect",
    f"{EXTENSION}/tests/test_extension.py": "the tests of the routes",
}


def template_files(integration: str) -> dict[str, bytes]:
    """The files of a template, by path. An installed template also has byte code, which is no part of it."""
    files = contents(templates_folder() / integration)
    return {path: content for path, content in files.items() if "__pycache__" not in path}


TEMPLATES = [template_files(integration.id) for integration in INTEGRATIONS]
IN_BOTH = sorted(set.intersection(*map(set, TEMPLATES)))


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize("mfa", [integration.id for integration in INTEGRATIONS])
def test_rendered_tree_equals_the_golden_tree(mfa: str, rendering: str) -> None:
    """`make snapshots` rewrites the golden trees. Review the difference."""
    tree = dict(render(make_request({"name": "MyExternalMFA", "rendering": rendering, "mfa": mfa})))
    golden = contents(SNAPSHOTS / f"{mfa}-{rendering}")
    assert sorted(tree) == sorted(golden)
    for path, content in tree.items():
        assert content.decode() == golden[path].decode(), path


@pytest.mark.parametrize("path", IN_BOTH)
def test_file_of_both_templates_is_equal_unless_listed(path: str) -> None:
    versions = {files[path] for files in TEMPLATES}
    assert (len(versions) > 1) == (path in DIFFERENT)


def test_listed_difference_is_in_both_templates() -> None:
    assert set(DIFFERENT) <= set(IN_BOTH)
