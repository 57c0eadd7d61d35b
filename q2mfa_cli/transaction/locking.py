"""The lock that allows only one transaction at a time in a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.transaction import disk
from q2mfa_cli.transaction.interruptions import Interruptions

LOCK = ".q2mfa.lock"
LOCK_SECONDS = 60.0


@contextmanager
def locked(root: str, interruptions: Interruptions, left: list[str]) -> Iterator[None]:
    """Hold the lock of the workspace *root*. If the process is killed, the operating system releases the lock.

    :param interruptions: A signal ends the wait for another process.
    :param left: Receives the path of a lock file that is this run's and cannot be removed.
    :raises Q2mfaError: Another process holds the lock for more than a minute.
    """
    from filelock import FileLock, Timeout  # imports asyncio, which a dry run does not need

    path = os.path.join(root, LOCK)
    ours = not os.path.lexists(path)
    # Every user who can write to the workspace can take the lock, regardless of the umask.
    lock = FileLock(path, mode=0o666)
    try:
        lock.acquire(timeout=LOCK_SECONDS, cancel_check=lambda: interruptions.received)
        ours = True
        yield
    except Timeout:
        interruptions.check()
        raise Q2mfaError(
            "Another q2mfa process is working in this workspace.",
            "Try again when it has finished.",
            "workspace_locked",
        ) from None
    finally:
        try:
            if ours:
                disk.remove_lock_file(lock)
        except OSError:
            if os.path.lexists(path):
                left.append(path)
        finally:
            lock.release(force=True)
