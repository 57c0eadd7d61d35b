"""The report as JUnit XML: one suite per extension, one case per check and workflow."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify.results import Finding, Outcome, Report, Verdict

LABELS = {workflow.id: workflow.label for workflow in WORKFLOWS} | {"": "source"}


def as_junit(reports: Sequence[Report]) -> str:
    """Return the document. A failed case has one ``failure`` per finding that is not suppressed."""
    suites = ElementTree.Element("testsuites", name="q2mfa verify")
    for report in reports:
        suites.append(_suite(report))
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, "unicode")


def _suite(report: Report) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=report.name)
    failures = skipped = 0
    for outcome in report.outcomes:
        found = [finding for finding in report.open if _is_of(finding, outcome)]
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"{report.name}.{LABELS[outcome.workflow]}", name=outcome.check.id
        )
        if found:
            case.set("file", found[0].location.path)
            case.set("line", str(found[0].location.line))
        for finding in found:
            failure = ElementTree.SubElement(
                case, "failure", type=finding.severity.label, message=_valid(finding.message)
            )
            place = f"{finding.location.path}:{finding.location.line}"
            failure.text = _valid("\n".join([place, finding.location.source, *finding.sequence]))
        failures += bool(found)
        if outcome.verdict in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE):
            reason = f"{outcome.verdict.value}: {outcome.reason}"
            ElementTree.SubElement(case, "skipped", message=_valid(reason))
            skipped += 1
    suite.set("tests", str(len(report.outcomes)))
    suite.set("failures", str(failures))
    suite.set("skipped", str(skipped))
    return suite


def _is_of(finding: Finding, outcome: Outcome) -> bool:
    is_seen_there = outcome.workflow in finding.workflows if finding.workflows else not outcome.workflow
    return finding.check.id == outcome.check.id and is_seen_there


def _valid(text: str) -> str:
    """Return *text* without the control characters that XML forbids."""
    return "".join(each if each.isprintable() or each in "\n\t" else "�" for each in text)
