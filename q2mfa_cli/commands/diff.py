"""``q2mfa diff NAME``: show the owner's changes to an extension, or those of an update."""

from __future__ import annotations

from pathlib import Path

from q2mfa_cli import update_plan
from q2mfa_cli.merge import in_the_style_of, normalized
from q2mfa_cli.plan import present, unified_diff
from q2mfa_cli.update_plan import UpdateOptions, recorded_extension
from q2mfa_cli.workspace.find import read_workspace, resolved


def own_changes(root: Path, name: str) -> str:
    """Return a unified diff from the generated files to those in the workspace. Line endings do not count.

    :raises Q2mfaError: The extension has no record, or a file cannot be read.
    """
    root = resolved(root)
    parts = []
    for path, content in recorded_extension(root, name).files.items():
        owner = present(root, path)
        if not isinstance(owner, bytes):
            parts.append(unified_diff(path, content, None))
        elif normalized(owner) != normalized(content):
            parts.append(unified_diff(path, in_the_style_of(owner, content), owner))
    return "".join(parts)


def incoming_changes(root: Path, name: str) -> str:
    """Return a unified diff of the changes that an update would make, and both sides of each conflict.

    :raises Q2mfaError: See :func:`~q2mfa_cli.update_plan.plan_update`.
    """
    return update_plan.diff(update_plan.plan_update(read_workspace(resolved(root)), [name], UpdateOptions()))
