"""Failures of the extension: what failed, where in its source, and during which operation."""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from q2mfa_cli.platform import FAKE_SDK

LINES_AROUND = 3
MESSAGE_LENGTH = 600


@dataclass(frozen=True)
class Failure:
    """One failure of the extension.

    :param during: The operation that failed, for example ``"import"``, ``"route submit"`` or ``"the page"``.
    :param kind: The class of the exception; empty if there was none.
    :param message: The message, on one line.
    :param file: The source file, relative to the workspace; empty if unknown.
    :param line: The line in the file; 0 if unknown.
    :param source: The lines around that line, as ``(number, text)``.
    :param frames: The frames of the traceback in the workspace's own code, outermost first.
    """

    during: str
    kind: str
    message: str
    file: str = ""
    line: int = 0
    source: tuple[tuple[int, str], ...] = ()
    frames: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        return f"{self.kind}: {self.message}" if self.kind else self.message

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        """Return the failure on one line, for a terminal."""
        return f"{self.what} ({', '.join(filter(None, [self.where, self.during]))})"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "what": self.what, "where": self.where}


def failure_of(error: BaseException, workspace: Path, during: str) -> Failure:
    """Return *error* as a failure, with its file and line in the *workspace*."""
    # Paths in the message are relative to the workspace, too.
    message = _one_line((getattr(error, "msg", None) or str(error)).replace(f"{workspace}{os.sep}", ""))
    kind = type(error).__name__
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__) if is_within(frame.filename, workspace)
    ]
    frames = tuple(
        f"{_relative(Path(frame.filename), workspace)}:{frame.lineno} in {frame.name}" for frame in own
    )
    # A syntax error, in Python or in a template, has its own file and line, which no frame has.
    file, line = getattr(error, "filename", None), getattr(error, "lineno", None)
    if not (isinstance(file, str) and isinstance(line, int)) and own:
        file, line = own[-1].filename, own[-1].lineno
    if not isinstance(file, str) or not isinstance(line, int):
        return Failure(during, kind, message, frames=frames)
    return in_file(Path(file), line, workspace, during, kind, message, frames)


def in_file(
    file: Path,
    line: int,
    workspace: Path,
    during: str,
    kind: str,
    message: str,
    frames: tuple[str, ...] = (),
) -> Failure:
    """Return a failure on line *line* of *file*."""
    source = tuple(_lines_around(file, line)) if is_within(str(file), workspace) else ()
    return Failure(during, kind, _one_line(message), _relative(file, workspace), line, source, frames)


@functools.lru_cache(maxsize=8192)  # asked for every module at each reload
def is_within(file: str, workspace: Path) -> bool:
    """Return whether *file* is the workspace's own code, and not in a virtual environment in the workspace."""
    path = Path(file)
    return (
        path.is_relative_to(workspace) and "site-packages" not in path.parts and FAKE_SDK not in path.parents
    )


def _lines_around(file: Path, line: int) -> Iterator[tuple[int, str]]:
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    first = max(line - LINES_AROUND, 1)
    yield from enumerate(lines[first - 1 : line + LINES_AROUND], first)


def _relative(file: Path, workspace: Path) -> str:
    return file.relative_to(workspace).as_posix() if file.is_relative_to(workspace) else file.name


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MESSAGE_LENGTH]
