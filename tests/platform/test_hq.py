"""HQ keeps tokens, verifies them once, and says why it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from q2mfa_cli.platform.events import Events, TokenSet, TokenVerified
from q2mfa_cli.platform.hq import HQ, SWITCHES, HQDown, Verdict


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hq(clock: Clock) -> HQ:
    return HQ(clock, Events())


def test_hq_verifies_token_once_in_its_session(hq: HQ) -> None:
    mine, other = hq.open_session(), hq.open_session()
    hq.set_token(mine, "token")
    assert hq.verify(other, "token") == Verdict("no token was set in this session")
    assert hq.verify(mine, "token") == Verdict()
    assert mine.mfa_complete and not other.mfa_complete
    assert hq.verify(mine, "token") == Verdict("the token was used before")


def test_hq_refuses_token_that_has_expired(hq: HQ, clock: Clock) -> None:
    session = hq.open_session()
    hq.set_token(session, "late")
    clock.now += 301
    assert hq.verify(session, "late") == Verdict("the token has expired")


def test_hq_after_wrong_token_refuses_the_right_one(hq: HQ) -> None:
    session = hq.open_session()
    hq.set_token(session, "token")
    assert hq.verify(session, "guess") == Verdict("the token is not the one that was set")
    assert not hq.verify(session, "token").verified and not session.mfa_complete


@pytest.mark.parametrize("token", ["", "  ", None, 7, b"token"])
def test_hq_refuses_to_set_token_that_is_not_text(hq: HQ, token: Any) -> None:
    session = hq.open_session()
    with pytest.raises(ValueError, match="HQ accepts only a string"):
        hq.set_token(session, token)
    assert session.tokens == []


@pytest.mark.parametrize("switch", [switch.id for switch in SWITCHES])
def test_hq_with_switch_on_never_verifies(hq: HQ, switch: str) -> None:
    session = hq.open_session()
    session.switches = {switch}
    if switch == "hq_down":
        with pytest.raises(HQDown):
            hq.set_token(session, "token")
    else:
        hq.set_token(session, "token")
    verdict = hq.verify(session, "token")
    assert verdict.reason and not session.mfa_complete
    assert verdict.reached == (switch != "hq_down")
    assert (hq.find_session(session.id) is None) == (switch == "session_lost")


def test_hq_publishes_each_request_with_the_reason_of_its_refusal(hq: HQ) -> None:
    published: list[TokenSet | TokenVerified] = []
    hq.events.subscribe(TokenSet, published.append)
    hq.events.subscribe(TokenVerified, published.append)
    session = hq.open_session()
    hq.set_token(session, "token")
    hq.verify(session, "guess")
    assert [(event.session_id, event.token, event.reason) for event in published] == [
        (session.id, "token", ""),
        (session.id, "guess", "the token is not the one that was set"),
    ]


def test_ticket_finds_its_session_until_mfa_is_complete(hq: HQ) -> None:
    session, other = hq.open_session(), hq.open_session()
    ticket = hq.issue_ticket(session)
    assert [hq.redeem_ticket(ticket) for _ in range(2)] == [session, session]
    assert hq.redeem_ticket(hq.issue_ticket(other)) is other
    assert hq.redeem_ticket("guessed") is None
    hq.set_token(session, "token")
    hq.verify(session, "token")
    assert hq.redeem_ticket(ticket) is None


def test_forgotten_session_and_its_ticket_are_unknown(hq: HQ) -> None:
    session = hq.open_session()
    ticket = hq.issue_ticket(session)
    hq.forget_session(session)
    assert hq.find_session(session.id) is None
    assert hq.redeem_ticket(ticket) is None


def test_mfa_info_accepts_every_valid_attribute_name(hq: HQ) -> None:
    attributes = {"login_name": "ada", "größe": 2**70, "nested": {"a": [None]}}
    assert hq.open_session(mfa_info=attributes).mfa_info == attributes


@pytest.mark.parametrize("name", ["", "login name", "1st", "a.b"])
def test_mfa_info_with_an_invalid_attribute_name_is_refused(name: str, hq: HQ) -> None:
    with pytest.raises(ValueError, match="cannot be an attribute of mfa_info"):
        hq.open_session(mfa_info={name: "ada"})


def test_mfa_info_of_two_workflows_is_refused(hq: HQ) -> None:
    with pytest.raises(ValueError, match="not to both"):
        hq.open_session(mfa_info={"transaction_ids": [1], "audit_action_id": 2})
