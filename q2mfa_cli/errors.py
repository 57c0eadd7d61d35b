"""Errors that a user can act on. Like click's own errors, each has an exit status and prints itself."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import IO, Any

import click

REPORT_FORMAT = 1
"""The version of every JSON report. It increases with each breaking change."""

# Keys of ``click.Context.meta``, set by command-line options.
OUTPUT_FORMAT = "q2mfa_cli.output_format"
DEBUG = "q2mfa_cli.debug"
PLAIN = "q2mfa_cli.plain"
EMPTY_REPORT = "q2mfa_cli.empty_report"


class Q2mfaError(click.ClickException):
    """An error that the user can act on.

    :param message: One sentence that says what is wrong.
    :param hint: One sentence that says what to do.
    :param code: A stable snake_case identifier for scripts (``error.code`` in the JSON report).
    :param report: The other members of the JSON report; by default, those of an empty report.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str, code: str, report: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        # ClickException does the same: the context no longer exists when the error is shown.
        context = click.get_current_context(silent=True)
        self.meta: dict[str, Any] = context.meta if context else {}
        empty = self.meta.get(EMPTY_REPORT, {"extensions": [], "next_steps": []})
        self.report = report or {"format": REPORT_FORMAT, "status": "error", **empty}

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message and the hint to stderr. With ``--format json``, also print a JSON report to stdout."""
        if self.meta.get(DEBUG):
            import traceback  # only needed for --debug

            traceback.print_exception(self.__cause__ or self)
        message = click.style(f"Error: {self.message}", fg="red")
        color = False if self.meta.get(PLAIN) else allowed_color()
        click.echo(f"{message}\n{self.hint}", file=file, err=True, color=color)
        if self.meta.get(OUTPUT_FORMAT) == "json":
            # Writing to stdout may be what failed.
            with contextlib.suppress(OSError):
                click.echo(self.as_json())

    def as_json(self) -> str:
        """Return the report as one line of JSON. The schemas in ``docs/`` describe it."""
        details = {"code": self.code, "message": self.message, "hint": self.hint}
        return json.dumps({**self.report, "error": details})


class UsageError(Q2mfaError):
    """The command line or an answer is invalid. Raised before anything is written."""

    exit_code = 2

    def __init__(self, message: str, hint: str, code: str = "usage") -> None:
        super().__init__(message, hint, code)


class ToolFailed(Q2mfaError):
    """A command that reports findings could not run its checks. Its exit status 1 means that it has findings."""

    exit_code = 3


class Interrupted(Q2mfaError):
    """The user pressed Ctrl-C, or the process received a signal to stop."""

    exit_code = 130

    def __init__(
        self, hint: str = "Run the command again.", message: str = "Interrupted.", code: str = "interrupted"
    ) -> None:
        super().__init__(message, hint, code)


def allowed_color() -> bool | None:
    """Return the ``color`` argument for ``click.echo``: False for no color; None for color on terminals only.

    See https://no-color.org.
    """
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def shown(value: Any) -> str:
    """Return *value* in a form that is safe in an error message: escaped as ASCII, on one line, at most 60 characters.

    A backslash is not doubled, because it separates the folders of a Windows path.
    """
    text = ascii(value).replace(r"\\", "\\") if isinstance(value, str) else ascii(value)
    return text if len(text) <= 60 else text[:57] + "…"
