"""Faults at each kind of call: the workspace is unchanged or complete, and the error says which."""

from __future__ import annotations

import contextlib
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_injection import NAMING, Hook, at, full_disk, no_hook, sent, state
from scenarios import SCENARIOS, PreparedScenario, files

pytestmark = pytest.mark.slow

CTRL_C = sent(signal.SIGINT)
# How many calls after a first fault a second one comes: from the next call to the last ones.
LATER = [1, 2, 3, 8, 21, 55]


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PreparedScenario:
    """Reset the scenario before each run: the tests share it."""
    return PreparedScenario(SCENARIOS[request.param], tmp_path_factory.mktemp("scenario"))


# Scenarios whose rollbacks differ: new files and folders only, replaced files, an update, and a removal.
rolling_back = pytest.mark.parametrize(
    "scenario", ["create a workspace", "create with --force", "update", "remove"], indirect=True
)


def hooks_at_each_point(scenario: PreparedScenario, fault: Hook) -> Iterator[tuple[str, Hook, Hook]]:
    """Where the fault comes, and the hooks before and after each call. Each time the workspace is reset."""
    for number in scenario.points:
        call = scenario.calls[number]
        scenario.reset()
        yield f"before call {number}, {call}", at(number, fault), no_hook
        if call in NAMING:
            scenario.reset()
            yield f"after call {number}, {call}", no_hook, at(number, fault)


def renames(scenario: PreparedScenario) -> list[int]:
    return [number for number in scenario.points if scenario.calls[number] in ("rename", "replace")]


def test_new_content_is_synced_before_the_first_rename(scenario: PreparedScenario) -> None:
    """A power cut must not leave an empty file that settings.py names."""
    new = files(scenario.complete).items() - files(scenario.before).items()
    first, last = renames(scenario)[0], renames(scenario)[-1]
    assert scenario.calls[:first].count("fsync") == len(new)
    # The folders are synced last.
    assert scenario.calls[last:].count("fsync") >= 1


def test_failure_at_any_call_leaves_the_workspace_unchanged_or_complete(scenario: PreparedScenario) -> None:
    for where, before, after in hooks_at_each_point(scenario, full_disk):
        run = scenario.run(before, after)
        where = f"{where}: {run}"
        left = state(scenario.base)
        if run.status == 0:
            # Only cleaning up failed. The next run does it.
            assert files(left) == files(scenario.complete), where
            scenario.assert_same_command_finishes(where)
        else:
            assert left == scenario.before, where
            assert run.status == 1 and len(run.err.splitlines()) == 2, where
            assert run.err.startswith("Error: The file system refused"), where
            assert "The workspace is unchanged." in run.err, where


@rolling_back
def test_ctrl_c_at_any_call_leaves_the_workspace_unchanged_or_complete(scenario: PreparedScenario) -> None:
    statuses = set()
    for where, before, after in hooks_at_each_point(scenario, CTRL_C):
        run = scenario.run(before, after)
        statuses.add(run.status)
        left = state(scenario.base)
        if run.status == 0:
            assert left == scenario.complete, f"{where}: {run}"
        else:
            assert run.status == 130 and len(run.err.splitlines()) == 2, f"{where}: {run}"
            assert left == scenario.before, f"{where}: {run}"
    assert statuses == {0, 130}


@contextlib.contextmanager
def inherited(number: signal.Signals, action: signal.Handlers) -> Iterator[None]:
    """Let a run in the block inherit this *action*, whatever the tests inherited."""
    before = signal.signal(number, action)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_termination_signal_has_the_effect_of_ctrl_c(number: signal.Signals, memory: Path) -> None:
    scenario = PreparedScenario(SCENARIOS["update"], memory)
    early, late = scenario.points[1], renames(scenario)[0]
    with inherited(number, signal.SIG_DFL):
        scenario.reset()
        assert scenario.run(at(early, sent(number))).status == 130 and state(scenario.base) == scenario.before
        assert scenario.run(at(late, sent(number))).status == 0 and state(scenario.base) == scenario.complete


def test_ignored_sighup_stays_ignored(memory: Path) -> None:
    """nohup ignores SIGHUP, and the commands under it inherit that."""
    scenario = PreparedScenario(SCENARIOS["create"], memory)
    scenario.reset()
    with inherited(signal.SIGHUP, signal.SIG_IGN):
        run = scenario.run(at(50, sent(signal.SIGHUP)))
    assert run.status == 0 and state(scenario.base) == scenario.complete, run


@rolling_back
def test_ctrl_c_during_a_rollback_does_not_stop_the_rollback(scenario: PreparedScenario) -> None:
    for number in renames(scenario):
        for later in LATER[:4]:
            scenario.reset()
            run = scenario.run(at(number, full_disk), at(range(number + 1, number + 1 + later), CTRL_C))
            assert run.status == 1 and state(scenario.base) == scenario.before, f"{number}, {later}: {run}"


@rolling_back
def test_lasting_disk_failure_is_reported_as_unchanged_only_if_true(scenario: PreparedScenario) -> None:
    for number in scenario.points:
        scenario.reset()
        run = scenario.run(at(range(number, 10**6), full_disk))
        where = f"from call {number}, {scenario.calls[number]}: {run}"
        left = state(scenario.base)
        if run.status == 0:
            assert files(left) == files(scenario.complete), where
        else:
            assert run.status == 1 and len(run.err.splitlines()) == 2, where
            assert ("The workspace is unchanged." in run.err) == (left == scenario.before), where
            assert ("Rolling back also failed" in run.err) == (left != scenario.before), where
        scenario.assert_each_file_is_as_before_or_complete(where)
        scenario.assert_same_command_finishes(where)


@rolling_back
def test_second_failure_during_a_rollback_is_reported_as_unchanged_only_if_true(
    scenario: PreparedScenario,
) -> None:
    for number in renames(scenario):
        for later in LATER:
            scenario.reset()
            run = scenario.run(at({number, number + later}, full_disk))
            where = f"calls {number} and {number + later}: {run}"
            left = state(scenario.base)
            if run.status == 0:
                assert files(left) == files(scenario.complete), where
            else:
                assert ("The workspace is unchanged." in run.err) == (left == scenario.before), where
            scenario.assert_each_file_is_as_before_or_complete(where)


def test_kill_at_any_call_is_repaired_by_the_same_command(scenario: PreparedScenario) -> None:
    for number in scenario.points:
        scenario.reset()
        run = scenario.run(at(number, sent(signal.SIGKILL)))
        where = f"call {number}, {scenario.calls[number]}: {run}"
        assert run.status == -signal.SIGKILL, where
        scenario.assert_each_file_is_as_before_or_complete(where)
        scenario.assert_same_command_finishes(where)


def test_update_killed_at_a_hundred_random_moments_is_finished_by_the_same_command(memory: Path) -> None:
    scenario = PreparedScenario(SCENARIOS["update"], memory)
    chance = random.Random(9)
    for number in sorted(chance.choices(range(len(scenario.calls)), k=100)):
        scenario.reset()
        run = scenario.run(at(number, sent(signal.SIGKILL)))
        where = f"call {number}, {scenario.calls[number]}: {run}"
        assert run.status == -signal.SIGKILL, where
        scenario.assert_each_file_is_as_before_or_complete(where)
        scenario.assert_same_command_finishes(where)
