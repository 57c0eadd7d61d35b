"""The sequence of one challenge: who called whom, when, with what, and how it ended; its eight steps are the seed's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Who takes part, in the order in which they are drawn.
PARTIES = {"page": "Page", "extension": "Extension", "uux": "UUX", "hq": "HQ", "idp": "Provider"}

# The eight steps of External MFA [seed]: number, from, to, what.
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

MASK = "••••••"

# Fields whose text says something and proves nothing; all others are masked.
SHOWN = {
    *("purpose", "error", "error_description", "iss", "status", "exit", "provider", "host", "endpoint"),
    *("user", "typed", "by", "client_id", "redirect_uri", "response_type", "scope", "prompt", "max_age"),
    *("acr_values", "login_hint", "code_challenge_method"),
}


@dataclass
class Row:
    """One message of the sequence.

    :param step: 1 to 8; None for a message around the eight steps. :param at: seconds since the challenge began.
    :param took: seconds until it was answered, once it is. :param state: running, ok or failed. :param payload: what was sent, masked.
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


@dataclass
class Trace:
    """The rows of one challenge, in the order in which they began; listeners are told of every change."""

    rows: list[Row] = field(default_factory=list)
    listeners: set[Callable[[dict[str, Any]], None]] = field(default_factory=set)
    _began: float = field(default_factory=time.perf_counter)

    def begin(
        self, sender: str, receiver: str, what: str, payload: Any = None, step: int | None = None
    ) -> Row:
        """A message is on its way."""
        row = Row(
            len(self.rows), step, sender, receiver, what, time.perf_counter() - self._began, masked(payload)
        )
        self.rows.append(row)
        self._tell(row)
        return row

    def end(self, row: Row, why: str = "") -> None:
        """It has been answered; *why* says why it failed."""
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
        """A message that has been answered already, or is an answer itself (*took* is None)."""
        row = self.begin(sender, receiver, what, payload, step)
        row.at = max(0.0, row.at - (took or 0.0))
        self._settle(row, why, took)

    def number(self, row: Row, step: int) -> None:
        """*row* turns out to have been one of the eight steps."""
        row.step = step
        self._tell(row)

    @contextmanager
    def listening(self, listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Tell *listener* of every row there is and of each change."""
        for row in self.rows:
            listener(asdict(row))
        self.listeners.add(listener)
        try:
            yield
        finally:
            self.listeners.discard(listener)

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.rows]

    def as_text(self) -> list[str]:
        """A line a message, for a terminal or a bug report."""
        return [_line(row) for row in self.rows]

    def _settle(self, row: Row, why: str, took: float | None) -> None:
        row.took, row.state, row.why = took, "failed" if why else "ok", why
        self._tell(row)

    def _tell(self, row: Row) -> None:
        for listener in list(self.listeners):
            listener(asdict(row))


def _line(row: Row) -> str:
    way = f"{PARTIES[row.sender]} → {PARTIES[row.receiver]}"
    took = "" if row.took is None else f"{row.took * 1000:.0f} ms"
    line = f"{row.step or '·':>3}  +{row.at:7.3f} s  {way:<22} {row.what:<44} {took:>8}"
    return f"{line.rstrip()}  FAILED: {row.why}" if row.why else line.rstrip()


def masked(value: Any, shown: bool = False) -> Any:
    """*value* with every text masked that is not known to prove nothing: a token must not end up in a bug report."""
    if isinstance(value, Mapping):
        return {str(key): masked(item, key in SHOWN) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, shown) for item in value]
    if not isinstance(value, str) or shown:
        return value
    address = urlsplit(value)
    if address.scheme in ("http", "https") and address.netloc:
        return masked_url(value)
    # The embedded provider masks what it tells, and with it the length.
    return MASK if not value.strip("*") else f"{MASK} ({len(value)} characters)"


def masked_url(url: str) -> str:
    """*url* with the values of its query masked: state, code and request_uri are among them."""
    address = urlsplit(url)
    names = "&".join(f"{name}={MASK}" for name, _ in parse_qsl(address.query, keep_blank_values=True))
    return f"{address.scheme}://{address.netloc}{address.path}{'?' + names if names else ''}"
