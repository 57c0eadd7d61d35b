"""What was done, as text for a person or as one JSON object for a script."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from q2mfa_cli.commands.create import Result
from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.plan import ExtensionPlan, Fate
from q2mfa_cli.request import ExtensionRequest
from q2mfa_cli.workspace import REQUIREMENTS, SETTINGS

RENDERING_WORDS = {"ssr": "server-side rendered", "csr": "client-side rendered"}
MFA_WORDS = {"standard": "standard", "redirect": "redirect-based"}
MARKS = {Fate.CREATED: "+", Fate.EDITED: "~", Fate.UNCHANGED: "="}
# A batch names the first extensions in its next steps and counts the others.
NAMED = 3


def as_json(result: Result) -> Iterator[str]:
    """The object that ``docs/create-report.schema.json`` describes, on one line; in pieces, one an extension."""
    yield f'{{"status": {_dump(result.status)}, "extensions": ['
    for number, plan in enumerate(result.extensions):
        yield (", " if number else "") + _dump(_extension(plan))
    yield f'], "next_steps": {_dump(next_steps(result))}, "error": null}}\n'


def error_as_json(error: Q2mfaError) -> str:
    """The same object for a run that failed."""
    details = {"code": error.code, "message": error.message, "hint": error.hint}
    return _dump({"status": "error", "extensions": [], "next_steps": [], "error": details})


def as_text(result: Result) -> Iterator[str]:
    """The report for a person, ending with the next steps; in pieces, one an extension."""
    verb = {"created": "Created", "planned": "Would create", "unchanged": "Already there, unchanged:"}
    for plan in result.extensions:
        request = plan.request
        kind = f"External MFA, {MFA_WORDS[request.mfa]}, {RENDERING_WORDS[request.rendering]}"
        lines = [f"{verb[result.status]} {request.name} ({kind})", ""]
        shown = [(path, fate) for path, fate in sorted(plan.files.items()) if fate is not Fate.UNCHANGED]
        lines += [f"  {MARKS[fate]} {path}" for path, fate in shown]
        same = len(plan.files) - len(shown)
        if same:
            lines.append(f"  {MARKS[Fate.UNCHANGED]} {same} file{'s' if same > 1 else ''} unchanged")
        yield "\n".join([*lines, "", ""])
    lines = [f"in {result.root}"]
    if result.diff:
        lines += ["", result.diff.rstrip("\n")]
    if result.dry_run:
        lines += ["", "Nothing was written (--dry-run)."]
    lines += ["", "Next steps:"]
    lines += [f"  {number}. {step}" for number, step in enumerate(next_steps(result), 1)]
    yield "\n".join([*lines, ""])


def next_steps(result: Result) -> list[str]:
    """What is left to do, in order; each item one sentence or one command after a colon."""
    requests = [plan.request for plan in result.extensions]
    steps: list[str] = []
    if not _is_here(result.root):
        steps.append(f"Go to the workspace: cd {shlex.quote(str(result.root))}")
    manual = result.registration.manual
    if manual:
        why = result.registration.reason or (
            f"this folder has no {SETTINGS}, so it is no Q2 SDK workspace"
            if not result.is_workspace
            else f"{REQUIREMENTS} cannot be edited"
        )
        for path, lines in manual.items():
            steps.append(f"Add to {path} ({why}): {'; '.join(lines)}")
    steps += _to_fill_in(requests)
    steps.append("Install what they need: pip install -r requirements.txt")
    steps += [f"Run the generated tests: q2mfa test {request.name}" for request in requests[:NAMED]]
    steps += [f"See it at work: q2mfa preview {request.name}" for request in requests[:1]]
    if len(requests) > NAMED:
        steps.append(
            f"Run the tests of the other {len(requests) - NAMED} extensions likewise: q2mfa test NAME"
        )
    steps += ["Install in the sandbox: q2 install", "Run: q2 run"]
    return steps


def _is_here(root: Path) -> bool:
    try:
        return os.path.samefile(root, os.curdir)
    except OSError:
        # A dry run's folder, or the current one, may not be there.
        return False


def _to_fill_in(requests: list[ExtensionRequest]) -> list[str]:
    steps: list[str] = []
    for request in requests[:NAMED]:
        config = f"configuration/{request.name}.py"
        if request.mfa == "standard":
            steps.append(
                f"Give {request.name}'s users a registration value (their base32 TOTP secret): "
                f"see {request.name}/README.md"
            )
            continue
        if request.issuer_is_placeholder:
            steps.append(
                f"Put the identity provider's issuer into {config} (ISSUER), and its host into "
                f'{SETTINGS}: OUTBOUND_WHITELIST.append("idp.your-bank.com")'
            )
        if not request.client_id:
            steps.append(f"Put the client id into {config} (CLIENT_ID)")
        steps.append(
            f"Set the client secret in the server's environment: {request.name.upper()}_CLIENT_SECRET; "
            f"what to register at the identity provider is in {request.name}/README.md"
        )
    if len(requests) > NAMED:
        steps.append(f"Do the same for the other {len(requests) - NAMED} extensions")
    return steps


def _extension(plan: ExtensionPlan) -> dict[str, Any]:
    return {
        "name": plan.request.name,
        "rendering": plan.request.rendering,
        "mfa": plan.request.mfa,
        **{fate.value: plan.paths(fate) for fate in (Fate.CREATED, Fate.EDITED, Fate.UNCHANGED)},
    }


def _dump(value: Any) -> str:
    return json.dumps(value)
