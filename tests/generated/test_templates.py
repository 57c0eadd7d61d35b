"""The templates as a product: what they generate, file by file, and what the two of them share."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import contents

from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.questions import RENDERINGS
from q2mfa_cli.rendering import render, templates_folder
from q2mfa_cli.request import make_request

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"

# What a reader of one template knows of the other: files that are word for word the same.
SHARED = [
    "__init__.py",
    "urls.py",
    "frontend/.gitignore",
    "frontend/.nvmrc",
    "frontend/public/assets/languages/en-US.json",
    "frontend/public/mfa.css",
    "install/__init__.py",
    "install/db_plan.py",
    "install/sql_server/README.txt",
    "templates/{% if cookiecutter.rendering == 'ssr' %}filters.py{% endif %}",
    "tests/__init__.py",
    "tests/conftest.py",
]


@pytest.mark.parametrize("rendering", RENDERINGS)
@pytest.mark.parametrize("mfa", [integration.id for integration in INTEGRATIONS])
def test_what_is_generated_is_what_was_reviewed(mfa: str, rendering: str) -> None:
    """`make snapshots` writes the trees anew; the difference is the review."""
    tree = dict(render(make_request({"name": "MyExternalMFA", "rendering": rendering, "mfa": mfa})))
    golden = contents(SNAPSHOTS / f"{mfa}-{rendering}")
    assert sorted(tree) == sorted(golden)
    for path, content in tree.items():
        assert content.decode() == golden[path].decode(), path


@pytest.mark.parametrize("file", SHARED)
def test_what_both_templates_share_is_the_same(file: str) -> None:
    extension = "{{cookiecutter.workspace}}/{{cookiecutter.extension_name}}"
    standard, redirect = (
        (templates_folder() / name.id / extension / file).read_text("utf-8") for name in INTEGRATIONS
    )
    assert standard == redirect


def test_both_templates_say_the_same_where_they_guess() -> None:
    """The page's guesses about the platform: one place each, and the same in both."""
    guesses = []
    for name in INTEGRATIONS:
        script = templates_folder() / name.id / "{{cookiecutter.workspace}}/{{cookiecutter.extension_name}}"
        text = (script / "frontend/public/index.js").read_text("utf-8")
        start, end = text.index("  // [guess] What a rejected"), text.index("    return typeof data ===")
        guesses.append(text[start:end])
    assert guesses[0] == guesses[1]
    hooks = [
        (templates_folder() / name.id / "hooks/post_gen_project.py").read_text() for name in INTEGRATIONS
    ]
    assert hooks[0] == hooks[1]
