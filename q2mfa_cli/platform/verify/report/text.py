"""The report as text, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify.check import QUICK, Severity
from q2mfa_cli.platform.verify.report import NOT_SHOWN
from q2mfa_cli.platform.verify.results import Finding, Report, Verdict

LABELS = {workflow.id: workflow.label for workflow in WORKFLOWS}
KINDS = {each.id: f"{each.label} integration" for each in INTEGRATIONS} | {"own": "hand-written"}


def as_text(reports: Sequence[Report], least: Severity) -> str:
    """Return the findings of *least* severity or more, and the verdict of every check."""
    lines = [line for report in reports for line in _report(report, least)]
    return "\n".join([*lines, "Not covered by local checks:", *(f"  - {each}" for each in NOT_SHOWN)])


def _report(report: Report, least: Severity) -> Iterator[str]:
    kind = f", {KINDS[report.kind]}" if report.kind else ""
    # Dynamic checks run in a workflow.
    ran = any(outcome.workflow for outcome in report.outcomes)
    how = "on a fake platform: no Q2 system is involved" if ran else "source only: its code did not run"
    yield f"{report.name}{kind}, profile {report.profile} ({how})."
    yield from report.notes
    yield ""
    for finding in report.open:
        if finding.severity >= least:
            yield from finding_lines(finding, report.name)
            yield ""
    if report.profile == QUICK:
        for workflow, sequence in report.sequences.items():
            yield f"{LABELS[workflow]}: the right user completes MFA"
            yield from (f"  {line}" for line in sequence)
            yield ""
    yield from _verdicts(report)
    yield ""


def finding_lines(finding: Finding, name: str) -> Iterator[str]:
    """Yield the lines of one finding: message, location, source line, and remedy."""
    check, place = finding.check, finding.location
    yield f"{finding.severity.label}[{check.id}]: {finding.message}"
    number = str(place.line)
    margin = " " * len(number)
    yield f"{margin}--> {place.path}:{place.line}:{place.column}"
    if place.source.strip():
        yield f"{margin} |"
        yield f"{number} | {place.source.rstrip()}"
        yield f"{margin} |"
    if finding.workflows:
        yield f"{margin} = note: seen in {', '.join(LABELS[each] for each in finding.workflows)}"
    if finding.sequence:
        yield f"{margin} = note: sequence"
        yield from (f"{margin}     {line}" for line in finding.sequence)
    yield f"{margin} = source: {'; '.join(check.sources)}"
    yield f"{margin} = help: {check.remedy}"
    yield f"{margin} = explain: q2mfa explain {check.id}"
    yield f"{margin} = repeat: {repeat(finding, name)}"


def repeat(finding: Finding, name: str) -> str:
    """Return the command that checks for *finding* only."""
    how = f"--workflow {finding.workflows[0]}" if finding.workflows else "--static-only"
    return f"q2mfa verify {name} --check {finding.check.id} {how}"


def _verdicts(report: Report) -> Iterator[str]:
    passes = report.count(Verdict.PASSED)
    counts = [f"{passes} check{'s' if passes != 1 else ''} passed", f"{report.count(Verdict.FAILED)} failed"]
    for verdict in (Verdict.NOT_APPLICABLE, Verdict.SKIPPED):
        if count := report.count(verdict):
            counts.append(f"{count} {verdict.value}")
    yield f"{', '.join(counts)}."
    passed = [identifier for identifier, (each, _) in report.verdicts().items() if each is Verdict.PASSED]
    if passed:
        yield f"passed: {', '.join(passed)}"
    for verdict in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE):
        ids: dict[str, list[str]] = {}
        for identifier, (each, reasons) in report.verdicts().items():
            if each is verdict:
                ids.setdefault(" ".join(reasons), []).append(identifier)
        for reason, checks in ids.items():
            yield f"{verdict.value}: {', '.join(checks)}: {reason}"
    suppressed = len(report.findings) - len(report.open)
    if suppressed:
        yield f"{suppressed} finding{'s' if suppressed > 1 else ''} suppressed by ignore comments or the baseline."
