"""Answers `q2mfa create` on a real terminal, and writes what it shows to docs/reference/dialogue.md: `make snapshots`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pexpect
import pyte
from command import SETTINGS

DOCUMENT = Path(__file__).parents[1] / "docs" / "reference" / "dialogue.md"
COLUMNS, LINES = 80, 24
RETURN = "\r"
SHOWN_WORKSPACE = "/home/me/bank"

INTRODUCTION = """\
# `q2mfa create` on a terminal

These are the screens of a terminal of 80 by 24 characters. A program types the answers and records what it
sees, and a test repeats that. `make snapshots` writes this file.
"""

# What is typed, the text that then appears last, and the sentence about the screen that it is on; empty for no screen.
STEPS = [
    ("", "New Extension Name:", ""),
    (
        "my-mfa" + RETURN,
        "New Extension Name: MyMfa",
        "A name that cannot be used is explained under the prompt. Return takes the suggestion.",
    ),
    (
        RETURN,
        "For the others, run `q2 create_extension`.",
        "A digit chooses, with or without Return. Arrow keys and Return work too.",
    ),
    ("1" + RETURN, "2) Client Side Rendered", ""),
    ("2" + RETURN, "its default.", "The note under a menu says why some choices cannot be chosen."),
    (RETURN, "2) Redirect-Based Authentication", ""),
    ("2" + RETURN, "Issuer URL of the identity provider (press Return to add it later):", ""),
    ("https://login.bank.example" + RETURN, "Client ID (press Return to add it later):", ""),
    (
        RETURN,
        "Create it? (Y/n)",
        "The redirect integration asks for two more answers. A summary follows; `--yes` agrees to it in advance.",
    ),
    (
        RETURN,
        "Run: q2 run",
        "The report says what was made and what is left to do. `--verbose` lists the files.",
    ),
]


class Terminal:
    """A command on a terminal, and the screen that it has drawn so far."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self._screen)
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "q2mfa_cli", *arguments],
            cwd=str(cwd),
            env={
                **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
                "TERM": "xterm",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PROMPT_TOOLKIT_NO_CPR": "1",
            },
            encoding="utf-8",
            dimensions=(LINES, COLUMNS),
            timeout=60,
        )

    def type(self, keys: str, until: str) -> str:
        """Type *keys*, wait for *until* on the screen, and return the screen."""
        self._child.send(keys)
        while until not in self.shown:
            self._stream.feed(self._child.read_nonblocking(4096, timeout=60))
        return self.shown

    def close(self) -> None:
        self._child.close(force=True)

    @property
    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()


def document() -> str:
    """Return the contents of docs/reference/dialogue.md."""
    text = INTRODUCTION
    # The path is shown. So it has to fit the screen.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        workspace = Path(folder, "bank").resolve()
        (workspace / "configuration").mkdir(parents=True)
        (workspace / "configuration" / "settings.py").write_bytes(SETTINGS)
        (workspace / "requirements.txt").write_bytes(b"q2-sdk==2.208.1\n")
        terminal = Terminal("create", cwd=workspace)
        try:
            for keys, until, about in STEPS:
                screen = terminal.type(keys, until).replace(str(workspace), SHOWN_WORKSPACE)
                text += f"\n{about}\n\n```\n{screen}\n```\n" if about else ""
        finally:
            terminal.close()
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
