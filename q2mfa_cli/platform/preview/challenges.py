"""Challenges: each asks one customer for MFA in one workflow."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from q2mfa_cli.platform.events import Events
from q2mfa_cli.platform.preview.trace import Row, Trace
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.sessions import Session


class NoSuchChallenge(Exception):
    """There is no challenge with that id."""


@dataclass(frozen=True)
class RowChanged:
    """A row of a challenge's sequence is new or has changed."""

    challenge_id: str
    row: Row


@dataclass
class Challenge:
    """One request for MFA.

    :param id: what the customer's page knows it by. The id of the session at HQ stays on the server.
    :param calls: the rows of the ``requestExtensionData`` calls that have no answer yet.
    :param messages: what the customer's phone got, oldest first: ``{"to", "text"}``.
    :param outcome: open, complete, refused (the page may try again) or left.
    """

    id: str
    workflow: Workflow
    session: Session
    started: float
    trace: Trace
    calls: list[Row] = field(default_factory=list)
    messages: list[dict[str, str]] = field(default_factory=list)
    outcome: str = "open"

    def report(self, name: str) -> dict[str, Any]:
        """What a bug report needs, without a secret."""
        return {
            "extension": name,
            "workflow": self.workflow.id,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(self.started)),
            "outcome": self.outcome,
            "broken": sorted(self.session.switches),
            "sequence": self.trace.as_json(),
        }


class Challenges:
    """The challenges of one run. A change in a trace is published as :class:`RowChanged`."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._by_id: dict[str, Challenge] = {}
        self._by_session: dict[str, Challenge] = {}

    def add(self, workflow: Workflow, session: Session) -> Challenge:
        identifier = secrets.token_urlsafe(16)
        trace = Trace(lambda row: self._events.publish(RowChanged(identifier, row)))
        challenge = Challenge(identifier, workflow, session, time.time(), trace)
        self._by_id[identifier] = self._by_session[session.id] = challenge
        return challenge

    def get(self, identifier: str) -> Challenge:
        """:raises NoSuchChallenge: there is none with that id."""
        if identifier not in self._by_id:
            raise NoSuchChallenge
        return self._by_id[identifier]

    def of_session(self, session_id: str) -> Challenge | None:
        return self._by_session.get(session_id)
