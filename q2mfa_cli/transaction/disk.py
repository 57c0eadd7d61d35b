"""Operations that depend on the operating system or the file system."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

# Windows reports one of these errors while another program has a file open (Microsoft, "System Error Codes"): access
# denied, sharing violation, lock violation.
IN_USE = (5, 32, 33)
# Antivirus programs and editors release a changed file quickly, so one second in total is enough.
PAUSES = (0.05,) * 20


def write(path: str, content: bytes) -> None:
    """Create the file *path* with *content*.

    :raises FileExistsError: The file already exists.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def rename(source: str, target: str) -> None:
    """Rename *source* to *target*, which must not exist. If another program has a file open, retry for one second."""
    _with_retries(os.rename, source, target)


def replace(source: str, target: str) -> None:
    """Rename *source* to *target*, replacing it if it exists. If another program has a file open, retry for one second."""
    _with_retries(os.replace, source, target)


def is_in_use(error: BaseException) -> bool:
    """Return whether *error* means that another program has the file open. Only Windows has such errors."""
    return getattr(error, "winerror", None) in IN_USE


def sync(path: str) -> None:
    """Sync the file or folder *path* to disk."""
    is_folder = os.path.isdir(path)
    try:
        # Windows can sync a file only if it is open for writing.
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    except PermissionError:
        # Windows cannot open folders, and NTFS journals changes to them.
        if is_folder:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot sync a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            error.filename = path
            raise
    finally:
        os.close(descriptor)


def copy_attributes(source: str, target: str) -> None:
    """Copy the owner, permissions and extended attributes of *source* to *target*, but not its times."""
    status = os.stat(source)
    if hasattr(os, "chown"):  # Windows gives a new file the permissions of its folder.
        # Only root can change the owner. Other users can only set a group that they belong to.
        for owner in [(status.st_uid, status.st_gid), (-1, status.st_gid)]:
            with contextlib.suppress(OSError):
                os.chown(target, *owner)
                break
    shutil.copystat(source, target)
    os.utime(target)


def remove_lock_file(lock: BaseFileLock) -> None:
    """Remove the file of *lock*, unless another process holds the lock.

    The file is removed while this process holds the lock. A waiting process notices this and creates a new file. Windows
    cannot remove an open file, so there the lock is released first. If a waiting process then has the file open, that process
    removes it later.
    """
    from filelock import Timeout  # already imported, see locking.py

    with contextlib.suppress(Timeout, FileNotFoundError):
        lock.acquire(timeout=0)
        try:
            os.unlink(lock.lock_file)
        except PermissionError as error:
            if not is_in_use(error):
                raise
            lock.release(force=True)
            with contextlib.suppress(PermissionError):
                os.unlink(lock.lock_file)


def _with_retries(call: Callable[[str, str], None], source: str, target: str) -> None:
    for pause in PAUSES:
        try:
            return call(source, target)
        except PermissionError as error:
            if not is_in_use(error):
                raise
        time.sleep(pause)
    call(source, target)
