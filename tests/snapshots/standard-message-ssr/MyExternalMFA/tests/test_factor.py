"""The factor alone: each way to fail it, and the one way to pass. It goes with the factor."""

import json
import re
import time
from types import SimpleNamespace

import pytest

from .. import factor
from ..customer import Denied
from .cache import Cache

JANE, JOHN = "+1 555 010 1234", "+1 555 010 9876"
NOW = 1_700_000_015.0
MINUTE = 60
PURPOSE = {"signing_in": True, "transactions": [], "action": None}


class Clock:
    now = NOW


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    return clock


@pytest.fixture
def cache(clock):
    return Cache(clock)


@pytest.fixture
def phone(monkeypatch):
    """The messages that were delivered: destination and code."""
    messages = []

    async def deliver(self, code, destination):
        messages.append((destination, code))

    monkeypatch.setattr(factor.Factor, "deliver", deliver)
    return messages


class Session:
    """One customer's session, which asks for MFA."""

    def __init__(self, cache, destination=JANE, secret="s" * 32, purpose=PURPOSE, **mfa_info):
        self.log = []
        self.handler = SimpleNamespace(
            CONFIG_FILE_NAME="Foo",
            cache=cache,
            session_cache=Cache(cache.clock),
            config=SimpleNamespace(HASH_SECRET=secret),
            mfa_info=SimpleNamespace(registration_value=destination, **mfa_info),
            logger=SimpleNamespace(info=self.log.append),
            purpose=lambda: purpose,
        )

    async def call(self, **body):
        return await factor.Factor(self.handler).verify(body)

    async def outcome(self, **body):
        """The code of the denial; empty if there is none."""
        try:
            answer = await self.call(**body)
        except Denied as denied:
            code, reason = denied.args
            assert reason and not any(str(value) in reason.split() for value in body.values())
            assert denied.__cause__ is None
            return code
        assert answer is True or body == {"send": True}
        return ""


def other(code):
    return f"{(int(code) + 1) % 10**6:06}"


async def test_code_that_was_sent_passes_once(cache, phone):
    session = Session(cache)
    assert await session.call(send=True) == {
        "sent_to": "•••• 1234",
        "seconds": 300,
        "resend_seconds": 30,
    }
    [(destination, code)] = phone
    assert destination == JANE and re.fullmatch("[0-9]{6}", code)
    assert await session.outcome(passcode=code) == ""
    assert await session.outcome(passcode=code) == "expired_passcode"
    assert session.log == ["External MFA: a code was sent"]


async def test_codes_differ(clock, cache, phone):
    for number in range(20):
        await Session(cache, f"{JOHN}{number}").call(send=True)
    assert len({code for _, code in phone}) > 17


MASKED = [("jane@example.com", "j•••@example.com"), ("1234", "•••• 1234"), ("a@b@c", "a•••@c")]


@pytest.mark.parametrize(("destination", "masked"), MASKED)
async def test_destination_is_masked(destination, masked, cache, phone):
    assert (await Session(cache, destination).call(send=True))["sent_to"] == masked


async def test_wrong_code_is_denied_and_the_right_one_still_passes(cache, phone):
    session = Session(cache)
    await session.call(send=True)
    code = phone[0][1]
    full_width = code.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for wrong in (other(code), code + "\n", " " + code, full_width):
        assert await session.outcome(passcode=wrong) == "wrong_passcode"
    assert await session.outcome(passcode=code) == ""


NO_CODES = [None, 123456, "", "abcdef", "\ud800", [], {}, True, "1" * 10**6]


@pytest.mark.parametrize("passcode", NO_CODES)
async def test_what_is_no_code_is_wrong(passcode, cache, phone):
    session = Session(cache)
    await session.call(send=True)
    assert await session.outcome(passcode=passcode) == "wrong_passcode"


NOT_ASKED_FOR = [{}, {"send": "yes"}, {"send": 1}, {"send": False}, {"passcode": "0"}]


@pytest.mark.parametrize("body", NOT_ASKED_FOR)
async def test_without_a_code_that_was_sent_nothing_passes(body, cache, phone):
    assert await Session(cache).outcome(**body) == "expired_passcode"
    assert phone == []


async def test_code_expires_after_five_minutes(clock, cache, phone):
    for seconds, expected in ((299, ""), (300, "expired_passcode")):
        session = Session(cache)
        await session.call(send=True)
        clock.now += seconds
        assert await session.outcome(passcode=phone[-1][1]) == expected


async def test_code_expires_even_if_the_session_keeps_its_salt(clock, cache, phone):
    session = Session(cache)
    await session.call(send=True)
    session.handler.session_cache.clock = SimpleNamespace(now=NOW)
    clock.now += 300
    assert await session.outcome(passcode=phone[-1][1]) == "expired_passcode"


async def test_code_is_bound_to_its_session(clock, cache, phone):
    mine, theirs = Session(cache), Session(cache)
    await mine.call(send=True)
    code = phone[-1][1]
    assert await theirs.outcome(passcode=code) == "expired_passcode"
    theirs.handler.session_cache.set(factor.SALT_KEY, "x", 60)
    assert await theirs.outcome(passcode=code) == "wrong_passcode"
    assert await mine.outcome(passcode=code) == ""


async def test_newest_code_is_the_only_valid_one(clock, cache, phone):
    mine, theirs = Session(cache), Session(cache)
    await mine.call(send=True)
    clock.now += 30
    await theirs.call(send=True)
    (_, first), (_, second) = phone
    assert await mine.outcome(passcode=first) == "wrong_passcode"
    assert await theirs.outcome(passcode=second) == ""


async def test_code_is_bound_to_its_customer(cache, phone):
    jane = Session(cache)
    await jane.call(send=True)
    jane.handler.mfa_info.registration_value = JOHN
    assert await jane.outcome(passcode=phone[0][1]) == "expired_passcode"


@pytest.mark.parametrize("name", ["transaction_ids", "audit_action_id", "audit_action_name"])
async def test_code_is_bound_to_what_it_confirms(name, cache, phone):
    session = Session(cache, **{name: {1}})  # its type is not documented
    await session.call(send=True)
    code = phone[0][1]
    setattr(session.handler.mfa_info, name, {2})
    assert await session.outcome(passcode=code) == "wrong_passcode"
    setattr(session.handler.mfa_info, name, {1})
    assert await session.outcome(passcode=code) == ""


async def test_missing_attribute_and_none_are_the_same(cache, phone):
    session = Session(cache)
    await session.call(send=True)
    session.handler.mfa_info.transaction_ids = None
    assert await session.outcome(passcode=phone[0][1]) == ""


async def test_next_code_can_be_sent_after_30_seconds(clock, cache, phone):
    assert await Session(cache).outcome(send=True) == ""
    for seconds, expected in ((29, "sent_just_now"), (1, "")):
        clock.now += seconds
        assert await Session(cache).outcome(send=True) == expected
    assert await Session(cache, JOHN).outcome(send=True) == ""
    assert len(phone) == 3


async def test_five_codes_an_hour_are_sent(clock, cache, phone):
    for _ in range(5):
        assert await Session(cache).outcome(send=True) == ""
        clock.now += 10 * MINUTE
    assert await Session(cache).outcome(send=True) == "sent_too_often"
    clock.now += 10 * MINUTE
    assert await Session(cache).outcome(send=True) == ""
    assert len(phone) == 6


async def test_success_does_not_allow_more_messages(clock, cache, phone):
    for _ in range(5):
        session = Session(cache)
        await session.call(send=True)
        assert await session.outcome(passcode=phone[-1][1]) == ""
        clock.now += 30
    assert await Session(cache).outcome(send=True) == "sent_too_often"


async def test_five_wrong_codes_in_any_session_lock_the_customer(clock, cache, phone):
    session = Session(cache)
    await session.call(send=True)
    code = phone[-1][1]
    for _ in range(4):
        assert await session.outcome(passcode=other(code)) == "wrong_passcode"
    assert await Session(cache).outcome(passcode="000000") == "expired_passcode"
    assert await session.outcome(passcode=code) == "locked"
    clock.now += 30
    assert await Session(cache).outcome(send=True) == "locked"
    assert await Session(cache, JOHN).outcome(send=True) == ""


async def test_deliver_denies_until_it_is_filled_in(cache):
    assert await Session(cache).outcome(send=True) == "not_configured"


async def test_delivery_that_fails_is_denied_without_its_own_words(cache, monkeypatch):
    async def deliver(self, code, destination):
        raise OSError(f"{destination} {code}")

    monkeypatch.setattr(factor.Factor, "deliver", deliver)
    with pytest.raises(Denied) as caught:
        await Session(cache).call(send=True)
    assert caught.value.args == ("not_delivered", "deliver() failed: OSError")


@pytest.mark.parametrize("secret", ["", "s" * 31])
async def test_secret_that_can_be_guessed_is_denied(secret, cache, phone):
    session = Session(cache, secret=secret)
    for body in ({"send": True}, {"passcode": "123456"}):
        assert await session.outcome(**body) == "not_configured"
    assert phone == [] and cache.items == {}


@pytest.mark.parametrize("destination", [None, "", 15550101234, ["+1"]])
async def test_customer_without_destination_is_denied(destination, cache, phone):
    session = Session(cache, destination)
    for body in ({"send": True}, {"passcode": "123456"}):
        assert await session.outcome(**body) == "not_registered"
    assert phone == []


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "sign in"),
        ({"signing_in": False}, "confirm it is you"),
        ({"transactions": ["7"]}, "confirm 1 transaction"),
        ({"transactions": ["7", "8"]}, "confirm 2 transactions"),
        ({"action": "ChangeEmail"}, "confirm ChangeEmail"),
    ],
)
def test_message_names_what_it_confirms(changed, says, cache):
    session = Session(cache, purpose={**PURPOSE, **changed})
    text = factor.Factor(session.handler).text("123456")
    assert text == f"123456 is your code to {says}. It expires in 5 minutes. Never share it."


@pytest.mark.parametrize("broken", ["get", "set"])
async def test_session_cache_that_is_down_denies(broken, cache, phone):
    session = Session(cache)
    setattr(session.handler.session_cache, broken, None)
    body = {"send": True} if broken == "set" else {"passcode": "123456"}
    assert await session.outcome(**body) == "cache_unavailable"
    assert phone == []


async def test_cache_that_is_down_denies(cache, phone):
    cache.gets = None
    for body in ({"send": True}, {"passcode": "123456"}):
        assert await Session(cache).outcome(**body) == "cache_unavailable"
    assert phone == []


async def test_keys_and_state_have_neither_code_nor_destination(cache, phone):
    session = Session(cache, transaction_ids=[7])
    await session.call(send=True)
    code = phone[0][1]
    stored = json.dumps([[key, value[0]] for key, value in cache.items.items()])
    stored += json.dumps([*session.handler.session_cache.items])
    assert re.search('"mfa_customer_[0-9a-f]{64}"', stored)
    assert code not in stored and JANE not in stored and "ssss" not in stored


async def test_other_secret_or_extension_gives_other_keys(cache, phone):
    sessions = [Session(cache), Session(cache, secret="t" * 32), Session(cache)]
    sessions[2].handler.CONFIG_FILE_NAME = "Bar"
    for session in sessions:
        assert await session.outcome(send=True) == ""
    assert len(cache.items) == 3
