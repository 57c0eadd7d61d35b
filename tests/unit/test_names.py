"""Which names a workspace has taken, by the folders that extensions leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from q2mfa_cli.errors import UsageError
from q2mfa_cli.rendering import render
from q2mfa_cli.request import Answers, make_request
from q2mfa_cli.workspace.find import read_workspace
from q2mfa_cli.workspace.names import name_checker


def check(name: str, workspace: Path) -> str:
    return name_checker(read_workspace(workspace))(name)


@pytest.mark.parametrize("answers", [{"mfa": "standard"}, {"factor": "message"}, {"mfa": "redirect"}])
def test_name_of_partly_written_external_mfa_extension_is_accepted(answers: Answers, workspace: Path) -> None:
    # Files are written in the order of their names.
    for path, content in render(make_request({"name": "Foo", **answers})).items():
        target = workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        assert check("Foo", workspace) == "Foo", path


@pytest.mark.parametrize(
    "files",
    [
        {"extension.py": "class CreditCardSummaryHandler: ...\n"},
        {"extension.py": "", "tests/test_it.py": "set_external_mfa_token"},
        {"extension.py": "", "frontend/node_modules/gyp/x.py": "set_external_mfa_token"},
        {"__init__.py": ""},
        {"README.md": "", "factor.py": "set_external_mfa_token"},
    ],
)
def test_name_of_another_teams_extension_is_refused(files: dict[str, str], workspace: Path) -> None:
    for name, text in files.items():
        path = workspace / "CreditCardSummary" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(UsageError, match=r"^CreditCardSummary is taken: CreditCardSummary") as caught:
        check("CreditCardSummary", workspace)
    assert caught.value.hint == "Choose another name."


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("hq/token.py", "hq.set_external_mfa_token(x)"),
        ("frontend/public/mfa.js", "tecton.actions.verifyMFA({token})"),
    ],
)
def test_name_of_edited_external_mfa_extension_is_accepted(path: str, code: str, workspace: Path) -> None:
    (workspace / "Foo" / path).parent.mkdir(parents=True)
    (workspace / "Foo" / "extension.py").write_text("from .hq import token\n")
    (workspace / "Foo" / path).write_text(code)
    assert check("Foo", workspace) == "Foo"
