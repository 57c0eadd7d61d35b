"""The factor alone: each way to fail it, and the one way to pass. It goes with the factor."""

import re
import time
from types import SimpleNamespace

import pyotp
import pytest

from .. import factor
from ..customer import Denied
from .cache import Cache

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = 1_700_000_015.0  # the middle of a time step


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


def code(steps=0, secret=SECRET):
    return pyotp.TOTP(secret).at(NOW + 30 * steps)


async def outcome(cache, passcode, secret=SECRET):
    """The code of the denial; empty if the passcode is right."""
    handler = SimpleNamespace(cache=cache, mfa_info=SimpleNamespace(registration_value=secret))
    try:
        assert await factor.Factor(handler).verify({"passcode": passcode}) is True
    except Denied as denied:
        denial, reason = denied.args
        assert reason and not {str(passcode), str(secret)} & set(reason.split())
        assert denied.__cause__ is None
        return denial
    return ""


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_code_of_this_step_or_a_neighbor_passes_once(steps, cache):
    assert await outcome(cache, code(steps)) == ""
    assert await outcome(cache, code(steps)) == "used_passcode"


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
async def test_code_of_another_step_is_wrong(steps, cache):
    assert await outcome(cache, code(steps)) == "wrong_passcode"


NOT_SIX_DIGITS = [None, 123456, "", "12345", "1234567", "abcdef", [], {}, True, "1" * 10**6]


@pytest.mark.parametrize("passcode", NOT_SIX_DIGITS)
async def test_what_is_not_six_digits_is_wrong(passcode, cache):
    assert await outcome(cache, passcode) == "wrong_passcode"


async def test_missing_passcode_is_wrong(cache):
    handler = SimpleNamespace(cache=cache, mfa_info=SimpleNamespace(registration_value=SECRET))
    with pytest.raises(Denied, match="wrong_passcode"):
        await factor.Factor(handler).verify({})


async def test_right_digits_of_another_kind_are_wrong(cache):
    assert code().isdigit() and code()[0] != "0"
    full_width = code().translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    for passcode in (int(code()), code().encode(), full_width):
        assert await outcome(cache, passcode) == "wrong_passcode"


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} "])
async def test_right_digits_with_something_around_are_wrong(around, cache):
    assert await outcome(cache, around.format(code())) == "wrong_passcode"


async def test_code_older_than_the_last_one_used_is_refused(cache):
    assert await outcome(cache, code(0)) == ""
    assert await outcome(cache, code(-1)) == "used_passcode"
    assert await outcome(cache, code(1)) == ""


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_used_code_is_remembered_as_long_as_it_is_valid(steps, clock, cache):
    clock.now = NOW - NOW % 30
    passcode = code(steps)
    assert await outcome(cache, passcode) == ""
    valid_until = NOW - NOW % 30 + 30 * (steps + 2)
    while clock.now < valid_until - 25:
        clock.now += 25
        assert await outcome(cache, passcode) == "used_passcode"


async def test_five_wrong_codes_lock_the_customer_and_nobody_else(cache):
    for _ in range(5):
        assert await outcome(cache, "000000") == "wrong_passcode"
    assert await outcome(cache, code()) == "locked"
    assert await outcome(cache, code(secret=SECRET[::-1]), SECRET[::-1]) == ""


async def test_used_codes_count_as_wrong(cache):
    assert await outcome(cache, code()) == ""
    for _ in range(5):
        assert await outcome(cache, code()) == "used_passcode"
    assert await outcome(cache, code(1)) == "locked"


async def test_secret_in_other_letters_is_the_same_customer(cache):
    assert await outcome(cache, code()) == ""
    assert await outcome(cache, code(), SECRET.lower()) == "used_passcode"


@pytest.mark.parametrize("secret", [None, "", "not base32!", "1", 12345, ["JBSWY3DP"]])
async def test_registration_value_that_is_no_secret_is_denied(secret, cache):
    for passcode in (code(), "000000", None, ""):
        assert await outcome(cache, passcode, secret) == "not_registered"
    assert cache.items == {}


@pytest.mark.parametrize(("letters", "expected"), [(24, "not_registered"), (26, "")])
async def test_secret_needs_128_bits(letters, expected, cache):
    secret = SECRET[: letters - 1] + "A"
    pyotp_takes_it = pyotp.TOTP(secret)
    assert len(pyotp_takes_it.byte_secret()) == (15 if expected else 16)
    assert await outcome(cache, pyotp_takes_it.at(NOW), secret) == expected


async def test_cache_that_is_down_denies(cache):
    cache.gets = None
    assert await outcome(cache, code()) == "cache_unavailable"


async def test_key_and_state_have_neither_code_nor_secret(cache):
    await outcome(cache, code())
    await outcome(cache, code())
    [(key, (state, *_))] = cache.items.items()
    assert re.fullmatch("mfa_customer_[0-9a-f]{64}", key)
    for secret in (SECRET, code()):
        assert secret not in key + state
