"""Run a command in a forked process that fails, is interrupted or is killed at a chosen call of the os module."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import importlib
import itertools
import json
import os
import signal
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from command import Run

from q2mfa_cli import cli
from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.rendering import render
from q2mfa_cli.request import make_request

# The functions of the os module that change a file system. Those that change names can also fail after the change.
NAMING = ("mkdir", "rename", "replace", "link", "symlink", "unlink", "remove", "rmdir")
CALLS = ("open", "write", "fsync", "chmod", "fchmod", "chown", "utime", "setxattr", "truncate", *NAMING)

# The audit events of these functions. Writing and syncing have none.
AUDITED = {
    "open": ("open",),
    "os.mkdir": ("mkdir",),
    "os.rename": ("rename", "replace"),
    "os.remove": ("unlink", "remove"),
    "os.rmdir": ("rmdir",),
    "os.link": ("link",),
    "os.symlink": ("symlink",),
    "os.chmod": ("chmod", "fchmod"),
    "os.chown": ("chown",),
    "os.utime": ("utime",),
    "os.truncate": ("truncate",),
}

# What commands import where they need it: each fork would import it again.
for module in (
    "concurrent.futures.thread",
    "filelock",
    "packaging.requirements",
    "q2mfa_cli.answers",
    "q2mfa_cli.changelog",
    "q2mfa_cli.commands.create",
    "q2mfa_cli.commands.remove",
    "q2mfa_cli.commands.update",
    "q2mfa_cli.report",
    "tomllib",
):
    with contextlib.suppress(ModuleNotFoundError):  # tomllib came with Python 3.11
        importlib.import_module(module)

Hook = Callable[[int, str], None]
Command = Callable[[], object]

# Compile the templates once for all forks.
for integration in INTEGRATIONS:
    render(make_request({"name": "Foo", "mfa": integration.id}))


def no_hook(number: int, call: str) -> None:
    pass


def full_disk(number: int, call: str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def sent(number: signal.Signals) -> Hook:
    """A hook that sends a signal to its own process."""
    return lambda _, call: os.kill(os.getpid(), number)


def at(numbers: int | range | set[int], fault: Hook) -> Hook:
    """A hook that runs *fault* at the calls with these *numbers*."""
    chosen = {numbers} if isinstance(numbers, int) else numbers

    def hook(number: int, call: str) -> None:
        if number in chosen:
            fault(number, call)

    return hook


def command_line(*arguments: str) -> Command:
    """The ``q2mfa`` command line with these arguments."""
    return lambda: cli.main(list(arguments))


class Fork:
    """A command that runs in a fork of this process; *before* and *after* run around each call that may write."""

    def __init__(self, command: Command, cwd: Path, before: Hook = no_hook, after: Hook = no_hook) -> None:
        self.out = tempfile.TemporaryFile()  # noqa: SIM115 - `wait` closes it
        self.err = tempfile.TemporaryFile()  # noqa: SIM115
        self.running = True
        self.pid = os.fork()
        if self.pid == 0:
            _run_and_exit(command, cwd, self.out.fileno(), self.err.fileno(), before, after)

    def wait(self) -> Run:
        """The result of the command when it has ended. A negative status is the signal that killed it."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.running = False
        with self.out, self.err:
            self.out.seek(0), self.err.seek(0)
            return Run(status, self.out.read().decode(), self.err.read().decode())

    def kill(self) -> Run:
        """Kill the process, and return what it left."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()


def forked(command: Command, cwd: Path, before: Hook = no_hook, after: Hook = no_hook) -> Run:
    """Run *command* in a fork and wait for its end."""
    return Fork(command, cwd, before, after).wait()


def calls_of(command: Command, cwd: Path) -> list[str]:
    """The calls that may write, in the order of a run without faults.

    The audit events of the run show that it writes only through the functions of the os module.
    """
    with tempfile.NamedTemporaryFile("r") as seen:
        into = os.open(seen.name, os.O_WRONLY)
        one_at_a_time = threading.Lock()
        audited: list[str] = []

        def hook(event: str, args: tuple[Any, ...]) -> None:
            if event in AUDITED and not (
                event == "open" and (not _may_write(args[2]) or args[0] == "/dev/null")
            ):
                audited.append(event)

        counted: list[str] = []

        def before(number: int, call: str) -> None:
            if not counted:
                sys.addaudithook(hook)
            counted.append(call)

        def after(number: int, call: str) -> None:
            with one_at_a_time:
                os.pwrite(into, json.dumps([counted, audited]).encode(), 0)

        run = forked(command, cwd, before, after)
        os.close(into)
        assert run.status == 0, run
        calls, events = json.loads(seen.read())
    names: list[str] = calls
    for event, functions in AUDITED.items():
        assert events.count(event) == sum(names.count(function) for function in functions), event
    return names


def obey_permissions() -> None:
    """Make permission bits apply to root too: drop the capabilities that override them (capabilities(7))."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        drop, dac_override, dac_read_search, owner = 24, 1, 2, 3
        for capability in (dac_override, dac_read_search, owner):
            if libc.prctl(drop, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def state(root: Path) -> dict[str, tuple[object, ...]]:
    """Every path at and below *root*: kind and permissions, owner, and content or link target."""
    found: dict[str, tuple[object, ...]] = {}
    for path in _walk(root):
        status = os.lstat(path)
        content: object = None
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        name = path.relative_to(root).as_posix()
        found[name] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid, content)
    return found


def _walk(root: Path) -> Iterator[Path]:
    if os.path.lexists(root):
        yield root
    for parent, folders, files in os.walk(root):
        for name in itertools.chain(folders, files):
            yield Path(parent, name)


def _may_write(flags: int) -> bool:
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))


def _run_and_exit(command: Command, cwd: Path, out: int, err: int, before: Hook, after: Hook) -> NoReturn:
    status: object = 99
    try:
        gc.disable()  # it would copy all memory that the fork shares with the tests
        # pytest-xdist's workers ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(out, 1), os.dup2(err, 2)
        sys.stdin = open(os.devnull)  # noqa: SIM115
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.dont_write_bytecode = True
        os.chdir(cwd)
        numbers = itertools.count()
        for name in CALLS:
            setattr(os, name, _hooked(name, numbers, before, after))
        try:
            command()
            status = 0
        except SystemExit as leaving:
            status = leaving.code
    except BaseException:  # noqa: BLE001 - a fork must not return into the tests
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 99)


def _hooked(name: str, numbers: Iterator[int], before: Hook, after: Hook) -> Callable[..., Any]:
    real = getattr(os, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        if name == "open" and not _may_write(kwargs.get("flags", args[1] if len(args) > 1 else 0)):
            return real(*args, **kwargs)
        number = next(numbers)
        before(number, name)
        result = real(*args, **kwargs)
        if after is not no_hook:
            after(number, name)
        return result

    return call
