"""The factor alone: each way to fail it, and the one way to pass."""

import logging
import re
import time
from types import SimpleNamespace

import pyotp
import pytest
from q2_sdk.core.exceptions import TectonError

from .. import factor

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = 1_700_000_015.0  # the middle of a time step


class Clock:
    now = NOW


class SessionCache:
    """A session's cache, with the clock of the test."""

    def __init__(self, clock):
        self.clock = clock
        self.items = {}

    def set(self, key, value, seconds):
        assert type(seconds) is int
        self.items[key] = (value, self.clock.now + seconds)

    def get(self, key, default=None):
        value, expires = self.items.get(key, (default, float("inf")))
        return value if self.clock.now < expires else default

    def delete(self, key):
        self.items.pop(key, None)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    return clock


@pytest.fixture
def cache(clock):
    return SessionCache(clock)


def a_factor(cache, secret=SECRET):
    return factor.PasscodeFactor(secret, cache, logging.getLogger("factor"))


def code(steps=0, now=NOW):
    return pyotp.TOTP(SECRET).at(now + 30 * steps)


async def denied(cache, passcode, secret=SECRET):
    """The code of the denial; the log has its reason, in one line."""
    log = []
    logger = SimpleNamespace(warning=lambda line, *values: log.append(line % values))
    with pytest.raises(TectonError) as caught:
        await factor.PasscodeFactor(secret, cache, logger).verify(passcode)
    assert len(log) == 1 and re.fullmatch("External MFA denied: (?!None).+", log[0])
    assert caught.value.data == {"code": str(caught.value)}
    return caught.value.data["code"]


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_code_of_this_step_or_a_neighbour_passes(steps, cache):
    await a_factor(cache).verify(code(steps))
    assert await denied(cache, code(steps)) == "used_passcode"


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
async def test_a_code_of_another_step_is_wrong(steps, cache):
    assert await denied(cache, code(steps)) == "wrong_passcode"


@pytest.mark.parametrize("passcode", [None, 123456, "", "12345", "1234567", "abcdef", "１２３４５６", [], {}, True, "1" * 10**6])
async def test_what_is_not_six_digits_is_wrong(passcode, cache):
    assert await denied(cache, passcode) == "wrong_passcode"


async def test_the_right_digits_of_another_kind_are_wrong(cache):
    assert code().isdigit() and code()[0] != "0"
    for passcode in (int(code()), code().encode(), code().translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})):
        assert await denied(cache, passcode) == "wrong_passcode"


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} "])
async def test_the_right_digits_with_something_around_are_wrong(around, cache):
    assert await denied(cache, around.format(code())) == "wrong_passcode"


async def test_a_code_older_than_the_last_one_used_is_refused(cache):
    await a_factor(cache).verify(code(0))
    assert await denied(cache, code(-1)) == "used_passcode"
    await a_factor(cache).verify(code(1))


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_used_code_is_remembered_as_long_as_it_is_valid(steps, clock, cache):
    clock.now = NOW - NOW % 30
    passcode = code(steps)
    await a_factor(cache).verify(passcode)
    valid_until = NOW - NOW % 30 + 30 * (steps + 2)
    while clock.now < valid_until - 10:
        clock.now += 10
        assert await denied(cache, passcode) in ("used_passcode", "locked")
        cache.delete(factor.TRIES_KEY)


async def test_five_wrong_tries_lock_and_even_the_right_code_is_refused(cache):
    for _ in range(4):
        assert await denied(cache, "000000") == "wrong_passcode"
    assert await denied(cache, "000000") == "wrong_passcode"
    assert await denied(cache, code()) == "locked"


async def test_four_wrong_tries_do_not_lock(cache):
    for _ in range(4):
        await denied(cache, "000000")
    await a_factor(cache).verify(code())


async def test_the_lock_opens_after_five_minutes(clock, cache):
    for _ in range(5):
        await denied(cache, "000000")
    clock.now = NOW + 299
    assert await denied(cache, code(now=clock.now)) == "locked"
    clock.now = NOW + 300
    await a_factor(cache).verify(code(now=clock.now))


async def test_a_refused_try_does_not_extend_the_lock(clock, cache):
    for _ in range(5):
        await denied(cache, "000000")
    clock.now = NOW + 200
    assert await denied(cache, "000000") == "locked"
    clock.now = NOW + 301
    await a_factor(cache).verify(code(now=clock.now))


async def test_tries_spread_over_more_than_five_minutes_do_not_lock(clock, cache):
    for _ in range(12):
        assert await denied(cache, "000000") == "wrong_passcode"
        clock.now += 76


async def test_a_try_counts_even_if_its_check_never_ends(cache, monkeypatch):
    monkeypatch.setattr(factor.PasscodeFactor, "_matching_step", lambda *_: 1 / 0)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await a_factor(cache).verify("000000")
    monkeypatch.undo()
    monkeypatch.setattr(time, "time", lambda: NOW)
    assert await denied(cache, code()) == "locked"


async def test_success_forgets_the_wrong_tries(cache):
    for steps in (-1, 0, 1):
        for _ in range(4):
            assert await denied(cache, "000000") == "wrong_passcode"
        await a_factor(cache).verify(code(steps))


@pytest.mark.parametrize("secret", [None, ""])
async def test_without_a_registration_nothing_passes(secret, cache):
    for passcode in (code(), "000000", None, ""):
        assert await denied(cache, passcode, secret) == "not_registered"


@pytest.mark.parametrize("secret", ["not base32!", "1", 12345, ["JBSWY3DP"]])
async def test_a_registration_value_that_is_no_secret_is_denied_without_being_told(secret, cache, caplog):
    with pytest.raises(TectonError) as caught:
        await a_factor(cache, secret).verify(code())
    assert caught.value.data == {"code": "not_registered"}
    assert str(secret) not in caught.value.message + caplog.text
    assert caught.value.__cause__ is None


async def test_a_secret_short_enough_to_guess_is_denied(cache, monkeypatch):
    monkeypatch.setattr(pyotp.TOTP, "generate_otp", lambda *_: "123456")
    monkeypatch.setattr(pyotp.TOTP, "byte_secret", lambda _: b"x" * 9)
    assert await denied(cache, "123456") == "not_registered"
    monkeypatch.setattr(pyotp.TOTP, "byte_secret", lambda _: b"x" * 10)
    await a_factor(cache).verify("123456")


@pytest.mark.parametrize("broken", ["get", "set"])
async def test_a_cache_that_fails_denies(broken, cache, monkeypatch):
    def fail(*_):
        raise OSError("no memcached")

    monkeypatch.setattr(cache, broken, fail)
    with pytest.raises(OSError, match="no memcached"):
        await a_factor(cache).verify(code())


async def test_the_log_has_the_reason_and_neither_code_nor_secret(cache, caplog):
    with pytest.raises(TectonError):
        await a_factor(cache).verify("424242")
    assert "External MFA denied: the passcode is wrong" in caplog.text
    assert "424242" not in caplog.text and SECRET not in caplog.text
