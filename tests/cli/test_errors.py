"""How errors reach the user: exit status, two lines on stderr, and JSON where it was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from command import contents, q2mfa, q2mfa_process

from q2mfa_cli import rendering
from q2mfa_cli.cli import main

COMMAND = [sys.executable, "-m", "q2mfa_cli"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--no-input"], 2),
        (["my-mfa", "--no-input"], 2),
        (["existing", "--no-input"], 2),
        (["SHORT", "--no-input"], 2),
        (["Foo", "--no-input", "--rendering", "x"], 2),
        (["Foo", "--no-input", "--nope"], 2),
        (["Foo", "--no-input", "--issuer", "https://x.y"], 2),
        (["Foo", "--no-input", "--mfa", "redirect", "--issuer", ""], 2),
        (["Foo", "--answers", "none.yaml"], 1),
    ],
)
def test_error_is_two_lines_and_one_json_object_and_writes_nothing(
    arguments: list[str], status: int, workspace: Path
) -> None:
    before = contents(workspace)
    run = q2mfa("create", *arguments, "--format", "json", cwd=workspace)
    assert run.status == status, run
    assert run.err.startswith("Error: ") and len(run.err.splitlines()) == 2
    assert run.json["status"] == "error" and run.json["error"]["message"] in run.err
    assert contents(workspace) == before


@pytest.mark.parametrize("arguments", [["--nope"], ["nope"], ["create", "--nope"], ["create", "a", "b"]])
def test_usage_error_names_the_help_of_its_command(arguments: list[str], workspace: Path) -> None:
    run = q2mfa(*arguments, cwd=workspace)
    assert run.status == 2 and run.out == ""
    command = "q2mfa create" if arguments[0] == "create" else "q2mfa"
    assert run.err.splitlines()[1].replace("main", "q2mfa") == f"See `{command} --help`."


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("--redirect", "--mfa redirect"),
        ("--standard", "--mfa standard"),
        ("--csr", "--rendering csr"),
        ("--message", "--factor message"),
    ],
)
def test_choice_given_as_a_flag_suggests_the_right_flag(flag: str, meant: str, workspace: Path) -> None:
    run = q2mfa("create", "Foo", flag, cwd=workspace)
    assert run.status == 2 and run.err.splitlines()[1] == f"Did you mean {meant}?", run
    assert run.err.count("Did you mean") == 1


@pytest.mark.parametrize("buffering", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_closed_output_pipe_ends_the_command_without_an_error(
    buffering: dict[str, str], workspace: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [*COMMAND, "create", "--help"],
            cwd=workspace,
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            # An unbuffered stream finds the pipe closed inside the command, a buffered one when it is flushed.
            env={**os.environ, **buffering},
        )
    assert (done.returncode, done.stderr) == (1, b""), done


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("create", 2, "The input ended before all questions were answered."),
        ("create --answers -", 1, "cannot be read: standard input is closed."),
    ],
)
def test_closed_stdin_counts_as_the_end_of_the_input(
    arguments: str, status: int, message: str, workspace: Path
) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {arguments} <&-', "bash", *COMMAND],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status and message in done.stderr.splitlines()[0], done


@pytest.mark.slow
def test_ctrl_c_during_generated_tests_does_not_mention_the_workspace(workspace: Path) -> None:
    assert q2mfa("create", "Foo", "--no-input", cwd=workspace).status == 0
    (workspace / "Foo" / "tests" / "test_factor.py").write_text(
        "import os, signal, time\n\ndef test_endless():\n    print('started', flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [*COMMAND, "test", "Foo", "--", "-s"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    while "started" not in process.stdout.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.splitlines()[-2:] == ["Error: Interrupted.", "Run the command again."]


def test_unexpected_error_is_reported_on_two_lines_and_debug_adds_the_traceback(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise LookupError("a\nbug")

    monkeypatch.setattr(rendering, "_template", broken)
    run = q2mfa("create", "Foo", "--no-input", cwd=workspace)
    assert run.status == 1
    assert run.err.splitlines() == [
        "Error: q2mfa failed unexpectedly: LookupError: a bug",
        "Run the command again with --debug, and report the output.",
    ]
    run = q2mfa("create", "Foo", "--no-input", "--debug", cwd=workspace)
    assert run.status == 1 and "Traceback" in run.err and 'raise LookupError("a\\nbug")' in run.err
    assert run.err.splitlines()[-2] == "Error: q2mfa failed unexpectedly: LookupError: a bug"


def test_usage_error_is_json_even_if_the_format_flag_comes_last(workspace: Path) -> None:
    run = q2mfa("create", "--nope", "Foo", "--format=json", cwd=workspace)
    assert run.json["error"]["code"] == "usage"


def test_cookiecutter_can_be_imported_after_rendering(workspace: Path) -> None:
    script = (
        "from q2mfa_cli.rendering import render; from q2mfa_cli.request import make_request\n"
        "render(make_request({'name': 'Foo'}))\n"
        "import cookiecutter.cli, arrow; print(cookiecutter.__version__, arrow.utcnow().year > 2000)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" True\n")


def test_command_without_arguments_prints_its_help() -> None:
    assert CliRunner().invoke(main, []).output == CliRunner().invoke(main, ["--help"]).output


def test_python_module_runs_the_command(workspace: Path) -> None:
    run = q2mfa_process("--version", cwd=workspace)
    assert run.status == 0 and run.out.startswith("q2mfa, version ")


def test_character_missing_from_the_output_encoding_is_escaped() -> None:
    """As on Windows. The sequences of `q2mfa preview --check` have arrows."""
    script = "import click, q2mfa_cli.__main__ as m; m.main = lambda **_: click.echo('UUX → HQ'); m.run()"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, rb"UUX \u2192 HQ" + os.linesep.encode()), done
