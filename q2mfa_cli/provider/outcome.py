"""The result of one check of a provider."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SEVERITIES = ("info", "low", "medium", "high", "critical")
"""From the lowest to the highest. With ``high`` or ``critical``, no customer can log in."""


class Kind(Enum):
    PASSED = "passed"
    FOUND = "found"
    UNKNOWN = "unknown"  # the provider does not say
    SKIPPED = "skipped"  # not checked, or not applicable
    INFO = "info"


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check.

    :param text: One sentence that states the fact, without advice.
    :param severity: The severity of a finding; empty for that of the check.
    :param remedy: The remedy of a finding; empty for that of the check.
    :param seen_at: The URL that shows the fact; empty if there is none.
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
    """Return *text*, which a provider sent, in a form that is safe for a terminal, with at most *length* characters."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def listed(values: list[str]) -> str:
    """Return *values*, which a provider sent, as a list for a sentence. It names at most eight and counts the others."""
    shown = [printable(value, 60) for value in values[:8]]
    return ", ".join(shown) + (f" and {len(values) - 8} more" if len(values) > 8 else "")
