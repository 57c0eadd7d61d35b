"""A user's session at HQ, with its request for MFA and its External MFA tokens."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# Q2 does not document how requests identify a session. This fake uses a header with the session's ID between servers, and a
# ticket in the forms of a browser.
SESSION_HEADER = "X-Q2-Session"
TICKET_FIELD = "q2_ticket"
# The hidden field of the SDK's own form around a server-side rendered page.
FORM_TOKEN_FIELD = "q2token"

# The ID of the session of the current request; empty outside of a request.
current_session_id: ContextVar[str] = ContextVar("q2mfa_session_id", default="")

# The attributes of mfa_info: those of all workflows, and those of one workflow only.
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

    :param form_token: The value of the hidden field in the SDK's form.
    :param switches: The IDs of the faults that are on for this session. See :data:`q2mfa_cli.platform.hq.SWITCHES`.
    """

    id: str
    authenticated: bool = False
    mfa_info: dict[str, Any] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    mfa_complete: bool = False
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    switches: set[str] = field(default_factory=set)


def check_mfa_info(attributes: dict[str, Any]) -> None:
    """Check that *attributes* can belong to one request for MFA.

    Any name is possible, because HQ may have attributes that Q2 does not document.

    :raises ValueError: A name is not a Python identifier, or the attributes belong to two workflows.
    """
    given = set(attributes)
    for name in sorted(given):
        if not name.isidentifier():
            raise ValueError(f"{name!r} cannot be an attribute of mfa_info: it is not a Python name")
    if given & MFA_INFO_OF_TRANSACTION and given & MFA_INFO_OF_PATROL:
        raise ValueError("a request for MFA belongs to a transaction or to Patrol, not to both")
