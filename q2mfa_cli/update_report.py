"""The reports of ``q2mfa update``, ``remove`` and ``list``: text for people, or one JSON object for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from q2mfa_cli import __version__
from q2mfa_cli.changelog import security_fixes
from q2mfa_cli.errors import REPORT_FORMAT
from q2mfa_cli.inventory import Extension, State
from q2mfa_cli.update_plan import ExtensionUpdate, FileUpdate, Outcome, UpdatePlan, conflict_text, diff

MARKS = {
    Outcome.CREATED: "+",
    Outcome.UPDATED: "~",
    Outcome.MERGED: "~",
    Outcome.THEIRS: "~",
    Outcome.REMOVED: "-",
    Outcome.MARKED: "!",
    Outcome.BESIDE: "!",
    Outcome.CONFLICT: "!",
}
TEXTS = {
    Outcome.CREATED: "new",
    Outcome.UPDATED: "updated",
    Outcome.MERGED: "merged with your edits",
    Outcome.REMOVED: "removed",
    Outcome.KEPT: "kept",
    Outcome.DELETED: "stays deleted",
    Outcome.OURS: "your version is kept",
    Outcome.THEIRS: "replaced by the new version",
    Outcome.MARKED: "now has conflict markers",
    Outcome.BESIDE: "your version is kept",
    Outcome.CONFLICT: "conflict",
}
STATES = {
    State.CURRENT: "current",
    State.BEHIND: "behind",
    State.UNRESOLVED: "has conflicts to resolve",
    State.UNRECORDED: "has no record",
    State.MISSING: "its folder is gone",
    State.UNUSABLE: "its record cannot be used",
}


def as_json(plan: UpdatePlan, dry_run: bool) -> dict[str, Any]:
    """Return the object that ``docs/update-report.schema.json`` describes."""
    return {
        "format": REPORT_FORMAT,
        "status": _status(plan, dry_run),
        "extensions": [_extension(plan, each) for each in plan.extensions],
        "next_steps": next_steps(plan),
        "error": None,
    }


def as_text(plan: UpdatePlan, dry_run: bool) -> str:
    """Return the report for a person."""
    lines = [] if plan.extensions else ["Nothing to do: there is no such extension here."]
    for extension in plan.extensions:
        if lines:
            lines.append("")
        lines.append(_heading(plan, extension, dry_run))
        if security := _security(plan, extension):
            lines += ["", "  Security fixes:", *(f"  * {fix}" for fix in security)]
        named = [file for file in extension.files if _is_named(file)]
        lines += ["", *map(_line, named)] if named else []
        same = len(extension.files) - len(named)
        if named and same and not plan.is_removal:
            lines.append(f"  = {same} file{'s' if same > 1 else ''} unchanged")
    lines += ["", *map(_line, plan.edits)] if plan.edits else []
    lines += ["", f"in {plan.workspace.root}"]
    changes = diff(plan) if dry_run else "".join(map(conflict_text, plan.conflicts))
    lines += ["", changes.rstrip("\n")] if changes else []
    if dry_run:
        lines += ["", "Nothing was written (--dry-run)."]
    if steps := next_steps(plan):
        lines += ["", "Next steps:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]
    return "\n".join(lines)


def next_steps(plan: UpdatePlan) -> list[str]:
    """Return the next steps, in order."""
    steps = list(plan.registration.steps)
    if plan.is_removal or plan.conflicts:
        return steps
    updated = [extension for extension in plan.extensions if not extension.is_current]
    steps += [f"Resolve the conflict in {file.path}" for file in plan.open]
    if plan.registration.edits and plan.registration.install:
        steps.append(f"Install the requirements: {plan.registration.install}")
    return steps + [f"Run the generated tests: q2mfa test {extension.name}" for extension in updated]


def inventory_as_json(extensions: Sequence[Extension], status: str) -> dict[str, Any]:
    """Return the object that ``docs/list-report.schema.json`` describes."""
    return {
        "format": REPORT_FORMAT,
        "status": status,
        "extensions": [
            {
                "name": each.name,
                "mfa": each.mfa,
                "rendering": each.rendering,
                "version": each.version,
                "state": each.state.value,
                "detail": each.detail,
                "security": list(each.security),
            }
            for each in extensions
        ],
        "next_steps": [],
        "error": None,
    }


def inventory_as_text(root: Path, extensions: Sequence[Extension]) -> str:
    """Return a table of extensions for a person, and the security fixes that they miss."""
    if not extensions:
        return f"No External MFA extensions in {root}."
    rows = [
        (each.name, each.mfa, each.rendering or "?", each.version or "?", STATES[each.state])
        for each in extensions
    ]
    titles = ("NAME", "MFA", "RENDERING", "VERSION", "STATE")
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    lines = [line(titles), *map(line, rows)]
    by_fix: dict[str, list[str]] = {}
    for each in extensions:
        for fix in each.security:
            by_fix.setdefault(fix, []).append(each.name)
    if by_fix:
        lines += ["", "Security fixes that an update installs:"]
        lines += [f"  * {fix}: {', '.join(names)}" for fix, names in by_fix.items()]
    behind = [each.name for each in extensions if each.state is State.BEHIND]
    if behind:
        lines += ["", f"Update: q2mfa update {behind[0] if len(behind) == 1 else '--all'}"]
    others = [each for each in extensions if each.detail]
    return "\n".join([*lines, *([""] if others else []), *(f"{each.name}: {each.detail}" for each in others)])


def _heading(plan: UpdatePlan, extension: ExtensionUpdate, dry_run: bool) -> str:
    name, version = extension.name, extension.recorded.version
    if plan.is_removal:
        return f"{'Would remove' if dry_run else 'Removed'} {name} (generated by q2mfa {version})"
    if extension.is_adopted:
        return f"{'Would record' if dry_run else 'Recorded'} {name} as generated by q2mfa {version}"
    if extension.is_current:
        return f"{name} is up to date (generated by q2mfa {version})"
    if plan.conflicts:
        return f"{name} is not updated (generated by q2mfa {version}; this is {__version__})"
    return f"{'Would update' if dry_run else 'Updated'} {name} from q2mfa {version} to {__version__}"


def _is_named(file: FileUpdate) -> bool:
    return file.changes or (
        file.outcome is not Outcome.UNCHANGED
        and bool(file.note or file.outcome in TEXTS)
        and not (file.outcome is Outcome.DELETED and not file.note)
    )


def _line(file: FileUpdate) -> str:
    note = f": {file.note}" if file.note else ""
    return f"  {MARKS.get(file.outcome, '=')} {file.path}  ({TEXTS[file.outcome]}{note})"


def _security(plan: UpdatePlan, extension: ExtensionUpdate) -> list[str]:
    if plan.is_removal or extension.is_current or extension.is_adopted:
        return []
    return security_fixes(extension.recorded.version, extension.recorded.request().integration)


def _status(plan: UpdatePlan, dry_run: bool) -> str:
    if plan.conflicts or plan.open:
        return "conflict"
    if not plan.changes:
        return "unchanged"
    if dry_run:
        return "planned"
    return "removed" if plan.is_removal else "updated"


def _extension(plan: UpdatePlan, extension: ExtensionUpdate) -> dict[str, Any]:
    files = [*extension.files, *(edit for edit in plan.edits if _concerns(plan, extension, edit))]
    return {
        "name": extension.name,
        "from": None if extension.is_adopted else extension.recorded.version,
        "to": None if plan.is_removal else extension.record.version,
        "files": [
            {"path": file.path, "outcome": file.outcome.value, "note": file.note}
            for file in files
            if _is_named(file)
        ],
        "security": _security(plan, extension),
    }


def _concerns(plan: UpdatePlan, extension: ExtensionUpdate, edit: FileUpdate) -> bool:
    return plan.is_removal or edit.path in plan.registration.touched.get(extension.name, ())
