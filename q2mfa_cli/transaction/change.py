"""One change to a file. It is prepared in a staging folder, then applied or undone by renaming."""

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
    """The content of a file before and after the change.

    :param path: Relative to the workspace, ``/``-separated.
    :param before: The content that the change was planned for; ``None`` if the file does not exist.
    :param after: The new content; ``None`` removes the file.
    """

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Step:
    """A prepared change to the file ``target``. ``new`` and ``old`` are paths of its contents in a staging folder."""

    change: Change
    target: str
    new: str
    old: str

    def sync(self) -> None:
        """Sync the new content to disk, so that a power loss cannot leave an empty file."""
        if self.change.after is not None:
            with _errors_naming(self.target):
                disk.sync(self.new)

    def apply(self) -> None:
        """Rename the new content into place, or move the file away if it is to be removed.

        :raises Q2mfaError: Another program changed the file after the plan was made.
        """
        with _errors_naming(self.target):
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
        """Undo :meth:`apply`. This does nothing if the step was not applied."""
        if self.change.after is None:
            if os.path.lexists(self.old):
                disk.rename(self.old, self.target)
        elif not os.path.lexists(self.new):
            if self.change.before is None:
                disk.rename(self.target, self.new)
            else:
                disk.replace(self.old, self.target)


def prepare(change: Change, number: int, staging: Staging) -> Step:
    """Write the contents of *change* to a staging folder. If the path is a link, the file that it leads to is edited.

    :param number: The number of the change in the transaction, which names its staged files.
    """
    path = os.path.join(staging.root, change.path)
    with _errors_naming(path):
        folder, name = os.path.split(path)
        target = (
            os.path.join(os.path.realpath(folder), name) if change.after is None else os.path.realpath(path)
        )
        staged = os.path.join(staging.folder_for(target), str(number))
        step = Step(change, target, f"{staged}.new", f"{staged}.old")
        if change.before is not None:
            # Fails if the file is write-protected. Renaming alone would need only the permissions of its folder.
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
def _errors_naming(path: str) -> Iterator[None]:
    """Make an OSError name *path* instead of a path in a staging folder."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = path, None
        raise
