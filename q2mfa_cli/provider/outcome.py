"""The result of one check of a provider."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SEVERITIES = ("info", "low", "medium", "high", "critical")
"""From the least to the most severe. From ``high`` on, no customer can log in."""


class Kind(Enum):
    PASSED = "passed"
    FOUND = "found"
    UNKNOWN = "unknown"  # the provider does not say
    SKIPPED = "skipped"  # not checked, or not applicable
    INFO = "info"


@dataclass(frozen=True)
class Outcome:
    """What a check says.

    :param text: A whole sentence that states the fact, not the advice.
    :param severity: Of what was found, if it is not the check's own.
    :param remedy: If it is not the check's own.
    :param seen_at: The URL at which it was seen.
    """

    kind: Kind
    text: str
    severity: str = ""
    remedy: str = ""
    seen_at: str = ""


def passed(text: str) -> Outcome:
    return Outcome(Kind.PASSED, text)


def found(text: str, severity: str = "", remedy: str = "", seen_at: str = "") -> Outcome:
    assert severity in ("", *SEVERITIES)
    return Outcome(Kind.FOUND, text, severity, remedy, seen_at)


def unknown(text: str, remedy: str = "") -> Outcome:
    return Outcome(Kind.UNKNOWN, text, remedy=remedy)


def skipped(text: str) -> Outcome:
    return Outcome(Kind.SKIPPED, text)


def info(text: str) -> Outcome:
    return Outcome(Kind.INFO, text)


def printable(text: str, length: int) -> str:
    """Return *text* from the provider, safe for a terminal: printable, and at most *length* characters."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def listed(values: list[str]) -> str:
    """Return *values* from the provider, for a sentence: at most eight of them."""
    shown = [printable(value, 60) for value in values[:8]]
    return ", ".join(shown) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
