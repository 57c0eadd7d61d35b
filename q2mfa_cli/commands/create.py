"""``q2mfa create`` without the command line: requests → rendered trees → plan → applied → result."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from q2mfa_cli.errors import UsageError
from q2mfa_cli.plan import (
    ExtensionPlan,
    Fate,
    in_order,
    plan_extension,
    refuse_conflicts,
    unified_diff,
    with_edits,
)
from q2mfa_cli.rendering import render
from q2mfa_cli.request import ExtensionRequest
from q2mfa_cli.transaction import Change, Transaction
from q2mfa_cli.workspace import Registration, check_name_is_free, read_workspace, registration, resolved

Status = Literal["created", "planned", "unchanged"]
Progress = Callable[[list[ExtensionRequest]], Iterable[ExtensionRequest]]


@dataclass(frozen=True)
class Result:
    """What was done, or with ``dry_run`` what would be.

    ``diff`` is a dry run's unified diff of every existing file that would change; else empty.
    """

    root: Path
    is_workspace: bool
    extensions: list[ExtensionPlan]
    registration: Registration
    dry_run: bool
    diff: str

    @property
    def status(self) -> Status:
        if not any(plan.paths(Fate.CREATED, Fate.EDITED) for plan in self.extensions):
            return "unchanged"
        return "planned" if self.dry_run else "created"


def create(
    root: Path,
    requests: list[ExtensionRequest],
    *,
    force: bool = False,
    register: bool = True,
    dry_run: bool = False,
    progress: Progress = iter,
) -> Result:
    """Create the extensions of *requests* in the workspace at *root*: all of them, or nothing.

    :param force: replace files that differ.
    :param register: edit ``configuration/settings.py``.
    :param dry_run: write nothing.
    :param progress: wraps the requests while they are worked on.
    :raises Q2mfaError: a name is taken, a file is in the way, or the file system refused.
    """
    _refuse_twins(requests)
    root = resolved(root)
    with contextlib.nullcontext() if dry_run else Transaction(root) as transaction:
        workspace = read_workspace(root)
        for request in requests:
            check_name_is_free(workspace, request.name)
        changes = registration(workspace, requests, register)
        plans: list[ExtensionPlan] = []
        diffs: list[str] = []
        changed: list[Change] = []
        for request in progress(requests):
            tree = render(request)
            plan = plan_extension(workspace, request, tree, force)
            for path in plan.paths(Fate.CREATED, Fate.EDITED):
                before = (root / path).read_bytes() if plan.files[path] is Fate.EDITED else None
                if transaction:
                    changed.append(Change(path, before, tree[path]))
                elif before is not None:
                    diffs.append(unified_diff(path, before, tree[path]))
            plans.append(with_edits(plan, workspace, changes.touched.get(request.name, [])))
        refuse_conflicts(plans)
        for path, after in in_order(changes.edits):
            before = workspace.content(path)
            if transaction:
                changed.append(Change(path, before, after))
            else:
                diffs.append(unified_diff(path, before, after))
        if transaction:
            transaction.apply(changed)
    return Result(root, workspace.is_q2, plans, changes, dry_run, "".join(diffs))


def _refuse_twins(requests: list[ExtensionRequest]) -> None:
    seen: dict[str, str] = {}
    for request in requests:
        folded = request.name.lower()
        if folded in seen:
            raise UsageError(
                f"Two of the extensions are called {seen[folded]} and {request.name}.",
                "Give each a name of its own, in whatever letter case.",
                "name_taken",
            )
        seen[folded] = request.name
