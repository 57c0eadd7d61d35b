"""Numbered menus: the texts of `q2 create_extension`, byte for byte, and every way to answer them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from command import contents, q2mfa

from q2mfa_cli import cli
from q2mfa_cli.errors import UsageError, shown
from q2mfa_cli.prompts import LinePrompter, TerminalPrompter, ask
from q2mfa_cli.request import Answers
from q2mfa_cli.validators import check_name

SEED_DIALOGUE = """\
New Extension Name: MyExternalMFA
What type of extension are you creating?

    1) Online (default)
    2) SSO (Third Party Integration)
    3) Ardent (API)
    4) Q2Console (Backoffice)
    5) Central (Legacy Backoffice)
    6) Adapter
    7) Audit Action
    8) Custom Health Check
    9) Message Bus
    10) Caliper API Custom Endpoint
    11) Base Extension

Please make a selection and press Return [1]: 1

Select type of Online extension to generate

    1) Server Side Rendered (Default)
    2) Client Side Rendered

Please make a selection and press Return: 1

Select type of Online integration to generate

    1) Authenticated (Default)
    2) Unauthenticated
    3) External MFA

Please make a selection and press Return [1]: 3

Select type of MFA integration to generate

    1) Standard (Default)
    2) Redirect-Based Authentication

Please make a selection and press Return [1]: 2

"""


def dialogue(typed: str, given: Answers | None = None) -> tuple[Answers, str]:
    """Return the answers that *typed* gives, and what was shown."""
    out = io.StringIO()
    prompter = LinePrompter(io.BytesIO(typed.encode()), out, echo=True)
    return ask(given or {}, prompter, check_name), out.getvalue()


def test_prompts_show_the_documented_dialogue() -> None:
    answers, shown = dialogue("MyExternalMFA\n1\n1\n3\n2\n")
    assert answers == {"name": "MyExternalMFA", "rendering": "ssr", "mfa": "redirect"}
    assert shown == SEED_DIALOGUE


def test_command_shows_the_documented_dialogue(workspace: Path) -> None:
    run = q2mfa("create", cwd=workspace, stdin="MyExternalMFA\n1\n1\n3\n1\n")
    assert run.status == 0, run
    assert run.out.startswith(SEED_DIALOGUE.replace("Return [1]: 2", "Return [1]: 1"))
    assert (workspace / "MyExternalMFA" / "templates" / "index.html.jinja2").is_file()


@pytest.mark.parametrize(
    ("typed", "rendering", "mfa"),
    [
        ("1\n1\n3\n1\n", "ssr", "standard"),
        ("1\n2\n3\n1\n", "csr", "standard"),
        ("1\n2\n3\n2\n", "csr", "redirect"),
        ("\n\n3\n\n", "ssr", "standard"),
        (" 1 \r\n2\r\n3\r\n2", "csr", "redirect"),
    ],
)
def test_numbers_and_return_select_choices(typed: str, rendering: str, mfa: str) -> None:
    answers, _ = dialogue("Foo\n" + typed)
    assert answers == {"name": "Foo", "rendering": rendering, "mfa": mfa}


def test_invalid_answer_is_explained_and_its_question_repeated() -> None:
    answers, shown = dialogue("my-mfa\nFoo\n12\n0\nOnline\n²\n1\n1\n3\n1\n")
    assert answers == {"name": "Foo", "rendering": "ssr", "mfa": "standard"}
    assert "'my-mfa' is not a valid extension name" in shown and "MyMfa" in shown
    assert shown.count("Please type a number from 1 to 11.\n") == 4


@pytest.mark.parametrize("number", range(2, 12))
def test_choice_that_q2_create_extension_builds_is_refused(number: int) -> None:
    answers, shown = dialogue(f"Foo\n{number}\n1\n1\n3\n1\n")
    assert answers["mfa"] == "standard"
    assert shown.count("`q2 create_extension` builds those") == 1


def test_menu_default_that_is_not_external_mfa_is_refused() -> None:
    answers, shown = dialogue("Foo\n1\n1\n\n2\n3\n1\n")
    assert answers["mfa"] == "standard"
    assert "Authenticated (Default): `q2 create_extension` builds those" in shown
    assert "Unauthenticated: `q2 create_extension` builds those" in shown


def test_flag_skips_the_matching_question() -> None:
    answers, shown = dialogue("1\n3\n2\n", {"name": "Foo", "rendering": "csr"})
    assert answers == {"name": "Foo", "rendering": "csr", "mfa": "redirect"}
    assert "New Extension Name" not in shown and "Select type of Online extension" not in shown
    answers, shown = dialogue("1\n2\n", {"name": "Foo", "mfa": "standard"})
    assert answers == {"name": "Foo", "rendering": "csr", "mfa": "standard"}
    assert "Select type of MFA integration" not in shown


def test_both_flags_skip_all_menus() -> None:
    answers, shown = dialogue("Foo\n", {"rendering": "csr", "mfa": "redirect"})
    assert answers["name"] == "Foo" and shown == "New Extension Name: Foo\n"
    assert dialogue("", answers) == (answers, "")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", "NAME --rendering ssr|csr --mfa standard|redirect"),
        ("Foo\n", "create --rendering ssr|csr --mfa standard|redirect"),
        ("Foo\n1\n2\n", "create --mfa standard|redirect"),
        ("Foo\n1\n2\n3\n", "create --mfa standard|redirect"),
        ("bad-name\n", "NAME --rendering"),
    ],
)
def test_end_of_input_names_the_missing_flags(typed: str, names: str) -> None:
    with pytest.raises(UsageError) as caught:
        dialogue(typed)
    assert names in caught.value.hint


def test_end_of_input_exits_with_2_and_writes_nothing(workspace: Path) -> None:
    before = sorted(workspace.rglob("*"))
    run = q2mfa("create", "Foo", cwd=workspace, stdin="1\n1\n")
    assert run.status == 2 and run.err.startswith("Error: The input ended")
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.parametrize("typed", [b"\xff\xfe\n", b"\x00\n", b"x" * 1_000_000 + b"\n", b"\r\r\n"])
def test_undecodable_answer_repeats_the_question(typed: bytes, workspace: Path) -> None:
    run = q2mfa("create", cwd=workspace, stdin=typed + b"Foo\n1\n1\n3\n1\n")
    assert run.status == 0, run.err
    assert (workspace / "Foo").is_dir()


def test_dialogue_with_json_format_goes_to_stderr(workspace: Path) -> None:
    run = q2mfa("create", "--format", "json", cwd=workspace, stdin="MyExternalMFA\n1\n1\n3\n1\n")
    assert run.json["status"] == "created"
    assert run.err == SEED_DIALOGUE.replace("Return [1]: 2", "Return [1]: 1")


def test_invalid_argument_is_reported_before_the_menus(workspace: Path) -> None:
    for arguments in (["my-mfa"], ["Foo", "--mfa", "standard", "--issuer", "https://x.y"]):
        run = q2mfa("create", *arguments, cwd=workspace)
        assert (run.status, run.out) == (2, ""), run


def test_byte_order_mark_before_piped_answers_is_ignored() -> None:
    """PowerShell 5 puts one before the text that it pipes."""
    answers, shown = dialogue("\ufeffFoo\n1\n1\n3\n1\n")
    assert answers["name"] == "Foo" and "cannot be" not in shown


@pytest.mark.parametrize("answer", ["", "2", "x"])
def test_script_that_repeats_refused_answers_ends_with_an_error(answer: str, workspace: Path) -> None:
    before = contents(workspace)
    # Like `yes`, but finite, so that a regression does not hang.
    run = q2mfa("create", "X", cwd=workspace, stdin=f"{answer}\n" * 100)
    assert run.status == 2 and run.err.startswith("Error: Too many answers were invalid."), run
    assert shown(answer) in run.err and "q2mfa create" in run.err.splitlines()[1]
    assert sum(run.out.count(text) for text in ("Please choose another", "Please type a number")) == 3
    assert contents(workspace) == before


def test_script_with_ten_different_refused_names_ends_with_an_error(workspace: Path) -> None:
    run = q2mfa("create", cwd=workspace, stdin="".join(f"not-{number}\n" for number in range(100)))
    assert run.status == 2 and run.out.count("is not a valid extension name") == 10, run


def test_piped_dialogue_skips_issuer_client_id_and_confirmation(workspace: Path) -> None:
    run = q2mfa("create", cwd=workspace, stdin="Foo\n1\n1\n3\n2\n")
    assert run.status == 0 and "Issuer URL" not in run.out and "Create it?" not in run.out


def test_empty_line_in_piped_answers_does_not_accept_the_suggested_name() -> None:
    answers, _ = dialogue("my-mfa\n\nFoo\n", {"rendering": "csr", "mfa": "standard"})
    assert answers["name"] == "Foo"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class NoConsoleScreenBufferError(Exception):
    """What prompt_toolkit raises on Windows where there is no console, as in the terminals of some editors."""


@pytest.mark.parametrize("error", [NoConsoleScreenBufferError, OSError])
def test_terminal_that_cannot_draw_menus_gets_numbered_menus(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    import prompt_toolkit.output

    def no_console() -> None:
        raise error

    monkeypatch.setenv("TERM", "xterm")
    for stream in ("stdin", "stdout"):
        terminal = Terminal()
        terminal.buffer = io.BytesIO()  # type: ignore[attr-defined]
        monkeypatch.setattr(sys, stream, terminal)
    assert isinstance(cli._prompter(False, "text"), TerminalPrompter)
    monkeypatch.setattr(prompt_toolkit.output, "create_output", no_console)
    assert isinstance(cli._prompter(False, "text"), LinePrompter)
