"""One change of a file: prepared in a staging folder, then applied or undone by renaming."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.transaction import disk
from q2mfa_cli.transaction.staging import Staging


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after.

    :param path: Relative to the workspace, ``/``-separated.
    :param before: The content that the change was planned for; ``None`` where there is no file.
    :param after: The new content; ``None`` removes the file.
    """

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Step:
    """A prepared change of the file ``target``; ``new`` and ``old`` are its contents in a staging folder."""

    change: Change
    target: str
    new: str
    old: str

    def sync(self) -> None:
        """Wait until the disk has the new content: a power loss must not leave an empty file."""
        if self.change.after is not None:
            with _errors_name(self.target):
                disk.sync(self.new)

    def take(self) -> None:
        """:raises Q2mfaError: The file has changed since the plan."""
        with _errors_name(self.target):
            present = None
            with suppress(FileNotFoundError), open(self.target, "rb") as file:
                present = file.read()
            if present != self.change.before:
                raise Q2mfaError(
                    f"Another program changed {shown(self.change.path)} during this run.",
                    "Run the command again.",
                    "changed_meanwhile",
                )
            if self.change.after is None:
                disk.rename(self.target, self.old)
            else:
                disk.replace(self.new, self.target)

    def undo(self) -> None:
        """Undo :meth:`take`, whether or not it has happened."""
        if self.change.after is None:
            if os.path.lexists(self.old):
                disk.rename(self.old, self.target)
        elif not os.path.lexists(self.new):
            if self.change.before is None:
                disk.rename(self.target, self.new)
            else:
                disk.replace(self.old, self.target)


def prepare(change: Change, number: int, staging: Staging) -> Step:
    """Stage *change*; *number* is its own. A link stays a link: the file that it leads to is edited."""
    path = os.path.join(staging.root, change.path)
    with _errors_name(path):
        folder, name = os.path.split(path)
        target = (
            os.path.join(os.path.realpath(folder), name) if change.after is None else os.path.realpath(path)
        )
        staged = os.path.join(staging.folder_for(target), str(number))
        step = Step(change, target, f"{staged}.new", f"{staged}.old")
        if change.before is not None:
            # A protected file stays unchanged, even if its folder allows the change.
            os.close(os.open(target, os.O_WRONLY))
        if change.after is None:
            staging.will_empty(os.path.dirname(change.path))
        else:
            disk.write(step.new, change.after)
            if change.before is not None:
                disk.write(step.old, change.before)
                for copy in (step.new, step.old):
                    disk.copy_attributes(target, copy)
    return step


@contextmanager
def _errors_name(path: str) -> Iterator[None]:
    """Make system errors name *path* instead of a path in a staging folder."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise
