"""Publish what the extension logs and prints during a request, for the log of its challenge."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from q2mfa_cli.platform.events import Events, Logged
from q2mfa_cli.platform.failures import failure_of
from q2mfa_cli.platform.sessions import current_session_id

TEXT_LENGTH = 4000


@contextlib.contextmanager
def published_logs(events: Events, workspace: Path) -> Iterator[None]:
    """Publish :class:`Logged` until the block ends. Call it on the event loop's thread."""
    loop = asyncio.get_running_loop()

    def publish(level: str, text: str) -> None:
        session_id = current_session_id.get()
        if session_id and text.strip() and not loop.is_closed():
            loop.call_soon_threadsafe(events.publish, Logged(session_id, level, text[:TEXT_LENGTH]))

    class Publishing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if record.exc_info and record.exc_info[1]:
                text += f": {failure_of(record.exc_info[1], workspace, '')}"
            publish(record.levelname, text)

    handler, root = Publishing(logging.INFO), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        with contextlib.redirect_stdout(_Tee(sys.stdout, lambda text: publish("PRINT", text))):
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class _Tee(io.TextIOBase):
    """A text stream that also passes what is written to *copy*."""

    def __init__(self, stream: TextIO, copy: Callable[[str], None]) -> None:
        self._stream, self._copy = stream, copy

    def write(self, text: str) -> int:
        self._copy(text.rstrip("\n"))
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding
