"""The three workflows in which online banking asks for MFA."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CUSTOMER = "jane.doe"
TOTP_SECRET_BYTES = 20  # the length that RFC 4226, section 4 recommends


@dataclass(frozen=True)
class Workflow:
    """One workflow.

    :param authenticated: the value of ``is_authenticated``. :param mfa_info: its attributes, with initial values. Q2 does
        not document the values of ``mfa_context``.
    """

    id: str
    label: str
    says: str
    authenticated: bool
    mfa_info: dict[str, Any]


WORKFLOWS = (
    Workflow(
        "login",
        "Log in",
        "The session is not authenticated yet: Q2API calls only.",
        False,
        {"mfa_context": "login"},
    ),
    Workflow(
        "transaction",
        "Approve a transaction",
        "The customer is logged in and approves a payment.",
        True,
        {"mfa_context": "transaction", "transaction_ids": [1001, 1002]},
    ),
    Workflow(
        "patrol",
        "Patrol event",
        "The customer is logged in and takes an action that the bank protects.",
        True,
        {"mfa_context": "patrol", "audit_action_id": 42, "audit_action_name": "ChangeEmailAddress"},
    ),
)


def workflow_named(identifier: object) -> Workflow:
    """Return a workflow by its ID. :raises ValueError: there is none."""
    for workflow in WORKFLOWS:
        if workflow.id == identifier:
            return workflow
    raise ValueError(f"the workflows are {', '.join(workflow.id for workflow in WORKFLOWS)}")


def as_json(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the workflows for the page.

    :param given: attributes of ``mfa_info`` that every workflow starts with.
    """
    return [{**asdict(each), "mfa_info": {**each.mfa_info, **given}} for each in WORKFLOWS]
