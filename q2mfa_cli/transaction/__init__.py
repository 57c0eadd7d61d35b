"""All or nothing on disk: the only code that writes to a workspace.

New content is written to a staging folder and synced first. Then each file is renamed into place, in the order of the
changes; an error undoes that. After a kill or a power loss, every file is unchanged or as planned, and running the same command
again completes the change.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

from q2mfa_cli.errors import Interrupted, Q2mfaError, shown
from q2mfa_cli.transaction import disk
from q2mfa_cli.transaction.change import Change, Step, prepare
from q2mfa_cli.transaction.interruptions import Interruptions
from q2mfa_cli.transaction.locking import locked
from q2mfa_cli.transaction.staging import STAGING, Staging

__all__ = ["Change", "Transaction"]

# Writing many files at once is up to ten times faster than one after the other.
SYNC_THREADS = 8


class Transaction:
    """The only transaction at work in the workspace *root*.

    Entering it creates a missing *root* and removes what a killed run left behind. An error that leaves it undoes
    everything. An interruption raises KeyboardInterrupt until :meth:`apply` has prepared everything; after that, it is
    ignored.

    :raises Q2mfaError: The file system refused a step. The message says whether the workspace is unchanged.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._staging = Staging(self._root)
        self._interruptions = Interruptions()
        self._open = ExitStack()
        self._made: list[str] = []  # folders
        self._taken: list[Step] = []
        self._left: list[str] = []  # created, and could not be removed

    def __enter__(self) -> Transaction:  # noqa: PYI034 - typing.Self needs Python 3.11
        try:
            self._open.enter_context(self._interruptions)
            self._open.callback(self._remove_made)
            self._make(self._root)
            self._open.enter_context(locked(self._root, self._interruptions, self._left))
            self._staging.clean()
            self._interruptions.held = False
            self._interruptions.check()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def apply(self, changes: Iterable[Change]) -> None:
        """Make *changes*, in their order. Folders that lose their last file are removed.

        :raises Q2mfaError: A file has changed since the plan.
        """
        from concurrent.futures import ThreadPoolExecutor  # a dry run does without it

        self._interruptions.held = True
        steps: list[Step] = []
        for change in changes:
            self._interruptions.check()
            steps.append(prepare(change, len(steps), self._staging))
        with ThreadPoolExecutor(SYNC_THREADS) as pool:
            list(pool.map(Step.sync, steps))
            self._interruptions.check()
            for step in steps:
                self._make(os.path.dirname(step.target))
                self._taken.append(step)
                step.take()
            list(pool.map(disk.sync, sorted({os.path.dirname(step.target) for step in steps})))
        self._taken.clear()
        self._made.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._interruptions.held = True
        changed = self._undo()
        if not changed:
            self._staging.remove()
        self._open.close()
        left = [*changed, *self._left, *filter(os.path.lexists, self._staging.folders)]
        if error and left:
            raise self._rollback_failed(error, left, bool(changed)) from error
        if isinstance(error, OSError):
            raise Q2mfaError(
                f"{self._refusal(error)} The workspace is unchanged.",
                "Close the program that has it open, or check permissions, then run the command again."
                if disk.is_in_use(error)
                else "Check permissions and free space, then run the command again.",
                "write_failed",
            ) from error

    def _undo(self) -> list[str]:
        """Undo the steps in reverse order. Return the paths of the steps that are not undone.

        This stops at the first error. The workspace is then as after a kill: the first steps are done, and no later one.
        """
        with suppress(OSError):
            while self._taken:
                self._taken[-1].undo()
                self._taken.pop()
        return [step.target for step in self._taken]

    def _make(self, folder: str) -> None:
        """Make *folder* and its missing parents."""
        if not os.path.isdir(folder):
            self._make(os.path.dirname(folder))
            self._made.append(folder)
            try:
                os.mkdir(folder)
            except FileExistsError:
                # Another process created it first, so it is not ours to remove.
                self._made.remove(folder)

    def _remove_made(self) -> None:
        for folder in reversed(self._made):
            try:
                os.rmdir(folder)
            except OSError:
                if os.path.lexists(folder):
                    self._left.append(folder)

    def _rollback_failed(self, error: BaseException, left: list[str], kept: bool) -> Q2mfaError:
        what = error.message if isinstance(error, Q2mfaError) else "Interrupted."
        if isinstance(error, OSError):
            what = self._refusal(error)
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        message = (
            f"{what} Rolling back also failed; these paths may have changed: "
            f"{', '.join(map(self._shown, left[:5]))}{more}."
        )
        hint = "Repair the file system, then run the same command again." + (
            f" Until then, {STAGING} keeps the original files." if kept else ""
        )
        if isinstance(error, KeyboardInterrupt):
            return Interrupted(hint, message, "not_undone")
        return Q2mfaError(message, hint, "not_undone")

    def _refusal(self, error: OSError) -> str:
        path = error.filename2 or error.filename
        where = f" to write {self._shown(path)}" if isinstance(path, str) else ""
        return f"The file system refused{where}: {error.strerror or error}."

    def _shown(self, path: str) -> str:
        """Return *path* relative to the workspace where it is in it, as the plan and the reports write it."""
        inside = path.removeprefix(self._root + os.sep)
        return shown(path if inside == path else inside.replace(os.sep, "/"))
