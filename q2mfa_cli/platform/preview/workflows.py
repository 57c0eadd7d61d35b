"""The three workflows in which online banking asks for MFA, and what can be made to go wrong in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

CUSTOMER = "jane.doe"
TOTP_SECRET_BYTES = 20  # RFC 4226, section 4: the length it recommends


@dataclass(frozen=True)
class Workflow:
    """One workflow [seed].

    :param authenticated: what ``is_authenticated`` is. :param mfa_info: its attributes, with values to start from; how
        ``mfa_context`` is spelt is a [guess].
    """

    id: str
    label: str
    says: str
    authenticated: bool
    mfa_info: dict[str, Any]


@dataclass(frozen=True)
class Switch:
    """One thing that can be made to go wrong, at HQ or at the identity provider."""

    id: str
    label: str
    says: str
    at: str


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
        "The customer is logged in and does what the bank guards.",
        True,
        {"mfa_context": "patrol", "audit_action_id": 42, "audit_action_name": "ChangeEmailAddress"},
    ),
)

SWITCHES = (
    Switch("hq_rejects", "HQ rejects the token", "Step 7 says no.", "hq"),
    Switch("hq_down", "HQ is down", "It neither takes a token nor verifies one.", "hq"),
    Switch("token_expires", "The token expires", "It is too old before it is used.", "hq"),
    Switch("session_lost", "The session is lost", "HQ no longer knows the customer's session.", "hq"),
    Switch("denies", "The provider denies", "As if the customer had pressed Deny.", "idp"),
    Switch("slow", "The provider is slow", "It takes its time to answer.", "idp"),
    Switch("down", "The provider is down", "It answers nothing but errors.", "idp"),
    Switch("wrong_user", "Another user", "Somebody else is logged in at the provider.", "idp"),
)


def workflow_named(identifier: object) -> Workflow:
    """:raises ValueError: there is none of that id."""
    for workflow in WORKFLOWS:
        if workflow.id == identifier:
            return workflow
    raise ValueError(f"the workflows are {', '.join(workflow.id for workflow in WORKFLOWS)}")


def described(places: Collection[str], given: dict[str, Any]) -> dict[str, Any]:
    """The workflows and switches, as JSON for the page.

    :param places: where something can be broken. :param given: attributes of ``mfa_info`` that every workflow starts from.
    """
    return {
        "workflows": [{**asdict(each), "mfa_info": {**each.mfa_info, **given}} for each in WORKFLOWS],
        "switches": [asdict(each) for each in SWITCHES if each.at in places],
    }
