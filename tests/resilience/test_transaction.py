"""All or nothing: whatever fails, at whichever call, the workspace is as before or complete."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults import NAMING, at, ctrl_c, full_disk, killed, no_hook, state
from trials import SCENARIOS, Trial, assert_not_half_edited, without_ours


@pytest.fixture(params=SCENARIOS)
def trial(request: pytest.FixtureRequest, memory: Path) -> Trial:
    return Trial(SCENARIOS[request.param], memory)


def test_all_is_on_the_disk_before_settings_name_it(trial: Trial) -> None:
    """Else a power cut could leave them naming empty files."""
    files = [path for path, entry in trial.complete.items() if str(entry[0]).startswith("-")]
    changed = [path for path in files if trial.complete[path] != trial.before.get(path)]
    last = max(number for number, call in enumerate(trial.calls) if call in ("rename", "replace"))
    assert trial.calls[:last].count("fsync") == len(changed)
    # And in the end the folders that now hold them.
    assert trial.calls[last:].count("fsync") >= 1


def test_a_failure_at_any_call_leaves_the_workspace_as_before_or_complete(trial: Trial) -> None:
    for number, call in enumerate(trial.calls):
        fault = at(number, full_disk)
        for hooks in [(fault, no_hook)] + [(no_hook, fault)] * (call in NAMING):
            trial.reset()
            run = trial.run(*hooks)
            where = f"call {number}, {call}, {hooks}: {run}"
            left = state(trial.base)
            if run.status == 0:
                # Only tidying up may fail unnoticed: the next run does it.
                assert without_ours(left) == trial.complete, where
                assert trial.run().status == 0 and state(trial.base) == trial.complete, where
            else:
                assert left == trial.before, where
                assert run.status == 1 and len(run.err.splitlines()) == 2, where
                assert run.err.startswith("Error: The file system refused"), where
                assert "The workspace is as before." in run.err, where


def test_an_interruption_at_any_call_leaves_the_workspace_as_before_or_complete(trial: Trial) -> None:
    for number, call in enumerate(trial.calls):
        interruption = at(number, ctrl_c)
        for hooks in [(interruption, no_hook)] + [(no_hook, interruption)] * (call in NAMING):
            trial.reset()
            run = trial.run(*hooks)
            where = f"call {number}, {call}, {hooks}: {run}"
            left = state(trial.base)
            if run.status == 0:
                # Too late: all was in place.
                assert left == trial.complete, where
            else:
                assert run.status == 130 and len(run.err.splitlines()) == 2, where
                assert left in (trial.before, trial.complete), where


def test_a_disk_that_stays_broken_is_never_called_as_before(trial: Trial) -> None:
    """What cannot be undone either is said; and with the disk back, the same command finishes the job."""
    for number in trial.distinct:
        trial.reset()
        run = trial.run(at(range(number, 10**6), full_disk))
        where = f"from call {number} on, {trial.calls[number]}: {run}"
        left = state(trial.base)
        if run.status == 0:
            assert without_ours(left) == trial.complete, where
        else:
            assert run.status == 1 and len(run.err.splitlines()) == 2, where
            assert ("The workspace is as before." in run.err) == (left == trial.before), where
        assert_not_half_edited(trial, left, where)
        again = trial.run()
        assert again.status == 0 and state(trial.base) == trial.complete, where


def test_one_failure_more_while_undoing_is_never_called_as_before(trial: Trial) -> None:
    for number, call in enumerate(trial.calls):
        if call not in ("rename", "replace"):
            continue
        for later in range(number + 1, number + 12):
            trial.reset()
            run = trial.run(at({number, later}, full_disk))
            where = f"calls {number} and {later}: {run}"
            left = state(trial.base)
            if run.status == 0:
                assert without_ours(left) == trial.complete, where
            else:
                assert ("The workspace is as before." in run.err) == (left == trial.before), where
            assert_not_half_edited(trial, left, where)


def test_a_second_ctrl_c_does_not_cut_the_undoing_short(trial: Trial) -> None:
    for number, call in enumerate(trial.calls):
        if call not in ("rename", "replace"):
            continue
        for later in range(number + 1, number + 5):
            trial.reset()
            run = trial.run(at({number, later}, ctrl_c))
            where = f"calls {number} and {later}: {run}"
            left = state(trial.base)
            assert run.status in (0, 130), where
            assert left in (trial.before, trial.complete), where


def test_a_kill_at_any_call_leaves_nothing_half_done_and_the_next_run_finishes(trial: Trial) -> None:
    for number in trial.distinct:
        trial.reset()
        run = trial.run(at(number, killed))
        where = f"call {number}, {trial.calls[number]}: {run}"
        assert run.status == -9, where
        assert_not_half_edited(trial, state(trial.base), where)
        again = trial.run()
        assert again.status == 0 and state(trial.base) == trial.complete, f"{where}\n{again}"
