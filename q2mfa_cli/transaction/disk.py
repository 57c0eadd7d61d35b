"""The calls that depend on the operating system or the file system."""

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

# The errors of Windows while another program has a file open (Microsoft, "System Error Codes"): access denied,
# sharing violation, lock violation.
IN_USE = (5, 32, 33)
# An antivirus or an editor releases a new or changed file quickly. Together, this waits a second.
PAUSES = (0.05,) * 20


def write(path: str, content: bytes) -> None:
    """Create the file *path*."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def rename(source: str, target: str) -> None:
    """Rename *source* to *target*, which does not exist. Wait a second for a program that has it open."""
    _patiently(os.rename, source, target)


def replace(source: str, target: str) -> None:
    """Rename *source* to *target*, whether or not it exists. Wait a second for a program that has one open."""
    _patiently(os.replace, source, target)


def is_in_use(error: BaseException) -> bool:
    """Return whether Windows refused because a program has the file open. Other systems do not refuse that."""
    return getattr(error, "winerror", None) in IN_USE


def sync(path: str) -> None:
    """Wait until the disk has the file or folder *path*."""
    is_folder = os.path.isdir(path)
    try:
        # Windows syncs only what is open for writing.
        descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    except PermissionError:
        # Windows cannot open folders. The NTFS log keeps the order of changes to folders.
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
    """Copy owner, permissions and extended attributes, but not times."""
    status = os.stat(source)
    if hasattr(os, "chown"):  # Windows gives a new file the permissions of its folder.
        # Only root can change the owner. Other users can set a group that they belong to.
        for owner in [(status.st_uid, status.st_gid), (-1, status.st_gid)]:
            with contextlib.suppress(OSError):
                os.chown(target, *owner)
                break
    shutil.copystat(source, target)
    os.utime(target)


def remove_lock_file(lock: BaseFileLock) -> None:
    """Remove the file of *lock*, unless another process holds it.

    It is removed while it is held: a waiting process notices, and creates a new file. Windows cannot remove open files. There,
    it is removed after its release, unless a waiting process has opened it; that process removes it later.
    """
    from filelock import Timeout  # imported by now, see locking

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


def _patiently(call: Callable[[str, str], None], source: str, target: str) -> None:
    for pause in PAUSES:
        try:
            return call(source, target)
        except PermissionError as error:
            if not is_in_use(error):
                raise
        time.sleep(pause)
    call(source, target)
