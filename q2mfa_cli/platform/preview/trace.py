"""The sequence of one challenge: its messages, with sender, receiver, time, payload and result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from q2mfa_cli.platform.masking import mask

# The participants, in drawing order.
PARTIES = {"page": "Page", "extension": "Extension", "uux": "UUX", "hq": "HQ", "idp": "Provider"}

# The eight steps of External MFA: number, sender, receiver, label.
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

    :param step: 1 to 8; None for other messages. :param at: seconds since the challenge began.
    :param took: seconds until the answer; None until then. :param state: running, ok or failed.
    :param payload: the sent data, masked. :param answer: the returned data, masked. :param why: why it failed.
    :param refused: whether it failed because a party refused, not because of an error.
    :param count: the number of equal consecutive messages in the row.
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
    answer: Any = None
    refused: bool = False
    count: int = 1


class Trace:
    """The rows of one challenge, by start time. Equal consecutive messages share a row.

    :param changed: called with each new or changed row. :param gone: called with the index of a row that was merged
        into the previous one, and with None when all rows are gone.
    """

    def __init__(self, changed: Callable[[Row], None], gone: Callable[[int | None], None]) -> None:
        self.rows: list[Row] = []
        self._changed, self._gone = changed, gone
        self._began = time.perf_counter()
        self._next = 0

    def restart(self) -> None:
        """Start a new sequence. Answers to messages of the old one are ignored."""
        self.rows.clear()
        self._began = time.perf_counter()
        self._gone(None)

    def begin(
        self, sender: str, receiver: str, what: str, payload: Any = None, step: int | None = None
    ) -> Row:
        """Add a message that waits for an answer."""
        at = time.perf_counter() - self._began
        row = Row(self._next, step, sender, receiver, what, at, mask(payload))
        self._next += 1
        self.rows.append(row)
        self._changed(row)
        return row

    def end(self, row: Row, why: str = "", answer: Any = None, refused: bool = False) -> None:
        """Mark *row* as answered; *why* says why it failed."""
        row.answer, row.refused = mask(answer), refused
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
        refused: bool = False,
    ) -> None:
        """Add a message that is complete, or is an answer itself (*took* is None)."""
        row = self.begin(sender, receiver, what, payload, step)
        row.at, row.refused = max(0.0, row.at - (took or 0.0)), refused
        self._settle(row, why, took)

    def number(self, row: Row, step: int) -> None:
        """Mark *row* as one of the eight steps."""
        row.step = step
        self._change(row)

    def failed_row(self) -> Row | None:
        """Return the row that caused the current attempt to fail; None if it has not failed.

        An attempt begins with a message of the page or of UUX's outlet. The first message that fails after it is the
        cause, and makes the page's own message fail.
        """
        cause = None
        for row in reversed(self.rows):
            if row.state == "failed" and not (row.sender == "page" and cause):
                cause = row
            if row.sender == "page" or (row.sender, row.receiver, row.step) == ("uux", "page", None):
                break
        return cause

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.rows]

    def as_text(self) -> list[str]:
        """Return one line per message, for a terminal or a bug report."""
        return [_line(row) for row in self.rows]

    def as_mermaid(self) -> str:
        """Return a Mermaid sequence diagram."""
        lines = [
            "sequenceDiagram",
            *(f"    participant {party} as {label}" for party, label in PARTIES.items()),
        ]
        for row in self.rows:
            arrow = "--x" if row.state == "failed" else "->>"
            step = f"{row.step}. " if row.step else ""
            said = f"{step}{row.what}{f' (x {row.count})' if row.count > 1 else ''}"
            lines.append(f"    {row.sender}{arrow}{row.receiver}: {_mermaid_text(said)}")
            if row.why:
                lines.append(f"    Note over {row.sender},{row.receiver}: {_mermaid_text(row.why)}")
        return "\n".join(lines) + "\n"

    def _settle(self, row: Row, why: str, took: float | None) -> None:
        row.took, row.state, row.why = took, "failed" if why else "ok", why
        place = self._place(row)
        if place and _are_equal(self.rows[place - 1], row):
            before = self.rows[place - 1]
            before.count, before.took = before.count + 1, took
            del self.rows[place]
            self._gone(row.index)
            row = before
        self._change(row)

    def _change(self, row: Row) -> None:
        if self._place(row) is not None:
            self._changed(row)

    def _place(self, row: Row) -> int | None:
        """Return the index of *row*; None if it belongs to an old sequence. Search from the end, where most rows change."""
        for place in range(len(self.rows) - 1, -1, -1):
            if self.rows[place] is row:
                return place
        return None


def _mermaid_text(text: str) -> str:
    """Return *text* without the characters that have a meaning in a diagram's message."""
    return "".join(f"#{ord(each)};" if each in "#;<>" else each for each in " ".join(text.split()))


def _are_equal(first: Row, second: Row) -> bool:
    """Whether two messages differ in their times only. Each of the eight steps keeps its own row."""

    def key(row: Row) -> tuple[Any, ...]:
        return row.step, row.sender, row.receiver, row.what, row.payload, row.answer, row.state, row.why

    return first.step is None and first.state != "running" and key(first) == key(second)


def _line(row: Row) -> str:
    way = f"{PARTIES[row.sender]} → {PARTIES[row.receiver]}"
    took = "" if row.took is None else f"{row.took * 1000:.0f} ms"
    what = row.what if row.count == 1 else f"{row.what} (x {row.count})"
    line = f"{row.step or '·':>3}  +{row.at:7.3f} s  {way:<22} {what:<44} {took:>8}"
    return f"{line.rstrip()}  FAILED: {row.why}" if row.why else line.rstrip()
