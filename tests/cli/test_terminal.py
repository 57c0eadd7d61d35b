"""A real terminal: arrow keys, number shortcuts, Ctrl-C."""

from __future__ import annotations

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

    def run(*arguments: str, term: str = "xterm") -> pexpect.spawn[str]:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "q2mfa_cli", *arguments],
            cwd=str(workspace),
            env={**os.environ, "TERM": term, "PYTHONDONTWRITEBYTECODE": "1", "PROMPT_TOOLKIT_NO_CPR": "1"},
            encoding="utf-8",
            dimensions=(50, 160),
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
    assert "2) SSO (Third Party Integration) (`q2 create_extension` builds those" in shown
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
    assert finish(child) == 0
    assert (workspace / "Foo" / "frontend" / "public" / "index.html").is_file()


def test_number_shortcuts(start: Start, workspace: Path) -> None:
    child = start("create", "Foo")
    for menu, key in [
        ("11\\) Base Extension", "1"),
        ("Client Side Rendered", "2"),
        ("External MFA", "3"),
        ("Redirect-Based Authentication", "1"),
    ]:
        child.expect(menu)
        child.send(key + RETURN)
    assert finish(child) == 0
    assert (workspace / "Foo" / "factor.py").is_file()
    assert (workspace / "Foo" / "frontend" / "public" / "index.html").is_file()


def test_invalid_name_is_explained_at_the_prompt(start: Start) -> None:
    child = start("create", "--rendering", "ssr", "--mfa", "standard")
    child.expect("New Extension Name:")
    child.send("my-mfa" + RETURN)
    child.expect("cannot be an extension name")
    child.send("\x7f" * 6 + "Fine" + RETURN)
    child.expect("Created Fine")
    assert finish(child) == 0


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
    assert finish(child) == 130
    assert "Traceback" not in (child.before or "")
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
    assert finish(child) == 0
    # The terminal echoes what is typed; the command does not do it again.
    assert "\x1b" not in (child.before or "")
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
    """In a pipe, and in JSON wherever it goes."""
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
def test_outside_a_workspace_the_first_question_is_whether_to_go_on(
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
