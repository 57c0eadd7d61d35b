"""SIGINT (Ctrl-C), SIGTERM and SIGHUP during a transaction."""

from __future__ import annotations

import contextlib
import signal
from types import FrameType


class Interruptions:
    """Turns signals that end a process into KeyboardInterrupt. While ``held``, only :meth:`check` raises it.

    Code that must not stop halfway can thus choose where it stops. Signals that are ignored, as under ``nohup``, or that
    have another handler do not change.
    """

    def __init__(self) -> None:
        self.held = True
        self.received = False
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> None:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP.
            if number and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                # signal.signal raises ValueError in other threads. Python interrupts only the main thread.
                with contextlib.suppress(ValueError):
                    self._previous[number] = signal.signal(number, self._receive)

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal was received."""
        if self.received:
            raise KeyboardInterrupt

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        if not self.held:
            raise KeyboardInterrupt
