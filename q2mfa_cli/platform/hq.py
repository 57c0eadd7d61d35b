"""A fake of HQ, Q2's business-logic server, with the parts that External MFA needs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from q2mfa_cli.platform.events import Events, FormPosted, TokenSet, TokenVerified
from q2mfa_cli.platform.sessions import Session, Token, check_mfa_info
from q2mfa_cli.platform.switches import Switch

TOKEN_SECONDS = 300  # Q2 does not document how long a token is valid
# How many calls are kept, for tests to examine.
CALLS_KEPT = 1000

# Q2 does not document how an extension notices these faults either.
SWITCHES = (
    Switch("hq_rejects", "HQ rejects the token", "Step 7 fails."),
    Switch("hq_down", "HQ is down", "HQ neither accepts a token nor verifies one."),
    Switch("token_expires", "The token expires", "The token expires before it is used."),
    Switch("session_lost", "The session is lost", "HQ no longer knows the customer's session."),
)


class HQDown(ConnectionError):
    """HQ does not respond."""


@dataclass(frozen=True)
class Verdict:
    """HQ's verdict on a token.

    :param reason: Why the token does not complete MFA; empty if it does.
    :param reached: False if HQ was down.
    """

    reason: str = ""
    reached: bool = True

    @property
    def verified(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Call:
    """A call to HQ's API."""

    api: str
    endpoint: str
    parameters: dict[str, Any]


class HQ:
    """The sessions, their tokens, and the calls to HQ's API.

    :ivar calls: The most recent calls, in order.
    """

    def __init__(self, clock: Callable[[], float], events: Events) -> None:
        self.clock, self.events = clock, events
        self.sessions: dict[str, Session] = {}
        self.calls: list[Call] = []
        self._tickets: dict[str, Session] = {}

    def reset(self) -> None:
        """Forget everything."""
        self.sessions.clear()
        self.calls.clear()
        self._tickets.clear()

    def open_session(self, authenticated: bool = False, mfa_info: dict[str, Any] | None = None) -> Session:
        """Open and return a session.

        :param mfa_info: The attributes of its request for MFA. They must belong to one workflow.
        :raises ValueError: See :func:`check_mfa_info`.
        """
        attributes = dict(mfa_info or {})
        check_mfa_info(attributes)
        session = Session(secrets.token_urlsafe(16), authenticated, attributes)
        self.sessions[session.id] = session
        return session

    def find_session(self, identifier: str) -> Session | None:
        """Return the session with the ID *identifier*; ``None`` if there is none, or it is lost."""
        session = self.sessions.get(identifier)
        return None if session is None or "session_lost" in session.switches else session

    def forget_session(self, session: Session) -> None:
        """Remove *session* and its tickets."""
        self.sessions.pop(session.id, None)
        self._tickets = {ticket: each for ticket, each in self._tickets.items() if each is not session}

    def issue_ticket(self, session: Session) -> str:
        """Return a ticket that identifies *session* until MFA is complete. A form in a browser has it instead of the ID.

        It can be redeemed more than once, because a browser sends the form again when the customer reloads the page.
        """
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = session
        return ticket

    def session_of(self, ticket: str) -> Session | None:
        """Return the session that *ticket* was issued for, in any state; ``None`` if there is none."""
        return self._tickets.get(ticket)

    def redeem_ticket(self, ticket: str) -> Session | None:
        """Return the session of *ticket*; ``None`` if there is none, it is lost, or its MFA is complete."""
        session = self.session_of(ticket)
        return None if session is None or session.mfa_complete else self.find_session(session.id)

    def report_form_post(self, form_token: str) -> None:
        """Publish that a browser posted the SDK's form with *form_token* in its hidden field."""
        found = [session for session in self.sessions.values() if session.form_token == form_token]
        self.events.publish(FormPosted(found[0].id if found else ""))

    def set_token(self, session: Session, token: object) -> None:
        """Set *token* for *session*. It replaces an earlier token.

        :raises ValueError: The token is not a string, or is blank.
        :raises HQDown: HQ is down.
        """
        started = time.perf_counter()
        down, reason = "hq_down" in session.switches, ""
        if down:
            reason = "HQ is down"
        elif not isinstance(token, str) or not token.strip():
            reason = "HQ accepts only a string that is not empty as a token"
        else:
            lifetime = 0 if "token_expires" in session.switches else TOKEN_SECONDS
            session.tokens.append(Token(token, self.clock() + lifetime))
        self.events.publish(TokenSet(session.id, token, reason, time.perf_counter() - started, not down))
        if reason:
            raise HQDown(reason) if down else ValueError(reason)

    def verify(self, session: Session, token: object) -> Verdict:
        """Compare *token* with the one that was set last, and return the verdict. A failed comparison also uses up the token."""
        started = time.perf_counter()
        reason = self._refusal(session, token)
        session.mfa_complete = session.mfa_complete or not reason
        verdict = Verdict(reason, reached="hq_down" not in session.switches)
        seconds = time.perf_counter() - started
        self.events.publish(TokenVerified(session.id, token, verdict.reason, seconds, verdict.reached))
        return verdict

    def call(self, api: str, endpoint: str, parameters: dict[str, Any], session: Session | None) -> None:
        """Record a call to the *endpoint* of an HQ API.

        :param api: ``wedge_online_banking`` or ``q2_api``.
        :raises PermissionError: The API is WedgeOnlineBanking, and the session is not authenticated.
        """
        if api == "wedge_online_banking" and (session is None or not session.authenticated):
            raise PermissionError("WedgeOnlineBanking calls need an authenticated session")
        self.calls.append(Call(api, endpoint, parameters))
        del self.calls[:-CALLS_KEPT]

    def _refusal(self, session: Session, token: object) -> str:
        if "session_lost" in session.switches:
            return "HQ does not know the session"
        if "hq_down" in session.switches:
            return "HQ is down"
        current = session.tokens[-1] if session.tokens else None
        if current is None:
            return "no token was set in this session"
        if current.used:
            return "the token was used before"
        if not isinstance(token, str):
            return "the token is not a string"
        current.used = True
        if self.clock() >= current.expires:
            return "the token has expired"
        if not secrets.compare_digest(current.value.encode(), token.encode()):
            return "the token is not the one that was set"
        return "HQ rejects it, because the switch is on" if "hq_rejects" in session.switches else ""
