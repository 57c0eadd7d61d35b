"""Shell completion, as docs/how-to/shell-completion.md has it: what a shell asks the command when Tab is pressed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "q2mfa"


def ask(**environment: str) -> str:
    return subprocess.run(
        [COMMAND], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_printed(shell: str) -> None:
    source = ask(_Q2MFA_COMPLETE=f"{shell}_source")
    assert "q2mfa" in source and f"_Q2MFA_COMPLETE={shell}_complete" in source


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (
            "q2mfa ",
            {
                *[
                    "create",
                    "diff",
                    "doctor",
                    "explain",
                    "list",
                    "preview",
                    "provider",
                    "remove",
                    "test",
                    "update",
                    "verify",
                ]
            },
        ),
        ("q2mfa cr", {"create"}),
        ("q2mfa create --mfa ", {"standard", "redirect"}),
        ("q2mfa create_extension --rendering s", {"ssr"}),
        ("q2mfa create --no-i", {"--no-input"}),
    ],
)
def test_completion_offers_commands_flags_and_values(words: str, offered: set[str]) -> None:
    number = str(len(words.split(" ")) - 1)
    answer = ask(_Q2MFA_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=number)
    assert {line.partition(",")[2] for line in answer.splitlines()} == offered


def test_bash_accepts_the_completion_script() -> None:
    # A shell that defines the function and can complete with it, without a person at the keyboard.
    script = f'PATH="{COMMAND.parent}:$PATH"; eval "$(_Q2MFA_COMPLETE=bash_source q2mfa)"; complete -p q2mfa'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert "_q2mfa_completion q2mfa" in done.stdout and done.stderr == ""
