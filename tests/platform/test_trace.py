"""The sequence of a challenge, how the challenge stands, and which challenges are kept."""

from __future__ import annotations

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from weakref import WeakValueDictionary

import pytest

from q2mfa_cli.platform.events import Events, Logged, MessageDelivered, OutboundRequest, ProviderEvent
from q2mfa_cli.platform.hq import HQ
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.challenges import KEPT, Challenge, Challenges, NoSuchChallenge
from q2mfa_cli.platform.preview.recording import Recorder
from q2mfa_cli.platform.preview.trace import Trace
from q2mfa_cli.platform.preview.uux import UUX
from q2mfa_cli.platform.preview.workflows import workflow_named


class WatchedTrace:
    """A trace, and the changes that it announces."""

    def __init__(self) -> None:
        self.changes: list[Any] = []
        self.trace = Trace(
            lambda row: self.changes.append(row.index), lambda index: self.changes.append([index])
        )

    def poll(self, answer: Any = None, why: str = "") -> None:
        self.trace.end(self.trace.begin("page", "extension", "poll", {"a": 1}), why, answer)


def rows(trace: Trace) -> list[tuple[str, int]]:
    return [(row.what, row.count) for row in trace.rows]


def test_equal_consecutive_calls_are_one_row() -> None:
    watched = WatchedTrace()
    for _ in range(120):
        watched.poll({"pending": True})
    assert rows(watched.trace) == [("poll", 120)]
    assert "poll (x 120)" in watched.trace.as_text()[0]
    # Each event names one row: the new one, its end, and the row into which it is folded.
    assert watched.changes[:5] == [0, 0, 1, [1], 0]


@pytest.mark.parametrize(
    "other", [{"answer": {"pending": False}}, {"answer": {"pending": True}, "why": "down"}]
)
def test_different_consecutive_calls_are_separate_rows(other: dict[str, Any]) -> None:
    watched = WatchedTrace()
    watched.poll({"pending": True})
    watched.poll(**other)
    watched.poll({"pending": True})
    assert rows(watched.trace) == [("poll", 1)] * 3


def test_rows_of_the_eight_steps_are_never_folded() -> None:
    watched = WatchedTrace()
    for _ in range(2):
        watched.trace.add("page", "extension", "submit", None, 1)
    assert len(watched.trace.rows) == 2


def test_mermaid_diagram_has_one_line_per_message_with_escaped_text() -> None:
    watched = WatchedTrace()
    watched.trace.add("page", "extension", "requestExtensionData: a;b\nc", None, 1, "no <way> #1")
    watched.trace.add("extension", "page", "answer", None, 4)
    assert watched.trace.as_mermaid().splitlines()[6:] == [
        "    page--xextension: 1. requestExtensionData: a#59;b c",
        "    Note over page,extension: no #60;way#62; #35;1",
        "    extension->>page: 4. answer",
    ]


def test_answer_in_the_trace_is_masked() -> None:
    watched = WatchedTrace()
    watched.poll({"token": "secret", "pending": True})
    assert watched.trace.rows[0].answer == {"token": "•••••• (6 characters)", "pending": True}


def test_answer_to_an_old_sequence_is_ignored() -> None:
    watched = WatchedTrace()
    old = watched.trace.begin("page", "extension", "submit")
    watched.trace.restart()
    watched.trace.add("uux", "page", "open")
    watched.changes.clear()
    watched.trace.end(old)
    watched.trace.number(old, 1)
    assert (rows(watched.trace), watched.changes) == ([("open", 1)], [])


class Bank:
    """HQ, challenges, and what records them."""

    def __init__(self) -> None:
        self.events = Events()
        self.hq = HQ(lambda: 0.0, self.events)
        self.challenges = Challenges(self.hq, self.events)
        self.recorder = Recorder(self.events, self.challenges, Path("/"))

    def challenge(self) -> Challenge:
        return self.challenges.add(workflow_named("login"), self.hq.open_session())


@pytest.fixture
def bank() -> Bank:
    return Bank()


def status(challenge: Challenge) -> tuple[str, str]:
    return challenge.status["outcome"], challenge.status["text"]


def test_status_names_the_step_and_the_cause(bank: Bank) -> None:
    challenge = bank.challenge()
    trace = challenge.trace
    trace.add("uux", "page", "open")
    assert status(challenge) == ("open", "Waiting for the customer.")
    row = trace.begin("page", "extension", "submit", None, 1)
    trace.add("extension", "hq", "set", None, 2, "HQ is down")
    trace.end(row, "500: Internal error")
    assert status(challenge) == ("failed", "Failed at step 2: HQ is down")
    # The page tries again.
    row = trace.begin("page", "extension", "submit", None, 1)
    assert status(challenge)[0] == "open"
    trace.end(row, "400: wrong_passcode", refused=True)
    assert status(challenge) == ("refused", "Refused at step 1: 400: wrong_passcode")
    trace.add("page", "uux", "verifyMFA", None, 5)
    trace.add("hq", "uux", "not verified", None, 7, "used", refused=True)
    trace.add("uux", "page", "verifyMFA rejects", None, 8, "used", refused=True)
    assert status(challenge) == ("refused", "Refused at step 7: used")
    trace.add("page", "extension", "start", None, None, "504: no answer")
    assert status(challenge) == ("failed", "Failed: 504: no answer")
    challenge.end = "complete"
    assert status(challenge) == ("complete", "MFA is complete.")
    challenge.restart()
    assert (status(challenge)[0], trace.rows) == ("open", [])


def test_old_challenges_are_forgotten_except_those_with_an_open_page(bank: Bank) -> None:
    followed, old = bank.challenge(), bank.challenge()
    followed.followers = 1
    for _ in range(3 * KEPT):
        bank.challenge()
    assert bank.challenges.get(followed.id) is followed
    with pytest.raises(NoSuchChallenge):
        bank.challenges.get(old.id)
    assert len(bank.hq.sessions) == KEPT + 1
    assert bank.hq.find_session(old.session.id) is None


def test_thousand_challenges_leave_only_the_newest_in_memory(tmp_path: Path) -> None:
    platform = Platform()
    extension = SimpleNamespace(
        workspace=tmp_path, failure=None, feature={"formPostAuth": True}, name="A", allow=""
    )
    uux = UUX(platform, cast(Any, extension), "http://127.0.0.1:1", None)
    alive: WeakValueDictionary[str, Challenge] = WeakValueDictionary()
    for number in range(1000):
        challenge = uux.open("login", {})
        alive[challenge.id] = challenge
        session = challenge.session
        uux.outlet(challenge)
        platform.events.publish(OutboundRequest(session.id, "POST", "http://idp/par", 201, 0.1))
        platform.events.publish(Logged(session.id, "INFO", "a line"))
        platform.events.publish(MessageDelivered(session.id, "a phone", "Approve?", str(number), asks=True))
        uux.answer_on_phone(challenge, str(number), "approved")
        platform.hq.set_token(session, "token")
        uux.verify_mfa(challenge, "token")
        del challenge, session
    gc.collect()
    # The last one that asked a provider may be one more.
    assert len(alive) <= KEPT + 1
    for kept in (platform.hq.sessions, platform.hq._tickets, platform.phone_answers):
        assert len(kept) == KEPT


@pytest.mark.parametrize(
    "answer",
    [
        '{"url": "http://idp/authorize?client_id=a&request_uri=urn%3Aa%3Ab"}',
        '<a href="http://idp/authorize?client_id=a&amp;request_uri=urn%3Aa%3Ab&amp;x=1">',
        r'{"url": "http://idp/authorize?client_id=a\u0026request_uri=urn%3Aa%3Ab"}',
    ],
)
def test_provider_rows_belong_to_the_challenge_that_began_the_login(answer: str, bank: Bank) -> None:
    mine, other = bank.challenge(), bank.challenge()
    mine.note_logins(answer)
    events = bank.events
    events.publish(OutboundRequest(other.session.id, "POST", "http://idp/par", 201, 0.1))
    events.publish(ProviderEvent("login_shown", {}, "urn:a:b"))
    # A login whose beginning was not seen is taken for that of the last request.
    events.publish(ProviderEvent("denied", {}, "unknown"))
    assert [row.what for row in mine.trace.rows] == ["The customer is sent to log in"]
    assert [row.what for row in other.trace.rows] == ["POST /par", "The login is denied"]
