"""Errors that a user can act on. Each knows its exit status and shows itself, as click's own errors do."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import IO, Any

import click

REPORT_FORMAT = 1
"""The version of every JSON report; a change that breaks a reader raises it."""

# Keys of ``click.Context.meta``, set by the options of the command line.
OUTPUT_FORMAT = "q2mfa_cli.output_format"
DEBUG = "q2mfa_cli.debug"
EMPTY_REPORT = "q2mfa_cli.empty_report"


class Q2mfaError(click.ClickException):
    """Something the user can act on.

    :param message: One sentence: what is wrong.
    :param hint: One sentence: what to do about it.
    :param code: A stable snake_case identifier for scripts (``error.code`` in the JSON report).
    :param report: The rest of the JSON report, if there is more to say than the error.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str, code: str, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        # As in ClickException: the context is gone when the error is shown.
        context = click.get_current_context(silent=True)
        self.meta: dict[str, Any] = context.meta if context else {}
        empty = self.meta.get(EMPTY_REPORT, {"extensions": [], "next_steps": []})
        self.report = report or {"format": REPORT_FORMAT, "status": "error", **empty}

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message and the hint to stderr, and a JSON report to stdout where one was asked for."""
        if self.meta.get(DEBUG):
            import traceback  # only for --debug

            traceback.print_exception(self.__cause__ or self)
        message = click.style(f"Error: {self.message}", fg="red")
        click.echo(f"{message}\n{self.hint}", file=file, err=True, color=allowed_color())
        if self.meta.get(OUTPUT_FORMAT) == "json":
            # stdout may be what failed.
            with contextlib.suppress(OSError):
                click.echo(self.as_json())

    def as_json(self) -> str:
        """Return the object that the schemas in ``docs/`` describe, on one line."""
        details = {"code": self.code, "message": self.message, "hint": self.hint}
        return json.dumps({**self.report, "error": details})


class UsageError(Q2mfaError):
    """The command line or an answer is wrong. It is raised before anything is written."""

    exit_code = 2

    def __init__(self, message: str, hint: str, code: str = "usage") -> None:
        super().__init__(message, hint, code)


class ToolFailed(Q2mfaError):
    """A command that reports findings could not look. 1 would say that it looked and found something."""

    exit_code = 3


class Interrupted(Q2mfaError):
    """The user pressed Ctrl-C, or the process was asked to end."""

    exit_code = 130

    def __init__(
        self, hint: str = "Run the command again.", message: str = "Interrupted.", code: str = "interrupted"
    ) -> None:
        super().__init__(message, hint, code)


def allowed_color() -> bool | None:
    """Return what ``click.echo`` takes as ``color``: no color, or color where the stream is a terminal."""
    # https://no-color.org
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def shown(value: Any) -> str:
    """Return *value* as an error message can show it: printable ASCII, on one line, at most 60 characters.

    A backslash stays single: it separates the folders of a path on Windows.
    """
    text = ascii(value).replace(r"\\", "\\") if isinstance(value, str) else ascii(value)
    return text if len(text) <= 60 else text[:57] + "…"
