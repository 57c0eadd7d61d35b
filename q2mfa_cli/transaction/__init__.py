"""The one place that writes to a workspace: all of a change, or nothing of it.

Everything is written, and synced, in a staging folder on the same file system first. Committing only renames: new files
and folders into place, then each edited file over the old one, in the order given. A failure undoes what was done. A
killed run leaves its staging folder, which the next one removes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import FrameType, TracebackType

from q2mfa_cli.errors import Interrupted, Q2mfaError, shown

STAGING = ".q2mfa-staging"
LOCK = ".q2mfa.lock"
LOCK_SECONDS = 60.0
SYNCED_TOGETHER = 256

Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One file: its bytes before (``None``: not there) and after."""

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True)
class _Edit:
    """A file's replacement and its backup, ready in a staging folder; ``digest`` is that of what it replaces."""

    path: str
    real: str
    digest: bytes
    staged: str
    backup: str


class Transaction:
    """A change to the workspace at *root*, and the only one at work there; nothing is left unless committed.

    As a context manager it holds the workspace's lock, which a crashed run does not keep: the system releases it.
    Interruptions (SIGINT, SIGTERM, SIGHUP) end it until :meth:`commit` begins, and are too late from then on.

    :raises Q2mfaError: from any step that the file system refuses, or another run holds the lock for a minute. Its
        message says whether the workspace is as before.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._staging = os.path.join(root, STAGING)
        self._scratch: list[str] = []
        self._edits: list[_Edit] = []
        self._unsynced: list[str] = []
        self._undo: list[tuple[str, Undo]] = []
        self._folders: set[str] = set()
        self._made: list[str] = []
        self._lock_left: list[str] = []
        self._interruptible = True
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Transaction:  # noqa: PYI034 - typing.Self is Python 3.11
        try:
            self._open.enter_context(self._signals())
            for folder in [*reversed(self.root.parents), self.root]:
                if not os.path.isdir(folder):
                    self._make(str(folder))
            self._open.enter_context(self._locked())
            shutil.rmtree(self._staging, ignore_errors=True)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._interruptible = False
        left = self._roll_back() if error else []
        if not left:
            # Else it keeps what was replaced.
            for folder in self._scratch:
                _insist(partial(shutil.rmtree, folder, ignore_errors=True))
        self._open.close()
        if error:
            for folder in reversed(self._made):
                _insist(partial(os.rmdir, folder))
            left += [path for path in [*self._scratch, *self._made] if os.path.lexists(path)]
            if left or self._lock_left:
                raise self._not_undone(error, left + self._lock_left) from error
        if isinstance(error, OSError):
            raise Q2mfaError(
                f"{self._refusal(error)} The workspace is as before.",
                "Check permissions and free space, then run the command again.",
                "write_failed",
            ) from error

    def apply(self, changes: Iterable[Change]) -> None:
        """Make the changes, in order: all, or none."""
        for change in changes:
            self.change(change.path, change.before, change.after)
        self.commit()

    def change(self, path: str, before: bytes | None, after: bytes) -> None:
        """Stage the change of *path* (relative to the root) from *before* (``None``: not there) to *after*.

        Permissions are kept; a link stays one, and what it leads to is changed.
        """
        if before is None:
            staged = os.path.join(self._staged(), "new", path)
            os.makedirs(os.path.dirname(staged), exist_ok=True)
            _write(staged, after)
            self._unsynced.append(staged)
            if len(self._unsynced) == SYNCED_TOGETHER:
                self._sync()
        else:
            self._edit(path, before, after)

    def commit(self) -> None:
        """Put everything in place.

        :raises Q2mfaError: a file is not what it was when the change was planned.
        """
        self._interruptible = False
        self._sync()
        new = os.path.join(self._staging, "new")
        for entry in sorted(os.listdir(new)) if os.path.isdir(new) else []:
            self._publish(os.path.join(new, entry), os.path.join(self.root, entry))
        for edit in self._edits:
            self._replace(edit)
        for folder in sorted(self._folders):
            _sync(folder)
        self._undo.clear()

    def _sync(self) -> None:
        """Have the disk take the new files: after a power cut, settings.py must not name one that is empty.

        Many at once: the file system then takes them together, ten times as fast as one after the other.
        """
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(_sync, self._unsynced):
                pass
        self._unsynced.clear()

    def _edit(self, path: str, before: bytes, after: bytes) -> None:
        target = os.path.join(self.root, path)
        real = os.path.realpath(target)
        try:
            # The folder may be writable where the file is not: it was protected for a reason.
            os.close(os.open(real, os.O_WRONLY))
            folder = self._staged()
            if os.stat(real).st_dev != os.stat(folder).st_dev:
                # Renaming works within a file system, and a link may lead to another.
                folder = self._staged(os.path.dirname(real))
            number = len(self._edits)
            staged, backup = (os.path.join(folder, f"{number}.{state}") for state in ("after", "before"))
            _write(staged, after)
            _sync(staged)
            _resemble(staged, real)
            try:
                os.link(real, backup)
            except OSError:
                # Not every file system has hard links.
                shutil.copy2(real, backup)
        except OSError as error:
            error.filename, error.filename2 = target, None
            raise
        self._edits.append(_Edit(path, real, sha256(before).digest(), staged, backup))

    def _staged(self, parent: str | None = None) -> str:
        """The staging folder in *parent*, by default in the root."""
        folder = os.path.join(parent, STAGING) if parent else self._staging
        if folder not in self._scratch:
            shutil.rmtree(folder, ignore_errors=True)
            self._scratch.append(folder)
            os.mkdir(folder)
        return folder

    def _make(self, folder: str) -> None:
        self._made.append(folder)
        try:
            os.mkdir(folder)
        except FileExistsError:
            # Another run was faster: the folder is that one's to remove.
            self._made.remove(folder)

    def _publish(self, staged: str, target: str) -> None:
        if not os.path.lexists(target):
            self._undo.append((target, partial(_take_back, target, staged)))
            self._folders.add(os.path.dirname(target))
            os.rename(staged, target)
        elif os.path.isdir(staged) and os.path.isdir(target):
            for entry in sorted(os.listdir(staged)):
                self._publish(os.path.join(staged, entry), os.path.join(target, entry))
        else:
            raise _changed_meanwhile(self._shown(target))

    def _replace(self, edit: _Edit) -> None:
        with open(edit.real, "rb") as file:
            if sha256(file.read()).digest() != edit.digest:
                raise _changed_meanwhile(shown(edit.path))
        self._undo.append((edit.real, partial(os.replace, edit.backup, edit.real)))
        self._folders.add(os.path.dirname(edit.real))
        os.replace(edit.staged, edit.real)

    def _roll_back(self) -> list[str]:
        """Undo what was done, last step first; the paths of which that failed."""
        steps = [self._undo.pop() for _ in range(len(self._undo))]
        return [path for path, undo in steps if not _insist(undo)]

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """While this lasts, signals that ask to end raise KeyboardInterrupt, or come too late."""

        def interrupt(number: int, frame: FrameType | None) -> None:
            if self._interruptible:
                raise KeyboardInterrupt

        before = {}
        try:
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                # One that is ignored stays so, as under nohup.
                if number and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    # Only the main thread can, and only it is interrupted.
                    with contextlib.suppress(ValueError):
                        before[number] = signal.signal(number, interrupt)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        path = os.path.join(self.root, LOCK)
        there = os.path.lexists(path)
        # Whoever may write to the workspace may wait for its lock: the umask says nothing about that.
        lock = FileLock(path, timeout=LOCK_SECONDS, mode=0o666)

        def remove() -> None:
            # Only by who holds it: others that wait for a lock file that is gone make another.
            with contextlib.suppress(Timeout):
                lock.acquire(timeout=0)
                os.unlink(path)

        try:
            lock.acquire()
            there = False
            yield
        except Timeout:
            raise Q2mfaError(
                "Another q2mfa is at work in this workspace.",
                "Try again when it has finished.",
                "workspace_locked",
            ) from None
        finally:
            if not there and not _insist(remove) and os.path.lexists(path):
                self._lock_left.append(path)
            _insist(partial(lock.release, force=True))

    def _shown(self, path: str) -> str:
        """*path* as the user knows it: relative to the workspace where it is in it."""
        for folder in [os.path.join(self._staging, "new"), str(self.root)]:
            if path.startswith(folder + os.sep):
                path = path[len(folder) + 1 :]
        return shown(path)

    def _refusal(self, error: OSError) -> str:
        path = error.filename2 or error.filename
        where = f" to write {self._shown(path)}" if isinstance(path, str) else ""
        return f"The file system refused{where}: {error.strerror or error}."

    def _not_undone(self, error: BaseException, left: list[str]) -> Q2mfaError:
        match error:
            case OSError():
                what = self._refusal(error)
            case Q2mfaError():
                what = error.message
            case _:
                what = "Interrupted."
        message = f"{what} Rolling back also failed; these paths may have changed: {', '.join(map(self._shown, left))}."
        hint = "With the file system in order, the same command finishes the job." + (
            f" Until then {STAGING} keeps what was replaced." if self._edits else ""
        )
        if isinstance(error, KeyboardInterrupt):
            return Interrupted(hint, message, "not_undone")
        return Q2mfaError(message, hint, "not_undone")


def _write(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)


def _resemble(path: str, model: str) -> None:
    """Give *path* the owner, permissions and extended attributes of *model*, but not its times."""
    status = os.stat(model)
    # Only root may give a file away; others keep at least its group, where it is one of theirs.
    for owner in [(status.st_uid, status.st_gid), (-1, status.st_gid)]:
        with contextlib.suppress(OSError):
            os.chown(path, *owner)
            break
    shutil.copystat(model, path)
    os.utime(path)


def _sync(path: str) -> None:
    """Have the disk take the file or folder at *path*."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot sync a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            error.filename = path
            raise
    finally:
        os.close(descriptor)


def _take_back(target: str, staged: str) -> None:
    if os.path.lexists(target) and not os.path.lexists(staged):
        os.rename(target, staged)


def _insist(step: Undo) -> bool:
    """Take *step*, however often it is interrupted; whether that succeeded. It has to be one that can be repeated."""
    while True:
        try:
            step()
        except KeyboardInterrupt:
            continue
        except FileNotFoundError:
            return True
        except Exception:  # noqa: BLE001 - each of the other steps has to be taken too
            return False
        return True


def _changed_meanwhile(path: str) -> Q2mfaError:
    return Q2mfaError(
        f"{path} was changed by somebody else meanwhile.", "Run the command again.", "changed_meanwhile"
    )
