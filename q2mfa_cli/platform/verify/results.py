"""The results of a run: each check's outcome, and the findings."""

from __future__ import annotations

import enum
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from q2mfa_cli.platform.verify.check import Check, Location, Problem, Severity


class Verdict(enum.Enum):
    """The verdict of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check in one workflow.

    :param workflow: its id; empty for a static check. :param reason: why it is skipped or not applicable.
    """

    check: Check
    workflow: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class Suppression:
    """Why a finding does not count.

    :param kind: ``"inSource"`` for an ignore comment, ``"external"`` for a baseline.
    """

    kind: str
    justification: str


@dataclass(frozen=True)
class Finding:
    """One finding. The same problem in several workflows is a single finding.

    :param workflows: their ids. :param fingerprint: identifies the finding across runs, even if its line moves.
    :param suppression: why it does not count; None if it does.
    """

    check: Check
    severity: Severity
    message: str
    location: Location
    workflows: tuple[str, ...] = ()
    sequence: tuple[str, ...] = ()
    fingerprint: str = ""
    suppression: Suppression | None = None


@dataclass(frozen=True)
class Report:
    """The report of ``q2mfa verify`` on one extension.

    :param notes: what the extension was given for this run only, one sentence each.
    :param sequences: the calls, one line each, by the ID of each workflow that the right user completes.
    """

    name: str
    kind: str
    profile: str
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    sequences: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that are not suppressed."""
        return tuple(each for each in self.findings if each.suppression is None)

    def is_failed(self, least: Severity) -> bool:
        """Return whether a finding has at least the severity *least*."""
        return any(finding.severity >= least for finding in self.open)

    def verdicts(self) -> dict[str, tuple[Verdict, tuple[str, ...]]]:
        """Return the verdict of each selected check over all its runs, and the reasons of inconclusive runs, by the check's ID.

        A check has passed if one run has and none was skipped.
        """
        runs: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            runs.setdefault(outcome.check.id, []).append(outcome)
        order = (Verdict.FAILED, Verdict.SKIPPED, Verdict.PASSED, Verdict.NOT_APPLICABLE)
        found = {}
        for identifier, outcomes in runs.items():
            verdict = next(each for each in order if any(outcome.verdict is each for outcome in outcomes))
            reasons = [
                outcome.reason for outcome in outcomes if outcome.verdict is verdict and outcome.reason
            ]
            found[identifier] = verdict, tuple(dict.fromkeys(reasons))
        return found

    def count(self, verdict: Verdict) -> int:
        return sum(each is verdict for each, _ in self.verdicts().values())


@dataclass
class FoundProblems:
    """The problems of a run, in the order of discovery."""

    profile: str
    found: list[tuple[Check, Problem, str]] = field(default_factory=list)

    def add(self, check: Check, problems: Iterable[Problem], workflow: str = "") -> int:
        """Add the problems that *check* found. Return their number."""
        new = [(check, problem, workflow) for problem in problems]
        self.found += new
        return len(new)

    def findings(self) -> tuple[Finding, ...]:
        """Merge the problems of several workflows. Sort them by severity, then by location."""
        merged: dict[tuple[str, Location, str], Finding] = {}
        for check, problem, workflow in self.found:
            severity = problem.severity if problem.severity is not None else check.severity_in(self.profile)
            key = check.id, problem.location, problem.message
            workflows = (workflow,) if workflow else ()
            if key in merged:
                before = merged[key]
                merged[key] = replace(before, workflows=tuple(dict.fromkeys((*before.workflows, *workflows))))
            else:
                merged[key] = Finding(
                    check,
                    severity or Severity.NOTE,
                    problem.message,
                    problem.location,
                    workflows,
                    tuple(problem.sequence),
                )
        ordered = sorted(
            merged.values(), key=lambda each: (-each.severity, each.location, each.check.id, each.message)
        )
        return _with_fingerprints(ordered)


def _with_fingerprints(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return *findings*, each with a fingerprint. It contains no line number, so it survives edits elsewhere in the file."""
    seen: Counter[str] = Counter()
    named = []
    for finding in findings:
        line = "".join(finding.location.source.split())
        text = f"{finding.check.id}\n{finding.location.path}\n{line}\n{finding.message}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        seen[digest] += 1
        named.append(replace(finding, fingerprint=f"{digest}:{seen[digest]}"))
    return tuple(named)


def digest_of(finding: Finding) -> str:
    """Return the fingerprint without the number that distinguishes equal findings."""
    return finding.fingerprint.partition(":")[0]
