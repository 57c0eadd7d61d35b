"""A real terminal: arrow keys, number shortcuts, Ctrl-C."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from command import contents, q2mfa

pytestmark = pytest.mark.slow

UP, DOWN, RETURN, CTRL_C, CTRL_D = "\x1b[A", "\x1b[B", "\r", "\x03", "\x04"

Start = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def start(workspace: Path) -> Iterator[Start]:
    children: list[pexpect.spawn[str]] = []

    def run(
        *arguments: str, term: str = "xterm", columns: int = 160, environment: dict[str, str] | None = None
    ) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "q2mfa_cli", *arguments],
            cwd=str(workspace),
            env={
                **{
                    name: value
                    for name, value in os.environ.items()
                    if name not in ("NO_COLOR", "COLUMNS", "LINES")
                },
                "TERM": term,
                "PYTHONDONTWRITEBYTECODE": "1",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                **(environment or {}),
            },
            encoding="utf-8",
            dimensions=(50, columns),
            timeout=30,
        )
        children.append(child)
        return child

    yield run
    for child in children:
        child.close(force=True)


def finish(child: pexpect.spawn[str]) -> int:
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus is None
    return int(child.exitstatus or 0)


def agree(child: pexpect.spawn[str]) -> None:
    child.expect_exact("Create it?")
    child.send(RETURN)


def plain(text: str) -> str:
    """*text* without the terminal's control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_arrow_keys_and_return_select_choices(start: Start, workspace: Path) -> None:
    child = start("create")
    child.expect("New Extension Name:")
    child.send("Foo" + RETURN)
    child.expect("What type of extension are you creating")
    child.expect("11\\) Base Extension")
    shown = plain(child.before or "")
    assert "1) Online (default)" in shown
    assert "2) SSO (Third Party Integration)" in shown
    # Down from the only choice there is leads back to it: the others are disabled.
    child.send(DOWN + RETURN)
    child.expect("Select type of Online extension to generate")
    child.expect("Client Side Rendered")
    child.send(DOWN + RETURN)
    child.expect("Select type of Online integration to generate")
    child.expect("External MFA")
    child.send(UP + RETURN)
    child.expect("Select type of MFA integration to generate")
    child.expect("Redirect-Based Authentication")
    child.send(DOWN + UP + RETURN)
    agree(child)
    assert finish(child) == 0
    assert (workspace / "Foo" / "frontend" / "public" / "index.html").is_file()


def test_number_and_return_select_choices(start: Start, workspace: Path) -> None:
    child = start("create", "Foo")
    for menu, key in [
        ("11\\) Base Extension", "1"),
        ("Client Side Rendered", "2"),
        ("External MFA", "3"),
        ("Redirect-Based Authentication", "1"),
    ]:
        child.expect(menu)
        child.send(key + RETURN)
    agree(child)
    assert finish(child) == 0
    assert (workspace / "Foo" / "factor.py").is_file()
    assert (workspace / "Foo" / "frontend" / "public" / "index.html").is_file()


def test_invalid_name_is_explained_at_the_prompt(start: Start) -> None:
    child = start("create", "--rendering", "ssr", "--mfa", "standard")
    child.expect("New Extension Name:")
    child.send("my-mfa" + RETURN)
    child.expect("is not a valid extension name")
    child.expect("New Extension Name: ")
    child.send("\x7f" * 6 + "Fine" + RETURN)
    agree(child)
    child.expect("Created Fine")
    assert finish(child) == 0


def test_taken_name_is_explained_within_the_terminal_width_and_return_accepts_the_suggestion(
    start: Start, workspace: Path
) -> None:
    child = start("create", "--rendering", "ssr", "--mfa", "standard", "--yes", columns=40)
    child.expect("New Extension Name:")
    child.send("existing" + RETURN)
    child.expect("taken:")
    child.expect_exact("New Extension Name: ")
    assert max(map(len, plain(child.before or "").split("\r\n"))) < 40
    child.send(RETURN)
    child.expect_exact("Created ExistingMfa")
    assert finish(child) == 0
    assert (workspace / "ExistingMfa").is_dir()


def test_digit_without_return_selects_the_choice(start: Start, workspace: Path) -> None:
    child = start("create", "Foo", "--yes")
    for menu, digit in [
        ("What type of extension", "1"),
        ("Online extension to generate", "2"),
        ("Online integration to generate", "3"),
        ("MFA integration to generate", "1"),
    ]:
        child.expect(menu)
        child.expect_exact("(number, or arrows and Return)")
        child.send(digit)
    child.expect("Created Foo.*, client-side")
    assert finish(child) == 0


def test_arrow_key_after_a_digit_clears_the_digit(start: Start, workspace: Path) -> None:
    child = start("create", "Foo", "--mfa", "standard", "--yes")
    child.expect("11\\) Base Extension")
    child.send(RETURN)
    child.expect("Client Side Rendered")
    child.send("2" + UP + RETURN)
    child.expect("Created Foo.*, server-side")
    assert finish(child) == 0


def test_reason_for_disabled_choices_is_shown_once(start: Start) -> None:
    child = start("create", "Foo")
    child.expect("What type of extension")
    child.expect_exact("run `q2 create_extension`")
    first = plain(child.before or "") + plain(child.after or "")
    assert first.count("q2 create_extension") == 1
    child.send(RETURN)
    child.expect("Online extension to generate")
    child.send(RETURN)
    child.expect("Online integration to generate")
    child.expect_exact("its default.")
    # The default of the menu cannot be chosen, and is not called the default.
    assert re.search(r"1\) Authenticated\r", plain(child.before or ""))


@pytest.mark.parametrize("mode", [(), ("--plain",)], ids=["menus", "plain"])
def test_redirect_integration_asks_for_issuer_and_client_id(
    mode: tuple[str, ...], start: Start, workspace: Path
) -> None:
    child = start("create", "Foo", "--mfa", "redirect", *mode)
    child.expect("11\\) Base Extension")
    child.send("1" + RETURN)
    child.expect("Client Side Rendered")
    child.send("1" + RETURN)
    child.expect_exact("Issuer URL of the identity provider (press Return to add it later):")
    child.send("login.bank.example" + RETURN)
    child.expect_exact("is not a valid issuer")
    child.expect_exact("Issuer URL of the identity provider (press Return to add it later):")
    child.send("https://login.bank.example" + RETURN)
    child.expect_exact("Client ID (press Return to add it later):")
    child.send(RETURN)
    child.expect("Issuer .*https://login.bank.example")
    child.expect("Client id .*later, in configuration/Foo.py")
    agree(child)
    assert finish(child) == 0
    configuration = (workspace / "configuration" / "Foo.py").read_text("utf-8")
    assert 'ISSUER = "https://login.bank.example"' in configuration and 'CLIENT_ID = ""' in configuration


@pytest.mark.parametrize("mode", [(), ("--plain",)], ids=["menus", "plain"])
def test_declined_summary_writes_nothing(mode: tuple[str, ...], start: Start, workspace: Path) -> None:
    before = contents(workspace)
    child = start("create", "--rendering", "ssr", "--mfa", "standard", *mode)
    child.expect("New Extension Name:")
    child.send("Foo" + RETURN)
    child.expect_exact("Create it?")
    shown = plain(child.before or "")
    assert "Foo (External MFA, standard, server-side rendered)" in shown and "files" in shown
    assert "requirements.txt, configuration/settings.py" in shown and str(workspace) in shown
    child.send("n" + RETURN)
    child.expect_exact("Error: Nothing was created.")
    assert finish(child) == 1
    assert contents(workspace) == before


def test_complete_arguments_skip_every_question(start: Start, workspace: Path) -> None:
    child = start("create", "Foo", "--rendering", "ssr", "--mfa", "redirect")
    assert finish(child) == 0
    assert (workspace / "Foo").is_dir()


@pytest.mark.parametrize(
    ("options", "environment", "colored"),
    [([], {}, True), ([], {"NO_COLOR": "1"}, False), (["--plain"], {}, False)],
)
def test_report_and_errors_are_colored_unless_no_color_or_plain_is_set(
    options: list[str], environment: dict[str, str], colored: bool, start: Start
) -> None:
    child = start("create", "Foo", "--no-input", *options, environment=environment)
    assert finish(child) == 0 and ("\x1b[" in (child.before or "")) is colored
    child = start("create", "my-mfa", "--no-input", *options, environment=environment)
    assert finish(child) == 2 and ("\x1b[" in (child.before or "")) is colored


@pytest.mark.parametrize(("environment", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_summary_is_colored_unless_no_color_is_set(
    environment: dict[str, str], colored: bool, start: Start
) -> None:
    child = start("create", "--rendering", "ssr", "--mfa", "standard", environment=environment)
    child.expect("New Extension Name:")
    child.send("Foo" + RETURN)
    child.expect_exact("Foo (External MFA, standard")
    assert ("\x1b[1mExtension" in (child.before or "")) is colored


@pytest.mark.parametrize("at", ["New Extension Name:", "11\\) Base Extension", "Client Side Rendered"])
@pytest.mark.parametrize("mode", [(), ("--plain",)], ids=["menus", "plain"])
def test_ctrl_c_exits_with_130_and_writes_nothing(
    at: str, mode: tuple[str, ...], start: Start, workspace: Path
) -> None:
    before = contents(workspace)
    child = start("create", *mode)
    child.expect("New Extension Name:")
    if at != "New Extension Name:":
        child.send("Foo" + RETURN)
        child.expect("11\\) Base Extension")
    if at == "Client Side Rendered":
        child.send("1" + RETURN)
        child.expect(at)
    child.send(CTRL_C)
    child.expect("Error: Interrupted.")
    child.expect_exact("Nothing was written. Run the command again.")
    shown = child.before or ""
    assert finish(child) == 130
    assert "Traceback" not in shown + (child.before or "")
    assert contents(workspace) == before


def test_ctrl_d_ends_the_input(start: Start) -> None:
    child = start("create")
    child.expect("New Extension Name:")
    child.send(CTRL_D)
    child.expect("Error: The input ended")
    assert finish(child) == 2


@pytest.mark.parametrize(("arguments", "term"), [(["--plain"], "xterm"), ([], "dumb")])
def test_plain_or_dumb_terminal_gets_numbered_menus(
    arguments: list[str], term: str, start: Start, workspace: Path
) -> None:
    child = start("create", *arguments, term=term)
    child.logfile_read = io.StringIO()
    child.expect_exact("New Extension Name: ")
    child.sendline("Foo")
    for prompt, number in [
        ("Return [1]: ", "1"),
        ("Return: ", "2"),
        ("Return [1]: ", "3"),
        ("Return [1]: ", "1"),
    ]:
        child.expect_exact(f"Please make a selection and press {prompt}")
        child.sendline(number)
    child.expect_exact("Create it? [Y/n] ")
    child.sendline("")
    assert finish(child) == 0
    shown = child.logfile_read.getvalue()
    assert "\x1b" not in shown
    # The terminal echoes what is typed; the command does not do it again.
    assert "New Extension Name: Foo\r\nWhat type of extension" in shown
    assert (workspace / "Foo" / "frontend" / "public" / "index.html").is_file()


def test_batch_shows_progress_on_a_terminal(start: Start, workspace: Path) -> None:
    answers = workspace / "many.yaml"
    answers.write_text("extensions:\n" + "".join(f"- name: Batch{number}\n" for number in range(12)))
    child = start("create", "--answers", str(answers))
    assert finish(child) == 0
    shown = child.before or ""
    assert "100%" in shown and "Batch11" in plain(shown)
    assert "Batch0" in plain(shown) and "Error" not in shown


@pytest.mark.parametrize("arguments", [(), ("--format", "json")])
def test_batch_without_terminal_shows_no_progress(arguments: tuple[str, ...], workspace: Path) -> None:
    """Neither in a pipe nor with `--format json`."""
    answers = "extensions:\n" + "".join(f"- name: Batch{number}\n" for number in range(12))
    run = q2mfa("create", "--answers", "-", *arguments, cwd=workspace, stdin=answers)
    assert run.status == 0 and run.err == "", run


def test_json_on_a_terminal_shows_no_progress(start: Start, workspace: Path) -> None:
    answers = workspace / "many.yaml"
    answers.write_text("extensions:\n" + "".join(f"- name: Batch{number}\n" for number in range(12)))
    child = start("create", "--answers", str(answers), "--format", "json")
    assert finish(child) == 0
    # One line, the report.
    assert len(json.loads(child.before or "")["extensions"]) == 12


@pytest.mark.parametrize("mode", [[], ["--plain"]])
def test_create_outside_a_workspace_asks_first_whether_to_continue(
    mode: list[str], start: Start, workspace: Path
) -> None:
    settings = workspace / "configuration" / "settings.py"
    settings.unlink()
    before = contents(workspace)
    for answer, status in ((RETURN, 1), ("n" + RETURN, 1), (CTRL_C, 130)):
        child = start("create", "Foo", *mode)
        child.expect("This is not a Q2 SDK workspace")
        child.expect("Create the extension here anyway\\? \\[y/N\\]:")
        child.send(answer)
        assert finish(child) == status
        assert contents(workspace) == before
    child = start("create", "Foo", *mode)
    child.expect("anyway")
    child.send("y" + RETURN)
    child.expect("What type of extension are you creating")
