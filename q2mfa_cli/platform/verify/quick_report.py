"""The report of a check, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What came of one attempt.

    :param failure: what went wrong; empty if nothing. :param refusal: how the attempt was refused.
    :param not_tried: why it was not tried; empty if it was. :param sequence: who called whom, line by line; empty if it is not worth showing.
    """

    workflow: str
    attempt: str
    failure: str
    refusal: str
    sequence: Sequence[str]
    not_tried: str = ""

    @property
    def verdict(self) -> str:
        return "not tried" if self.not_tried else "FAILED" if self.failure else "ok"


def lines(finding: Finding) -> Iterator[str]:
    for line in finding.sequence:
        yield f"  {line}"
    detail = finding.not_tried or finding.failure or finding.refusal
    yield f"  {finding.verdict:<6} {finding.attempt}{f' ({detail})' if detail else ''}"


def summary(findings: Sequence[Finding]) -> str:
    passed, failed, not_tried = (
        sum(finding.verdict == verdict for finding in findings) for verdict in ("ok", "FAILED", "not tried")
    )
    return f"{passed} passed, {failed} failed" + (f", {not_tried} not tried" if not_tried else "")
