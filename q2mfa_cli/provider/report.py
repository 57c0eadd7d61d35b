"""The report about a provider: text for people, or one JSON object for scripts."""

from __future__ import annotations

import json
from typing import Any

from q2mfa_cli.errors import REPORT_FORMAT
from q2mfa_cli.provider.checks import CHECKS
from q2mfa_cli.provider.judgment import Finding, Judgment, Verdict
from q2mfa_cli.provider.outcome import SEVERITIES, Kind

NOT_SEEN = (
    "Not checked: pages after the first login page, cookies in a real browser, and online banking itself."
)


def as_json(judgment: Judgment) -> str:
    """Return the object that ``docs/provider-report.schema.json`` describes, on one line."""
    return json.dumps(
        {
            "format": REPORT_FORMAT,
            "status": judgment.verdict.value,
            "issuer": judgment.seen.issuer,
            "vendor": judgment.vendor.name if judgment.vendor else None,
            "findings": [_finding(finding) for finding in judgment.findings],
            "outbound_hosts": judgment.outbound_hosts,
            "settings": dict(judgment.settings),
            "error": None,
        }
    )


def _finding(finding: Finding) -> dict[str, Any]:
    outcome = finding.outcome
    return {
        "id": finding.check.id,
        "outcome": outcome.kind.value,
        "severity": finding.severity if outcome.kind is Kind.FOUND else None,
        "message": outcome.text,
        "remedy": finding.remedy or None,
        "seen_at": outcome.seen_at or None,
        "source": finding.check.source,
    }


def as_text(judgment: Judgment, min_severity: str = SEVERITIES[0]) -> str:
    """Return the report for a person: the verdict, the findings, a summary of the other outcomes, and the settings.

    :param min_severity: The lowest severity of the findings to show.
    """
    vendor = f" ({judgment.vendor.name})" if judgment.vendor else ""
    lines = [f"{judgment.seen.issuer}{vendor}", judgment.sentence, ""]
    shown = [finding for finding in judgment.found if finding.is_at_least(min_severity)]
    for finding in shown:
        lines.append(f"{finding.severity}[{finding.check.id}]: {finding.outcome.text}")
        if finding.outcome.seen_at:
            lines.append(f"  seen at  {finding.outcome.seen_at}")
        label = "remedy " if not finding.impossible else "no fix "
        lines += [f"  {label}  {finding.remedy}", f"  source   {finding.check.source}", ""]
    if hidden := len(judgment.found) - len(shown):
        less = f"{hidden} finding{'' if hidden == 1 else 's'} below {min_severity}"
        lines += [f"{less} {'is' if hidden == 1 else 'are'} not shown.", ""]
    lines += _rest(judgment)
    lines += _configuration(judgment)
    return "\n".join([*lines, NOT_SEEN])


def _rest(judgment: Judgment) -> list[str]:
    """Return the outcomes other than findings. Checks with the same text, such as a reason to skip them, share a line."""
    ids: dict[tuple[Kind, str], list[str]] = {}
    for kind in (Kind.UNKNOWN, Kind.SKIPPED, Kind.INFO):
        for finding in judgment.of_kind(kind):
            text = f"{finding.outcome.text} {finding.remedy}".strip()
            ids.setdefault((kind, text), []).append(finding.check.id)
    lines = [f"{kind.value:<8} {', '.join(checks)}: {text}" for (kind, text), checks in ids.items()]
    passed = [finding.check.id for finding in judgment.of_kind(Kind.PASSED)]
    if passed:
        lines.append(f"passed   {', '.join(dict.fromkeys(passed))}")
    return [*lines, ""]


def _configuration(judgment: Judgment) -> list[str]:
    if not judgment.settings:
        return []
    hosts = ", ".join(json.dumps(host) for host in judgment.outbound_hosts)
    lines = ["configuration/settings.py:", f"  OUTBOUND_WHITELIST.extend([{hosts}])", ""]
    lines.append("configuration/<Name>.py:")
    lines += [f"  {name} = {_literal(value)}" for name, value in judgment.settings.items()]
    if judgment.other_origins:
        origins = ", ".join(json.dumps(origin) for origin in judgment.other_origins)
        lines.append(f'  FEATURE["additionalDomains"] += [{origins}]')
    return [*lines, ""]


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the report."""
    text_or_null = {"type": ["string", "null"]}
    finding = {
        "id": {"enum": [check.id for check in CHECKS]},
        "outcome": {"enum": [kind.value for kind in Kind]},
        "severity": {"enum": [*SEVERITIES[1:], None]},
        "message": {"type": "string"},
        "remedy": text_or_null,
        "seen_at": text_or_null,
        "source": {"type": "string"},
    }
    error = {
        "code": {"type": "string", "pattern": "^[a-z_]+$"},
        "message": {"type": "string"},
        "hint": {"type": "string"},
    }
    properties = {
        "format": {"const": REPORT_FORMAT},
        "status": {"enum": [*(verdict.value for verdict in Verdict), "error"]},
        "issuer": text_or_null,
        "vendor": text_or_null,
        "findings": {"type": "array", "items": _object(finding)},
        "outbound_hosts": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "settings": {"type": "object", "additionalProperties": {"type": ["string", "boolean"]}},
        "error": {"oneOf": [{"type": "null"}, _object(error)]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `q2mfa provider --format json` prints: one object, on success and on failure",
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
