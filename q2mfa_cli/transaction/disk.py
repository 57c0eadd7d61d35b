"""The calls that depend on the operating system or the file system."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


def write(path: str, content: bytes) -> None:
    """Create the file *path*."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def sync(path: str) -> None:
    """Wait until the disk has the file or folder *path*."""
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


def copy_attributes(source: str, target: str) -> None:
    """Copy owner, permissions and extended attributes, but no times."""
    status = os.stat(source)
    # Only root can change the owner. Other users can set a group that they belong to.
    for owner in [(status.st_uid, status.st_gid), (-1, status.st_gid)]:
        with contextlib.suppress(OSError):
            os.chown(target, *owner)
            break
    shutil.copystat(source, target)
    os.utime(target)


def remove_lock_file(lock: BaseFileLock) -> None:
    """Remove the file of *lock*, unless another process holds it.

    It is removed while it is held: a process that waits for it notices, and makes a new file.
    """
    from filelock import Timeout  # imported by now, see locking

    with contextlib.suppress(Timeout, FileNotFoundError):
        lock.acquire(timeout=0)
        os.unlink(lock.lock_file)
