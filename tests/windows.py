"""What Windows does where Linux does something else, for one run of the command on Linux: `pytest --windows`.

Each behavior is documented: by Python ("os: Availability", "Differences on Windows"), by the C runtime (`_open`,
`_commit`) or by the Windows API (MoveFileEx, DeleteFile, System Error Codes). What is not here: backslashes in paths,
letter case, locks of msvcrt, the console.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from typing import Any

ACCESS_DENIED, SHARING_VIOLATION, ALREADY_EXISTS = 5, 32, 183

# The workers of pytest and the processes that they start read it.
VARIABLE = "Q2MFA_TESTS_ON_WINDOWS"

MISSING = [(os, "chown"), (os, "fchown"), (os, "lchown"), (signal, "SIGHUP"), (signal, "SIGKILL")]

Call = Callable[..., Any]


def is_active() -> bool:
    return VARIABLE in os.environ


def refusal(path: Any, winerror: int) -> OSError:
    """The error with which Windows refuses *path*."""
    error: type[OSError] = FileExistsError if winerror == ALREADY_EXISTS else PermissionError
    refused = error(errno.EACCES, f"refused with error {winerror} of Windows", os.fspath(path))
    vars(refused)["winerror"] = winerror  # an attribute that OSError has on Windows only
    return refused


def is_open(path: Any) -> bool:
    """Whether this process has the file or folder *path* open. What filelock opens on Linux only does not count."""
    if os.path.basename(path).startswith(".filelock-probe"):
        return False
    wanted = os.path.realpath(path)
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/self/fd/{descriptor}") == wanted:
                return True
    return False


def is_read_only(path: Any) -> bool:
    try:
        return not os.lstat(path).st_mode & stat.S_IWUSR
    except OSError:
        return False


def not_through_a_file(real: Call) -> Call:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return real(*args, **kwargs)
        except NotADirectoryError as error:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), error.filename) from None

    return call


def open_descriptor(real: Call) -> Call:
    def call(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if isinstance(path, str | os.PathLike) and os.path.isdir(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        descriptor: int = not_through_a_file(real)(path, flags, *args, **kwargs)
        return descriptor

    return call


def open_file(real: Call) -> Call:
    def call(
        file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        if isinstance(file, str | os.PathLike) and os.path.isdir(file):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(file))
        if "b" not in mode and encoding in (None, "locale"):
            encoding = "cp1252"
        return not_through_a_file(real)(file, mode, buffering, encoding, *args, **kwargs)

    return call


def fsync(real: Call) -> Call:
    import fcntl  # not on Windows, where this module is imported too

    def call(descriptor: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(descriptor)

    return call


def unlink(real: Call) -> Call:
    def call(path: Any, *args: Any, **kwargs: Any) -> None:
        if is_open(path):
            raise refusal(path, SHARING_VIOLATION)
        if is_read_only(path):
            raise refusal(path, ACCESS_DENIED)
        real(path, *args, **kwargs)

    return call


def replace(real: Call) -> Call:
    def call(source: Any, target: Any, *args: Any, **kwargs: Any) -> None:
        if is_open(source):
            raise refusal(source, SHARING_VIOLATION)
        if is_open(target) or is_read_only(target):
            raise refusal(target, ACCESS_DENIED)
        not_through_a_file(real)(source, target, *args, **kwargs)

    return call


def rename(real: Call) -> Call:
    def call(source: Any, target: Any, *args: Any, **kwargs: Any) -> None:
        if os.path.lexists(target):
            raise refusal(target, ALREADY_EXISTS)
        replace(real)(source, target, *args, **kwargs)

    return call


OTHER = [
    (os, "open", open_descriptor),
    (builtins, "open", open_file),
    (io, "open", open_file),
    (os, "fsync", fsync),
    (os, "unlink", unlink),
    (os, "remove", unlink),
    (os, "rename", rename),
    (os, "replace", replace),
    (
        shutil,
        "_use_fd_functions",
        lambda real: False,
    ),  # shutil has found out by now that Linux can open folders
    *[(os, name, not_through_a_file) for name in ("stat", "lstat", "mkdir", "listdir", "scandir")],
]


def install() -> Callable[[], None]:
    """Replace the calls in this process. Returns what puts the real ones back."""
    real: list[tuple[Any, str, Any]] = [(module, name, getattr(module, name)) for module, name in MISSING]
    real += [(module, name, getattr(module, name)) for module, name, _ in OTHER]
    for module, name in MISSING:
        delattr(module, name)
    for module, name, behavior in OTHER:
        setattr(module, name, behavior(getattr(module, name)))

    def restore() -> None:
        for module, name, value in real:
            setattr(module, name, value)

    return restore


@contextlib.contextmanager
def if_active() -> Iterator[None]:
    """Windows for the length of the block, if this is `pytest --windows`."""
    restore = install() if is_active() else lambda: None
    try:
        yield
    finally:
        restore()
