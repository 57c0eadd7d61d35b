"""What is remembered of a customer: tries count and lock, in any order of writes by workers."""

import json
import time

import pytest

from .. import customer
from ..customer import Customer, Denied
from .cache import Cache

NOW = 1_700_000_015.0
MINUTE = 60


class Clock:
    now = NOW


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    return clock


@pytest.fixture(params=[False, True], ids=["raw", "alike"])
def cache(request, clock):
    return Cache(clock, treats_alike=request.param)


def right(state):
    state["seen"] = state.get("seen", 0) + 1


def wrong(state):
    raise Denied("wrong", "it is wrong")


def outcome(cache, check, digest="jane"):
    """The code of the denial of one try; empty if it passes."""
    try:
        Customer(cache, digest).attempt(check)
    except Denied as denied:
        code, reason = denied.args
        assert reason
        return code
    return ""


def lock(cache):
    assert [outcome(cache, wrong) for _ in range(5)] == ["wrong"] * 5


def test_state_is_kept_from_one_try_to_the_next(cache):
    assert [outcome(cache, right) for _ in range(3)] == ["", "", ""]
    assert Customer(cache, "jane").change(lambda state: state["seen"]) == 3


def test_five_wrong_tries_lock_out_the_right_code_too(cache):
    lock(cache)
    assert outcome(cache, right) == outcome(cache, wrong) == "locked"
    assert Customer(cache, "john").change(lambda state: state) == {}


def test_four_wrong_tries_do_not_lock_and_success_resets_them(cache):
    for _ in range(3):
        assert [outcome(cache, wrong) for _ in range(4)] == ["wrong"] * 4
        assert outcome(cache, right) == ""


def test_another_customer_is_not_locked(cache):
    lock(cache)
    assert outcome(cache, right, "john") == ""


def test_locked_customer_cannot_change_anything(cache):
    lock(cache)
    with pytest.raises(Denied, match="locked"):
        Customer(cache, "jane").change(right)


def test_lock_grows_to_an_hour_and_starts_anew_after_success(clock, cache):
    for minutes in (5, 10, 20, 40, 60, 60):
        lock(cache)
        clock.now += minutes * MINUTE - 1
        assert outcome(cache, right) == "locked"
        clock.now += 1
    assert outcome(cache, right) == ""
    lock(cache)
    clock.now += 5 * MINUTE
    assert outcome(cache, right) == ""


def test_try_during_a_lock_does_not_extend_it(clock, cache):
    lock(cache)
    clock.now += 200
    assert outcome(cache, wrong) == "locked"
    clock.now += 100
    assert outcome(cache, right) == ""


def test_wrong_tries_are_reset_a_day_after_the_last_one(clock, cache):
    for _ in range(4):
        outcome(cache, wrong)
        clock.now += 23 * 60 * MINUTE
    assert outcome(cache, wrong) == "wrong"
    assert outcome(cache, right) == "locked"
    clock.now += 24 * 60 * MINUTE
    assert Customer(cache, "jane").change(lambda state: dict(state)) == {}


def test_try_that_raises_writes_nothing_and_passes_nothing(cache):
    with pytest.raises(ZeroDivisionError):
        Customer(cache, "jane").attempt(lambda state: 1 / 0)
    assert cache.writes == 0


@pytest.mark.parametrize("before", [0, 1])
def test_check_runs_again_if_another_worker_wrote_first(before, cache):
    """Twenty workers read the same state, and all write: each try counts."""
    for _ in range(before):
        outcome(cache, right)
    seen = []

    def check(state):
        seen.append(state.get("seen", 0))
        if len(seen) < 20:
            outcome(cache, right)
        right(state)

    assert outcome(cache, check) == ""
    assert seen == list(range(before, before + 20))
    assert Customer(cache, "jane").change(lambda state: state["seen"]) == before + 20


def test_concurrent_wrong_tries_lock_after_five(cache):
    results = []

    def check(state):
        if len(results) < 19:
            results.append("")
            place = len(results) - 1
            results[place] = outcome(cache, check)
        wrong(state)

    results.append(outcome(cache, check))
    assert sorted(results) == ["locked"] * (len(results) - 5) + ["wrong"] * 5
    assert len(results) > 5


def test_state_that_another_worker_always_changes_first_is_denied(cache, monkeypatch):
    monkeypatch.setattr(customer, "MAX_WRITES", 3)
    tries = []

    def check(state):
        tries.append(1)
        Customer(cache, "jane").change(lambda other: other.update(x=len(tries)))

    assert outcome(cache, check) == "cache_unavailable"
    assert len(tries) == 3


@pytest.mark.parametrize("broken", ["gets", "add", "cas"])
def test_cache_failure_is_denied_and_its_message_is_not_shown(broken, cache):
    outcome(cache, right)

    def fail(*_, **options):
        raise OSError("host cache7")

    setattr(cache, broken, fail)
    digest = "john" if broken == "add" else "jane"
    with pytest.raises(Denied) as caught:
        Customer(cache, digest).attempt(right)
    code, reason = caught.value.args
    assert code == "cache_unavailable"
    assert "OSError" in reason and "cache7" not in reason
    assert caught.value.__cause__ is None


def test_cache_without_the_methods_denies():
    assert outcome({}, right) == "cache_unavailable"


@pytest.mark.parametrize("answer", [None, False, 1, "STORED"])
def test_unconfirmed_cache_write_is_denied(answer, cache):
    cache.add = lambda *_, **__: answer
    assert outcome(cache, right) == "cache_unavailable"


@pytest.mark.parametrize("value", ["", "x", "[]", "7", "null", '{"until": "x"}'])
def test_unreadable_state_is_denied(value, cache):
    cache.add(Customer(cache, "jane").key, value, 60)
    assert outcome(cache, right) == "cache_unavailable"


def test_state_that_cannot_be_read_back_is_denied(cache):
    outcome(cache, right)
    cache.gets = lambda key: (None, None)
    assert outcome(cache, right) == "cache_unavailable"


def test_key_has_the_digest_and_the_state_is_json(cache):
    outcome(cache, wrong)
    [(key, (value, *_))] = cache.items.items()
    assert key.endswith("mfa_customer_jane")
    state = json.loads(json.loads(value) if cache.treats_alike else value)
    assert state == {"wrong": 1}
