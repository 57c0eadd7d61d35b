"""``q2mfa remove NAME``: remove an extension, and revert what ``create`` did for it."""

from __future__ import annotations

from pathlib import Path

from q2mfa_cli.commands.create import UNCHANGED_OR_COMPLETE
from q2mfa_cli.errors import Interrupted
from q2mfa_cli.removal_plan import plan_removal
from q2mfa_cli.transaction import Transaction
from q2mfa_cli.update_plan import UpdatePlan
from q2mfa_cli.workspace.find import read_workspace, resolved


def remove(root: Path, name: str, *, force: bool = False, dry_run: bool = False) -> UpdatePlan:
    """Remove the extension *name* from the workspace at *root*.

    :param force: Also remove files that their owner edited.
    :param dry_run: Do not apply the plan.
    :raises Q2mfaError: See :func:`~q2mfa_cli.removal_plan.plan_removal`; or the file system refused a change.
    :raises Interrupted: The user pressed Ctrl-C, or the process received a signal to stop.
    """
    root = resolved(root)
    if dry_run:
        return plan_removal(read_workspace(root), name, force=force)
    try:
        with Transaction(root) as transaction:
            planned = plan_removal(read_workspace(root), name, force=force)
            transaction.apply(planned.changes)
    except KeyboardInterrupt:
        raise Interrupted(UNCHANGED_OR_COMPLETE) from None
    return planned
