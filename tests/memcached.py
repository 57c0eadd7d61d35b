"""A real memcached for the tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import prerequisites
from pymemcache.client.base import Client
from tornado.netutil import bind_sockets


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """Run memcached on a free port of 127.0.0.1 and yield its host and port."""
    program = shutil.which("memcached")
    assert program, f"memcached is missing. Install it: {prerequisites.COMMAND}"
    [reserved] = bind_sockets(0, "127.0.0.1")
    port = reserved.getsockname()[1]
    reserved.close()
    process = subprocess.Popen([program, "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-u", "nobody"])
    try:
        _wait(process, port)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until it accepts connections."""
    while process.poll() is None:
        try:
            Client(("127.0.0.1", port), connect_timeout=20).version()
        except OSError:
            continue
        return
    raise RuntimeError(f"memcached ended with status {process.returncode}")
