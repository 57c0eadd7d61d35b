"""The sequence of one challenge: who called whom, when, with what, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from q2mfa_cli.platform.masking import mask

# Who takes part, in the order in which they are drawn.
PARTIES = {"page": "Page", "extension": "Extension", "uux": "UUX", "hq": "HQ", "idp": "Provider"}

# The eight steps of External MFA: number, from, to, what.
STEPS = (
    (1, "page", "extension", "The page asks its backend to verify"),
    (2, "extension", "hq", "The backend sets a token with HQ"),
    (3, "hq", "extension", "HQ keeps it in the session"),
    (4, "extension", "page", "The backend answers the page"),
    (5, "page", "uux", "The page passes the token on"),
    (6, "uux", "hq", "UUX hands the token to HQ"),
    (7, "hq", "uux", "HQ compares it with the one set"),
    (8, "uux", "page", "UUX completes MFA"),
)


@dataclass
class Row:
    """One message of the sequence.

    :param step: 1 to 8; None for a message around the eight steps. :param at: seconds since the challenge began.
    :param took: seconds until the answer, once there is one. :param state: running, ok or failed.
    :param payload: what was sent, masked. :param why: why it failed.
    """

    index: int
    step: int | None
    sender: str
    receiver: str
    what: str
    at: float
    payload: Any = None
    took: float | None = None
    state: str = "running"
    why: str = ""


class Trace:
    """The rows of one challenge, in the order in which they began.

    :param changed: called with each row that is new or has changed.
    """

    def __init__(self, changed: Callable[[Row], None]) -> None:
        self.rows: list[Row] = []
        self._changed = changed
        self._began = time.perf_counter()

    def begin(
        self, sender: str, receiver: str, what: str, payload: Any = None, step: int | None = None
    ) -> Row:
        """Add a message that has no answer yet."""
        at = time.perf_counter() - self._began
        row = Row(len(self.rows), step, sender, receiver, what, at, mask(payload))
        self.rows.append(row)
        self._changed(row)
        return row

    def end(self, row: Row, why: str = "") -> None:
        """The message has been answered; *why* says why it failed."""
        self._settle(row, why, time.perf_counter() - self._began - row.at)

    def add(
        self,
        sender: str,
        receiver: str,
        what: str,
        payload: Any = None,
        step: int | None = None,
        why: str = "",
        took: float | None = None,
    ) -> None:
        """Add a message that has its answer already, or is an answer itself (*took* is None)."""
        row = self.begin(sender, receiver, what, payload, step)
        row.at = max(0.0, row.at - (took or 0.0))
        self._settle(row, why, took)

    def number(self, row: Row, step: int) -> None:
        """*row* was one of the eight steps."""
        row.step = step
        self._changed(row)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.rows]

    def as_text(self) -> list[str]:
        """A line per message, for a terminal or a bug report."""
        return [_line(row) for row in self.rows]

    def _settle(self, row: Row, why: str, took: float | None) -> None:
        row.took, row.state, row.why = took, "failed" if why else "ok", why
        self._changed(row)


def _line(row: Row) -> str:
    way = f"{PARTIES[row.sender]} → {PARTIES[row.receiver]}"
    took = "" if row.took is None else f"{row.took * 1000:.0f} ms"
    line = f"{row.step or '·':>3}  +{row.at:7.3f} s  {way:<22} {row.what:<44} {took:>8}"
    return f"{line.rstrip()}  FAILED: {row.why}" if row.why else line.rstrip()
