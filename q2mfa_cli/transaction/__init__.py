"""Transactions on disk, all or nothing. No other code writes to a workspace.

A transaction first writes all new content to a staging folder and syncs it. Then it renames each file into place, in the
order of the changes. An error rolls the changes back. After a kill or a power loss, every file is unchanged or as planned,
and running the same command again completes the change.
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

# Syncing many files at once is up to ten times faster than one after the other.
SYNC_THREADS = 8


class Transaction:
    """A transaction in the workspace *root*. A lock lets only one run at a time.

    On entry, it creates *root* if necessary, and removes the staging folder of a run that was killed. An exception that
    leaves the block rolls back all changes. A signal such as Ctrl-C raises KeyboardInterrupt until :meth:`apply` has
    prepared all changes; after that, it is ignored.

    :raises Q2mfaError: The file system refused an operation. The message says whether the workspace is unchanged.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._staging = Staging(self._root)
        self._interruptions = Interruptions()
        self._open = ExitStack()
        self._made: list[str] = []  # folders
        self._applied: list[Step] = []
        self._left: list[str] = []  # paths that the transaction created and could not remove

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
        """Apply *changes*, in order. Folders that lose their last file are removed.

        :raises Q2mfaError: Another program changed a file after the plan was made.
        """
        from concurrent.futures import ThreadPoolExecutor  # not needed for a dry run

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
                self._applied.append(step)
                step.apply()
            list(pool.map(disk.sync, sorted({os.path.dirname(step.target) for step in steps})))
        self._applied.clear()
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
        """Undo the applied steps in reverse order. Return the paths of the steps that could not be undone.

        This stops at the first error. The workspace is then in the state of a killed run: only the first steps are applied.
        """
        with suppress(OSError):
            while self._applied:
                self._applied[-1].undo()
                self._applied.pop()
        return [step.target for step in self._applied]

    def _make(self, folder: str) -> None:
        """Create *folder* and its missing parents."""
        if not os.path.isdir(folder):
            self._make(os.path.dirname(folder))
            self._made.append(folder)
            try:
                os.mkdir(folder)
            except FileExistsError:
                # Another process created the folder, so a rollback must not remove it.
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
        """Return *path* for a message: relative to the workspace if it is inside, as in the plan and the reports."""
        inside = path.removeprefix(self._root + os.sep)
        return shown(path if inside == path else inside.replace(os.sep, "/"))
