"""The table of questions, and everything that derives from it."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner
from command import q2mfa
from published_schemas import validator

import q2mfa_cli
from q2mfa_cli.integrations import REDIRECT, STANDARD
from q2mfa_cli.questions import (
    QUESTIONS,
    Question,
    answers_schema,
    as_options,
    cookiecutter_defaults,
    cookiecutter_variables,
)
from q2mfa_cli.request import make_request

ROOT = Path(__file__).resolve().parents[2]

COLOR = Question(
    name="color",
    flag="--color",
    help="The page's color.",
    choices=("red", "blue"),
    validate=str,
    default="red",
    variable="page_color",
)


def test_new_question_adds_a_flag_an_answers_key_a_schema_entry_and_a_variable() -> None:
    questions = (*QUESTIONS, COLOR)

    @click.command()
    @as_options(questions)
    def command(**answers: Any) -> None:
        click.echo(answers["color"])

    assert CliRunner().invoke(command, ["--color", "blue"]).output == "blue\n"
    assert re.search(
        r"--color \[red\|blue\] +The page's color\.", CliRunner().invoke(command, ["--help"]).output
    )
    request = make_request({"name": "Foo", "color": "blue"}, questions)
    assert cookiecutter_variables(request.answers, questions)["page_color"] == "blue"
    assert cookiecutter_defaults(STANDARD, questions)["page_color"] == ["red", "blue"]
    properties = answers_schema(questions)["$defs"]["request"]["properties"]
    assert properties["color"] == {
        "description": "The page's color.",
        "type": "string",
        "enum": ["red", "blue"],
    }


def test_new_flag_needs_only_its_row_and_the_template(tmp_path: Path, workspace: Path) -> None:
    """One edit of questions.py and one of a template file, in a copy of the package, reach the generated file."""
    package = tmp_path / "q2mfa_cli"
    # With its byte code, so that three processes need not compile it.
    shutil.copytree(Path(q2mfa_cli.__file__).parent, package, ignore=shutil.ignore_patterns("templates"))
    shutil.copytree(ROOT / "templates", package / "templates")
    table = package / "questions.py"
    row = (
        'QUESTIONS: tuple[Question, ...] = (\n    Question(name="color", flag="--color", help="", validate=str, '
        'default="red", variable="page_color"),\n'
    )
    text = table.read_text("utf-8")
    assert text.count("QUESTIONS: tuple[Question, ...] = (\n") == 1
    table.write_text(text.replace("QUESTIONS: tuple[Question, ...] = (\n", row), "utf-8")
    template = package / "templates" / "standard" / "{{cookiecutter.workspace}}/configuration"
    file = template / "{{cookiecutter.extension_name}}.py"
    file.write_text(file.read_text("utf-8") + "\nCOLOR = {{ cookiecutter.page_color | jsonify }}\n", "utf-8")

    def color_from(*arguments: str) -> object:
        subprocess.run(
            [sys.executable, "-m", "q2mfa_cli", "create", "--force", *arguments],
            cwd=workspace,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return runpy.run_path(str(workspace / "configuration" / "Foo.py"))["COLOR"]

    answers = tmp_path / "answers.json"
    answers.write_text('{"name": "Foo", "color": "green"}')
    assert color_from("Foo", "--no-input") == "red"
    assert color_from("Foo", "--no-input", "--color", "blue") == "blue"
    assert color_from("--answers", str(answers)) == "green"


def test_derived_files_are_up_to_date() -> None:
    """`make snapshots` writes them."""
    for path, content in runpy.run_path(str(ROOT / "docs" / "write_derived_files.py"))[
        "derived_files"
    ]().items():
        assert path.read_text("utf-8") == content, path


@pytest.mark.parametrize(
    "document",
    [
        {"name": "Foo"},
        {"name": "Foo", "rendering": "csr", "mfa": "standard"},
        {"name": "Foo", "mfa": "redirect", "issuer": "https://x.y", "scopes": ["a", "b"]},
        {"name": "Foo", "mfa": "redirect", "scopes": "a b"},
        {"extensions": [{"name": "Foo"}, {"name": "Bar", "mfa": "redirect", "client_id": "x"}]},
    ],
)
def test_answers_file_that_matches_the_schema_is_accepted(document: Any, workspace: Path) -> None:
    validator("answers").validate(document)
    run = q2mfa("create", "--answers", "-", "--dry-run", cwd=workspace, stdin=json.dumps(document))
    assert run.status == 0, run


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"rendering": "ssr"},
        {"name": 5},
        {"name": "Foo", "rendering": "SSR"},
        {"name": "Foo", "color": "red"},
        {"name": "Foo", "issuer": "https://x.y"},
        {"name": "Foo", "mfa": "standard", "client_id": "x"},
        {"name": "Foo", "mfa": "redirect", "scopes": [1]},
        {"extensions": []},
        {"extensions": [{"name": "Foo"}], "name": "Bar"},
    ],
)
def test_answers_file_that_does_not_match_the_schema_is_refused(document: Any, workspace: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator("answers").validate(document)
    run = q2mfa("create", "--answers", "-", "--dry-run", cwd=workspace, stdin=json.dumps(document))
    assert run.status == 2, run


def test_redirect_template_has_the_variables_of_its_questions() -> None:
    assert list(cookiecutter_defaults(REDIRECT)) == [
        "workspace",
        "extension_name",
        "rendering",
        "tecton_version",
        "issuer",
        "client_id",
        "scopes",
        "client_auth_method",
        "par",
    ]
