"""A user's session at HQ, with its request for MFA and its External MFA tokens."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# How a session travels is this platform's own affair: its id in a header between servers, a ticket in a form of a browser.
SESSION_HEADER = "X-Q2-Session"
TICKET_FIELD = "q2_ticket"
# The hidden field of the SDK's own form around a server-side rendered page.
FORM_TOKEN_FIELD = "q2token"

# The id of the session that the running code answers a request of; empty outside of a request.
current_session_id: ContextVar[str] = ContextVar("q2mfa_session_id", default="")

# The attributes of mfa_info: those of every workflow, and those of one workflow only.
MFA_INFO = frozenset({"mfa_context", "registration_value", "sso_identifier"})
MFA_INFO_OF_TRANSACTION = frozenset({"transaction_ids"})
MFA_INFO_OF_PATROL = frozenset({"audit_action_id", "audit_action_name"})
ALL_MFA_INFO = MFA_INFO | MFA_INFO_OF_TRANSACTION | MFA_INFO_OF_PATROL


@dataclass
class Token:
    """An External MFA token as HQ keeps it: valid once, and for a limited time."""

    value: str
    expires: float
    used: bool = False


@dataclass
class Session:
    """A user's session.

    :param form_token: The hidden field of the SDK's form.
    :param switches: The faults that are on for this session, of :data:`q2mfa_cli.platform.hq.SWITCHES`.
    """

    id: str
    authenticated: bool = False
    mfa_info: dict[str, Any] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    mfa_complete: bool = False
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    switches: set[str] = field(default_factory=set)


def check_mfa_info(attributes: dict[str, Any]) -> None:
    """Check that *attributes* belong to one request for MFA.

    HQ may know attributes that Q2 does not document, so any name is possible.

    :raises ValueError: A name is none that code can ask for, or they belong to two workflows.
    """
    given = set(attributes)
    for name in sorted(given):
        if not name.isidentifier():
            raise ValueError(f"{name!r} cannot be an attribute of mfa_info: it is not a Python name")
    if given & MFA_INFO_OF_TRANSACTION and given & MFA_INFO_OF_PATROL:
        raise ValueError("a request for MFA belongs to a transaction or to Patrol, not to both")
