"""The report of a check, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What came of one attempt.

    :param failure: what went wrong; empty if nothing. :param refusal: how the attempt was refused.
    :param sequence: who called whom, line by line; empty if it is not worth showing.
    """

    workflow: str
    attempt: str
    failure: str
    refusal: str
    sequence: Sequence[str]


def lines(finding: Finding) -> Iterator[str]:
    for line in finding.sequence:
        yield f"  {line}"
    detail = finding.failure or finding.refusal
    yield f"  {'FAILED' if finding.failure else 'ok':<6} {finding.attempt}{f' ({detail})' if detail else ''}"


def summary(findings: Sequence[Finding]) -> str:
    failed = sum(1 for finding in findings if finding.failure)
    return f"{len(findings) - failed} passed, {failed} failed"
