"""The report as SARIF 2.1.0, with the properties that GitHub's code scanning requires."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from q2mfa_cli import __version__
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify.check import Check, Severity
from q2mfa_cli.platform.verify.report.text import repeat
from q2mfa_cli.platform.verify.results import Finding, Outcome, Report, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NOTE: "note",
}
# GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0, low from 0.1.
SECURITY_SEVERITIES = {
    Severity.CRITICAL: "9.3",
    Severity.HIGH: "7.5",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "3.0",
    Severity.NOTE: "0.1",
}
LABELS = {workflow.id: workflow.label for workflow in WORKFLOWS}
CWE = re.compile(r"CWE-(\d+)")


def as_sarif(reports: Sequence[Report]) -> str:
    """Return the document, one run per report. It includes suppressed findings, and the checks that did not run, with reasons."""
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report) for report in reports]}
    return json.dumps(document, indent=2)


def _run(report: Report) -> dict[str, Any]:
    checks = {outcome.check.id: outcome.check for outcome in report.outcomes}
    checks |= {finding.check.id: finding.check for finding in report.findings}
    index = {identifier: number for number, identifier in enumerate(checks)}
    return {
        "tool": {
            "driver": {
                "name": "q2mfa",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(check, report.profile) for check in checks.values()],
            }
        },
        "automationDetails": {"id": f"q2mfa/{report.name}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": list(_notifications(report.outcomes, index)),
            }
        ],
        "results": [_result(finding, report.name, index[finding.check.id]) for finding in report.findings],
        "properties": {"profile": report.profile},
    }


def _rule(check: Check, profile: str) -> dict[str, Any]:
    severity = check.severity_in(profile) or Severity.NOTE
    tags = [
        "security",
        *(f"external/cwe/cwe-{int(number):03}" for number in CWE.findall(" ".join(check.sources))),
    ]
    text = f"{check.requirement} {check.risk} {check.remedy}"
    examples = "".join(
        f"\n\n**{label}**\n\n```\n{example.strip()}\n```"
        for label, example in (("Wrong", check.wrong), ("Right", check.right))
        if example
    )
    return {
        "id": check.id,
        "name": "".join(part.capitalize() for part in check.id.split("-")),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": f"{check.requirement} {check.risk}"},
        "help": {
            "text": f"{text} Sources: {'; '.join(check.sources)}.",
            "markdown": f"{check.requirement}\n\n**Risk.** {check.risk}\n\n**Remedy.** {check.remedy}\n\n"
            f"**Sources.** {'; '.join(check.sources)}{examples}",
        },
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {
            "precision": check.precision.value,
            "problem.severity": {"note": "recommendation"}.get(LEVELS[severity], LEVELS[severity]),
            "security-severity": SECURITY_SEVERITIES[severity],
            "tags": tags[:10],
        },
    }


def _result(finding: Finding, name: str, index: int) -> dict[str, Any]:
    place = finding.location
    end = max(len(place.source), place.column) + 1
    region: dict[str, Any] = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line,
        "endColumn": end,
    }
    if place.source:
        region["snippet"] = {"text": place.source}
    result: dict[str, Any] = {
        "ruleId": finding.check.id,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": quote(place.path)}, "region": region}}
        ],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint},
        "properties": {
            "security-severity": SECURITY_SEVERITIES[finding.severity],
            "repeat": repeat(finding, name),
        },
    }
    if finding.workflows:
        result["properties"]["workflows"] = [LABELS[each] for each in finding.workflows]
    if finding.sequence:
        result["properties"]["sequence"] = list(finding.sequence)
    if finding.suppression is not None:
        result["suppressions"] = [
            {
                "kind": finding.suppression.kind,
                "status": "accepted",
                "justification": finding.suppression.justification,
            }
        ]
    return result


def _notifications(outcomes: Sequence[Outcome], index: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the checks that did not run, so that readers do not count them as passed."""
    for outcome in outcomes:
        if outcome.verdict in (Verdict.SKIPPED, Verdict.NOT_APPLICABLE):
            workflow = f" ({LABELS[outcome.workflow]})" if outcome.workflow else ""
            yield {
                "level": "warning" if outcome.verdict is Verdict.SKIPPED else "note",
                "message": {
                    "text": f"{outcome.check.id}{workflow}: {outcome.verdict.value}: {outcome.reason}"
                },
                "associatedRule": {"id": outcome.check.id, "index": index[outcome.check.id]},
            }
