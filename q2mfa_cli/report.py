"""The report of ``q2mfa create``: text for people, or one JSON object for scripts."""

from __future__ import annotations

import json
import os
import re
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from q2mfa_cli.errors import REPORT_FORMAT
from q2mfa_cli.plan import Action, ExtensionPlan, Plan, PlannedFile, diff
from q2mfa_cli.questions import QUESTIONS
from q2mfa_cli.request import ExtensionRequest
from q2mfa_cli.workspace.find import CONFIGURATION

RENDERING_LABELS = {"ssr": "server-side rendered", "csr": "client-side rendered"}
MARK_COLORS = {Action.CREATE: "green", Action.EDIT: "yellow", Action.KEEP: None, Action.REMOVE: "red"}
# The prefixes of commands in the next steps.
COMMANDS = ("cd ", "pip ", "q2 ", "q2mfa ")
MARKS = {Action.CREATE: "+", Action.EDIT: "~", Action.KEEP: "=", Action.REMOVE: "-"}
# How many extensions or files a report names. It counts the others.
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


def as_text(plan: Plan, dry_run: bool, verbose: bool = False, width: int = 0) -> str:
    """Return the report for a person, styled for a terminal. It ends with the next steps.

    :param verbose: List the new files instead of counting them. A dry run always lists them.
    :param width: The width of the terminal, to wrap the next steps; 0 to not wrap them.
    """
    headings = {"created": "Created", "planned": "Would create", "unchanged": "Already up to date:"}
    heading = headings[_status(plan, dry_run)]
    lines = []
    for extension in plan.extensions:
        new = [file for file in extension.files if file.action is Action.CREATE]
        name = click.style(f"{heading} {extension.request.name}", fg="green", bold=True)
        lines.append(f"{name} ({_kind(extension.request)}){', ' if new else ''}{_count(new)}")
        listed = [
            (file.path, file.action)
            for file in (*extension.files, *extension.touched)
            if file.changes and (verbose or dry_run or file not in new)
        ]
        lines += [f"  {_mark(action)} {path}" for path, action in sorted(listed)]
        same = [file for file in extension.files if file.action is Action.KEEP]
        if same:
            lines.append(f"  {_mark(Action.KEEP)} {_count(same)} unchanged")
    lines.append(f"in {plan.workspace.root}")
    if dry_run:
        changes = diff(plan)
        lines += ["", changes.rstrip("\n")] if changes else []
        lines += ["", "Nothing was written (--dry-run)."]
    lines += ["", click.style("Next steps:", bold=True)]
    for number, step in enumerate(next_steps(plan), 1):
        lines += _numbered(number, step, width)
    return "\n".join(lines)


def summary(plan: Plan) -> str:
    """Return a summary of *plan* for the confirmation, short enough for one screen."""
    rows = []
    for extension in plan.extensions:
        request = extension.request
        rows.append(("Extension", f"{request.name} ({_kind(request)})"))
        rows += [
            (
                question.name.replace("_", " ").capitalize(),
                f"later, in {CONFIGURATION}/{request.name}.py"
                if request.answers[question.name] == question.default
                else str(request.answers[question.name]),
            )
            for question in QUESTIONS
            if question.prompt and question.name in request.answers
        ]
        rows += [
            ("New", _count([file for file in extension.files if file.action is Action.CREATE])),
            ("Replaced", _named([file.path for file in extension.files if file.action is Action.EDIT])),
        ]
    rows += [
        ("Edited", ", ".join(edit.path for edit in plan.edits)),
        ("To do", "; ".join(plan.registration.steps)),
        ("Workspace", str(plan.workspace.root)),
    ]
    return "\n".join(f"  {click.style(f'{label:<10}', bold=True)} {text}" for label, text in rows if text)


def next_steps(plan: Plan) -> list[str]:
    """Return the next steps, in order. Each is a sentence, or a phrase, a colon and a command."""
    requests = [each.request for each in plan.extensions]
    first, others = requests[:NAMED], len(requests) - NAMED
    root, registration = plan.workspace.root, plan.registration
    leftovers = [path for each in plan.extensions for path in each.leftovers]
    steps = [] if _is_current(root) else [f"Go to the workspace: cd {for_shell(str(root))}"]
    steps += registration.steps
    steps += [f"Delete this file of another variant, unless you need it: {path}" for path in leftovers]
    for request in first:
        steps += [*request.notes, *request.integration.configuration_steps(request.answers)]
    if others > 0:
        steps.append(f"Do the same for the other {others} extensions")
    steps += [f"Install the requirements: {registration.install}"] if registration.install else []
    steps += [f"Run the generated tests: q2mfa test {request.name}" for request in first]
    steps += [f"Try it in a browser: q2mfa preview {request.name}" for request in first[:1]]
    if others > 0:
        steps.append(f"Run the tests of the other {others} extensions the same way: q2mfa test NAME")
    return [*steps, "Install in the sandbox: q2 install", "Run: q2 run"]


def for_shell(text: str, windows: bool = os.name == "nt") -> str:
    """Return *text* as one word of a command line: for PowerShell and cmd on Windows, else for a POSIX shell."""
    if not windows or "MSYSTEM" in os.environ:  # Git Bash
        return shlex.quote(text)
    if re.fullmatch(r"[\w\\:/.-]+", text):
        return text
    # Both shells accept double quotes, but PowerShell expands $ and ` inside them. In cmd, a % cannot be quoted.
    return "'" + text.replace("'", "''") + "'" if re.search("[$`]", text) else f'"{text}"'


def _kind(request: ExtensionRequest) -> str:
    return f"External MFA, {request.integration.label}, {RENDERING_LABELS[request.rendering]}"


def _numbered(number: int, step: str, width: int) -> list[str]:
    """Return a step as lines of at most *width* characters. A command is never wrapped, so users can copy it."""
    start = f"  {number}. "
    what, colon, command = step.rpartition(": ")
    styled = click.style(command, fg="cyan") if command.startswith(COMMANDS) else ""
    if not width or len(start + step) <= width:
        return [f"{start}{what}{colon}{styled or command}"]
    wrap = textwrap.TextWrapper(
        width,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [*wrap.wrap(f"{what}:"), " " * len(start) + styled] if styled else wrap.wrap(step)


def _mark(action: Action) -> str:
    return click.style(MARKS[action], fg=MARK_COLORS[action])


def _count(files: Sequence[PlannedFile]) -> str:
    return f"{len(files)} file{'' if len(files) == 1 else 's'}" if files else ""


def _named(paths: Sequence[str]) -> str:
    others = len(paths) - NAMED
    return ", ".join(paths[:NAMED]) + (f" and {others} more" if others > 0 else "")


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
        # In a dry run, the workspace may not exist. The current folder may have been removed.
        return False
