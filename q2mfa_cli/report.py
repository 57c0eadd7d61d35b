"""What was done, or would be: as text for a person, or as one JSON object for a script."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

from q2mfa_cli.errors import REPORT_FORMAT
from q2mfa_cli.plan import Action, ExtensionPlan, Plan, diff

RENDERING_LABELS = {"ssr": "server-side rendered", "csr": "client-side rendered"}
MARKS = {Action.CREATE: "+", Action.EDIT: "~", Action.KEEP: "=", Action.REMOVE: "-"}
# The next steps name the first extensions of a batch, and count the others.
NAMED = 3


def as_json(plan: Plan, dry_run: bool) -> str:
    """Return the object that ``docs/create-report.schema.json`` describes, on one line."""
    return json.dumps(
        {
            "format": REPORT_FORMAT,
            "status": _status(plan, dry_run),
            "extensions": [_extension(each) for each in plan.extensions],
            "next_steps": next_steps(plan),
            "error": None,
        }
    )


def as_text(plan: Plan, dry_run: bool) -> str:
    """Return the report for a person. It ends with the next steps."""
    headings = {"created": "Created", "planned": "Would create", "unchanged": "Already there, unchanged:"}
    heading = headings[_status(plan, dry_run)]
    lines = []
    for extension in plan.extensions:
        request = extension.request
        kind = f"External MFA, {request.integration.label}, {RENDERING_LABELS[request.rendering]}"
        lines += [f"{heading} {request.name} ({kind})", ""]
        files = sorted(
            (file.path, file.action) for file in (*extension.files, *extension.touched) if file.changes
        )
        lines += [f"  {MARKS[action]} {path}" for path, action in files]
        same = len(extension.paths(Action.KEEP))
        if same:
            lines.append(f"  {MARKS[Action.KEEP]} {same} file{'s' if same > 1 else ''} unchanged")
        lines.append("")
    lines.append(f"in {plan.workspace.root}")
    if dry_run:
        changes = diff(plan)
        lines += ["", changes.rstrip("\n")] if changes else []
        lines += ["", "Nothing was written (--dry-run)."]
    lines += ["", "Next steps:"]
    lines += [f"  {number}. {step}" for number, step in enumerate(next_steps(plan), 1)]
    return "\n".join(lines)


def next_steps(plan: Plan) -> list[str]:
    """Return what is left to do, in order: each a sentence, or a command after a colon."""
    requests = [each.request for each in plan.extensions]
    first, others = requests[:NAMED], len(requests) - NAMED
    root, joining = plan.workspace.root, plan.registration
    leftovers = [path for each in plan.extensions for path in each.leftovers]
    steps = [] if _is_current(root) else [f"Go to the workspace: cd {shlex.quote(str(root))}"]
    steps += joining.steps
    steps += [f"Delete what is left of another variant, unless you need it: {path}" for path in leftovers]
    for request in first:
        steps += [*request.notes, *request.integration.to_fill_in(request.answers)]
    if others > 0:
        steps.append(f"Do the same for the other {others} extensions")
    steps += [f"Install what they need: {joining.install}"] if joining.install else []
    steps += [f"Run the generated tests: q2mfa test {request.name}" for request in first]
    steps += [f"See it at work: q2mfa preview {request.name}" for request in first[:1]]
    if others > 0:
        steps.append(f"Run the tests of the other {others} extensions likewise: q2mfa test NAME")
    return [*steps, "Install in the sandbox: q2 install", "Run: q2 run"]


def _status(plan: Plan, dry_run: bool) -> str:
    if not plan.changes:
        return "unchanged"
    return "planned" if dry_run else "created"


def _extension(plan: ExtensionPlan) -> dict[str, Any]:
    return {
        "name": plan.request.name,
        "rendering": plan.request.rendering,
        "mfa": plan.request.integration.id,
        **{action.value: plan.paths(action) for action in MARKS},
    }


def _is_current(folder: Path) -> bool:
    try:
        return os.path.samefile(folder, os.curdir)
    except OSError:
        # The folder of a dry run, or the current one, may not exist.
        return False
