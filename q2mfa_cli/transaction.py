"""The one place that writes to a workspace: all of a change, or nothing of it.

New files wait in a staging folder on the same file system. Committing renames them into place, then replaces the
edited files, each by ``os.replace`` of a synced temporary, in the order given. A failure undoes what was done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.request import shown

STAGING_PREFIX = ".q2mfa-staging-"
LOCK_SECONDS = 60.0


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """One run at a time in the workspace at *root*. A crashed run holds no lock: the system releases it.

    :raises Q2mfaError: another run did not finish within a minute, or no lock can be had.
    """
    import tempfile

    from filelock import FileLock, Timeout

    # Not in the workspace: no run leaves anything there but what it reports.
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    digest = sha256(os.fsencode(root)).hexdigest()[:16]
    lock = FileLock(Path(tempfile.gettempdir()) / f"q2mfa-{owner}-{digest}.lock", timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise Q2mfaError(
            "Another q2mfa is at work in this workspace.",
            "Try again when it has finished.",
            "workspace_locked",
        ) from None
    except OSError as error:
        raise failed_write(error) from error
    try:
        yield
    finally:
        lock.release()


class Transaction:
    """A change to the workspace at *root*; as a context manager it leaves nothing behind unless committed.

    :raises Q2mfaError: from any step that the file system refuses.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.staging = root / f"{STAGING_PREFIX}{os.getpid()}"
        self._edits: list[tuple[Path, bytes | None, bytes]] = []
        self._undo: list[Callable[[], None]] = []
        self._made: list[Path] = []
        self._prepared = False

    def __enter__(self) -> Transaction:  # noqa: PYI034 - typing.Self is Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        if kind is not None:
            for folder in reversed(self._made):
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def create(self, path: str, content: bytes) -> None:
        """Stage a new file, or one that replaces another, at *path* (relative to the root)."""
        with _reporting():
            self._prepare()
            staged = self.staging / "new" / path
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_bytes(content)

    def edit(self, path: str, before: bytes | None, after: bytes) -> None:
        """Remember that *path* changes from *before* (``None``: there is none) to *after*."""
        with _reporting():
            self._prepare()
        self._edits.append((self.root / path, before, after))

    def commit(self) -> None:
        """Put everything in place; undo it all if a step fails or is interrupted."""
        if not self._prepared:
            return
        try:
            with _reporting():
                for entry in sorted(os.listdir(self.staging / "new")):
                    self._publish(self.staging / "new" / entry, self.root / entry)
                for target, before, after in self._edits:
                    self._replace(target, before, after)
        except BaseException:
            self._roll_back()
            raise

    def _prepare(self) -> None:
        if self._prepared:
            return
        for folder in reversed([self.root, *self.root.parents]):
            if not folder.exists():
                self._made.append(folder)
                folder.mkdir()
        self._sweep()
        (self.staging / "new").mkdir(parents=True)
        self._prepared = True

    def _publish(self, staged: Path, target: Path) -> None:
        if not os.path.lexists(target):
            self._undo.append(lambda: _move_back(target, staged))
            os.rename(staged, target)
        elif staged.is_dir():
            for entry in sorted(os.listdir(staged)):
                self._publish(staged / entry, target / entry)
        else:
            backup = self.staging / "old" / target.relative_to(self.root)
            backup.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target, backup)
            shutil.copymode(target, staged)
            real = target.resolve()
            self._undo.append(lambda: os.replace(backup, real))
            os.replace(staged, real)

    def _replace(self, target: Path, before: bytes | None, after: bytes) -> None:
        real = target.resolve()
        if (real.read_bytes() if real.exists() else None) != before:
            raise Q2mfaError(
                f"{target.name} was changed by somebody else meanwhile.",
                "Run the command again.",
                "changed_meanwhile",
            )
        self._undo.append(lambda: self._restore(real, before, after))
        self._write(real, after)

    def _write(self, real: Path, content: bytes) -> None:
        folder = self.staging
        if real.parent.stat().st_dev != self.staging.stat().st_dev:
            # os.replace works within a file system; a linked settings.py may be on another.
            folder = real.parent
        temporary = folder / f"{STAGING_PREFIX}{os.getpid()}.{real.name}"
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if real.exists():
                shutil.copymode(real, temporary)
            os.replace(temporary, real)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _restore(self, real: Path, before: bytes | None, after: bytes) -> None:
        if not real.exists() or real.read_bytes() != after:
            return
        if before is None:
            real.unlink()
        else:
            self._write(real, before)

    def _roll_back(self) -> None:
        while self._undo:
            with contextlib.suppress(OSError):
                self._undo.pop()()

    def _sweep(self) -> None:
        """Remove what a killed run has left; the lock is held, so none of it is in use."""
        for stale in self.root.glob(f"{STAGING_PREFIX}*"):
            if not hasattr(os, "getuid") or stale.lstat().st_uid == os.getuid():
                shutil.rmtree(stale, ignore_errors=True)


def failed_write(error: OSError) -> Q2mfaError:
    """What the file system refused, as a user's error."""
    where = f" {shown(os.fspath(error.filename))}" if isinstance(error.filename, str) else ""
    return Q2mfaError(
        f"The file system refused to write{where}: {error.strerror or error}. The workspace is as before.",
        "Check permissions and free space, then run the command again.",
        "write_failed",
    )


@contextlib.contextmanager
def _reporting() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failed_write(error) from error


def _move_back(target: Path, staged: Path) -> None:
    if target.exists() and not staged.exists():
        os.rename(target, staged)
