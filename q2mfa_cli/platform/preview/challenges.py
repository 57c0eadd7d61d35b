"""Challenges. Each one asks a customer for MFA in one workflow."""

from __future__ import annotations

import html
import re
import secrets
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from q2mfa_cli.platform.events import Events
from q2mfa_cli.platform.failures import Failure
from q2mfa_cli.platform.hq import HQ
from q2mfa_cli.platform.preview.trace import Row, Trace
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.sessions import Session

LOG_LINES = 500

# The number of challenges to keep beyond those that a page follows.
KEPT = 20

# The parameters that identify a login in an authorization URL: RFC 6749 and RFC 9126.
AT_PROVIDER = re.compile(r"[?&](?:state|request_uri)=([^&\"'\s<>\\]+)")

COMPLETE, LEFT, CLOSED = "complete", "left", "closed"
ENDS = {
    COMPLETE: "MFA is complete.",
    LEFT: "Closed: the customer left MFA.",
    CLOSED: "Closed: online banking closed the page.",
}


class NoSuchChallenge(Exception):
    """There is no challenge with that ID."""


@dataclass(frozen=True)
class RowChanged:
    """A row of a challenge's sequence is new or has changed."""

    challenge_id: str
    row: Row


@dataclass(frozen=True)
class RowGone:
    """A row was merged into the previous one; if *index* is None, all rows are gone."""

    challenge_id: str
    index: int | None


@dataclass(frozen=True)
class Ended:
    """MFA ended in a challenge."""

    challenge_id: str


@dataclass(frozen=True)
class PhoneChanged:
    """The customer's phone received a message, or the customer answered one."""

    challenge_id: str


@dataclass(frozen=True)
class LogGrew:
    """The extension logged *line*."""

    challenge_id: str
    line: dict[str, str]


@dataclass(frozen=True)
class Failed:
    """The extension failed in a challenge."""

    challenge_id: str
    failure: Failure


@dataclass
class Challenge:
    """One request for MFA.

    :param id: the ID for the customer's page. The ID of the session at HQ stays on the server.
    :param calls: the rows of the pending ``requestExtensionData`` calls.
    :param opening: the row of the form that opens the extension's page, until the response.
    :param failure: the first failure since the extension's page was opened.
    :param raised: by route, the error of its last call, until that call's row shows it.
    :param messages: the messages on the customer's phone, oldest first: ``{"id", "to", "text", "asks", "answer"}``.
    :param log: the extension's last log lines, oldest first: ``{"level", "text"}``.
    :param provider_switches: the identity provider's faults that are on for this challenge.
    :param at_provider: the ``request_uri`` or ``state`` of each login that the extension started.
    :param end: complete, left or closed; empty until MFA ends. :param followers: the number of pages that follow it.
    """

    id: str
    workflow: Workflow
    session: Session
    started: float
    trace: Trace
    calls: list[Row] = field(default_factory=list)
    opening: Row | None = None
    failure: Failure | None = None
    raised: dict[str, Failure] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    log: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    provider_switches: set[str] = field(default_factory=set)
    at_provider: set[str] = field(default_factory=set)
    end: str = ""
    followers: int = 0

    @property
    def outcome(self) -> str:
        """One of open, complete, left, closed, refused (a party refused) and failed (an error)."""
        row = self.trace.failed_row()
        return self.end or ("open" if row is None else "refused" if row.refused else "failed")

    @property
    def status(self) -> dict[str, str]:
        """The outcome for the page, with a sentence that explains it."""
        row = self.trace.failed_row()
        if self.end or row is None:
            text = ENDS.get(self.end, "Waiting for the customer.")
        else:
            text = f"{self.outcome.capitalize()}{f' at step {row.step}' if row.step else ''}: {row.why}"
        return {"outcome": self.outcome, "text": text}

    def restart(self) -> None:
        """Start a new sequence, because the extension's page opens again."""
        self.trace.restart()
        self.end, self.opening, self.failure = "", None, None
        self.raised.clear()

    def note_logins(self, text: str) -> None:
        """Remember the logins in *text*, a response that may send the browser to a provider."""
        plain = html.unescape(text).replace("\\u0026", "&")
        self.at_provider.update(unquote(value) for value in AT_PROVIDER.findall(plain))

    def report(self, name: str) -> dict[str, Any]:
        """Return the data for a bug report, without secrets."""
        return {
            "extension": name,
            "workflow": self.workflow.id,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(self.started)),
            "outcome": self.outcome,
            "broken": sorted(self.session.switches | self.provider_switches),
            "sequence": self.trace.as_json(),
        }


@dataclass(frozen=True)
class Forgotten:
    """*challenge* was dropped."""

    challenge: Challenge


class Challenges:
    """The challenges of one run. Old ones are dropped with their sessions, unless a page follows them.

    A change in a trace is published as :class:`RowChanged` or :class:`RowGone`.
    """

    def __init__(self, hq: HQ, events: Events) -> None:
        self._hq, self._events = hq, events
        self._by_id: OrderedDict[str, Challenge] = OrderedDict()

    def add(self, workflow: Workflow, session: Session) -> Challenge:
        identifier = secrets.token_urlsafe(16)
        publish = self._events.publish
        trace = Trace(
            lambda row: publish(RowChanged(identifier, row)),
            lambda index: publish(RowGone(identifier, index)),
        )
        challenge = Challenge(identifier, workflow, session, time.time(), trace)
        self._by_id[identifier] = challenge
        self._forget_old()
        return challenge

    def get(self, identifier: str) -> Challenge:
        """Return a challenge by its ID. :raises NoSuchChallenge: there is none."""
        if identifier not in self._by_id:
            raise NoSuchChallenge
        self._by_id.move_to_end(identifier)
        return self._by_id[identifier]

    def fail(self, challenge: Challenge, failure: Failure) -> None:
        """Tell the pages that follow *challenge* that the extension failed."""
        challenge.failure = challenge.failure or failure
        self._events.publish(Failed(challenge.id, failure))

    def of_session(self, session_id: str) -> Challenge | None:
        return next((each for each in self._by_id.values() if each.session.id == session_id), None)

    def of_caller(self, caller: str) -> Challenge | None:
        """Return the challenge that a request at the provider belongs to: see :class:`ProviderEvent`."""
        found = (each for each in self._by_id.values() if caller in each.at_provider)
        return self.of_session(caller) or next(found, None)

    def _forget_old(self) -> None:
        old = [each for each in self._by_id.values() if not each.followers][:-KEPT]
        for challenge in old:
            del self._by_id[challenge.id]
            self._hq.forget_session(challenge.session)
            self._events.publish(Forgotten(challenge))
