"""The report as one JSON object. ``docs/verify-report.schema.json`` is its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from q2mfa_cli.errors import REPORT_FORMAT
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify.check import PROFILES, Severity
from q2mfa_cli.platform.verify.report import NOT_SHOWN
from q2mfa_cli.platform.verify.results import Finding, Report, Verdict
from q2mfa_cli.platform.verify.table import CHECKS

STATUSES = ("clean", "found", "error")


def as_json(reports: Sequence[Report], least: Severity = Severity.NOTE) -> str:
    """Return the report on one line, with the findings of *least* severity or more."""
    return json.dumps(
        {
            "format": REPORT_FORMAT,
            "status": "found" if any(report.open for report in reports) else "clean",
            "extensions": [_extension(report, least) for report in reports],
            "not_shown": list(NOT_SHOWN),
            "error": None,
        }
    )


def _extension(report: Report, least: Severity) -> dict[str, Any]:
    return {
        "name": report.name,
        "kind": report.kind,
        "profile": report.profile,
        "notes": list(report.notes),
        "checks": [
            {
                "id": outcome.check.id,
                "workflow": outcome.workflow or None,
                "verdict": outcome.verdict.value,
                "reason": outcome.reason or None,
            }
            for outcome in report.outcomes
        ],
        "findings": [_finding(finding) for finding in report.findings if finding.severity >= least],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    suppression = finding.suppression
    return {
        "id": finding.check.id,
        "severity": finding.severity.label,
        "precision": finding.check.precision.value,
        "message": finding.message,
        "remedy": finding.check.remedy,
        "sources": list(finding.check.sources),
        "path": finding.location.path,
        "line": finding.location.line,
        "column": finding.location.column,
        "source_line": finding.location.source,
        "workflows": list(finding.workflows),
        "sequence": list(finding.sequence),
        "fingerprint": finding.fingerprint,
        "suppression": suppression and {"kind": suppression.kind, "justification": suppression.justification},
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the report."""
    text, text_or_null = {"type": "string"}, {"type": ["string", "null"]}
    texts = {"type": "array", "items": text}
    position = {"type": "integer", "minimum": 1}
    identifier = {"enum": [check.id for check in CHECKS]}
    workflow = {"enum": [each.id for each in WORKFLOWS]}
    check = {
        "id": identifier,
        "workflow": {"enum": [*workflow["enum"], None]},
        "verdict": {"enum": [each.value for each in Verdict]},
        "reason": text_or_null,
    }
    suppression = {"kind": {"enum": ["inSource", "external"]}, "justification": text}
    finding = {
        "id": identifier,
        "severity": {"enum": [each.label for each in Severity]},
        "precision": {"enum": ["medium", "high", "very-high"]},
        "message": text,
        "remedy": text,
        "sources": texts,
        "path": text,
        "line": position,
        "column": position,
        "source_line": text,
        "workflows": {"type": "array", "items": workflow},
        "sequence": texts,
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}:[0-9]+$"},
        "suppression": {"oneOf": [{"type": "null"}, _object(suppression)]},
    }
    extension = {
        "name": text,
        "kind": {"enum": ["standard", "redirect", "own"]},
        "profile": {"enum": list(PROFILES)},
        "notes": texts,
        "checks": {"type": "array", "items": _object(check)},
        "findings": {"type": "array", "items": _object(finding)},
    }
    error = {"code": {"type": "string", "pattern": "^[a-z_]+$"}, "message": text, "hint": text}
    properties = {
        "format": {"const": REPORT_FORMAT},
        "status": {"enum": list(STATUSES)},
        "extensions": {"type": "array", "items": _object(extension)},
        "not_shown": texts,
        "error": {"oneOf": [{"type": "null"}, _object(error)]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `q2mfa verify --format json` prints: one object, on success and on failure",
        **_object(properties),
        "if": {"properties": {"status": {"const": "error"}}},
        "then": {"properties": {"error": {"type": "object"}}},
        "else": {"properties": {"error": {"type": "null"}}},
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }
