"""Transactions with the behaviors of Windows, and with programs that hold a file open. See tests/windows.py."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import windows
from fault_injection import Command, Run, at, state
from scenarios import SCENARIOS, PreparedScenario, Scenario, files

from q2mfa_cli.transaction import disk


def on_windows(scenario: Scenario) -> Scenario:
    def command(root: Path) -> Command:
        real = scenario.command(root)
        return lambda: (windows.install(), real())

    return dataclasses.replace(scenario, command=command)


@pytest.fixture(scope="module", params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PreparedScenario:
    """Reset the scenario before each run: the tests share it."""
    return PreparedScenario(on_windows(SCENARIOS[request.param]), tmp_path_factory.mktemp("scenario"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "PAUSES", (0.0,) * len(disk.PAUSES))


def first_and_last_rename(scenario: PreparedScenario) -> list[int]:
    renames = [number for number, call in enumerate(scenario.calls) if call in ("rename", "replace")]
    return [renames[0], renames[-1]]


def run_while_held(scenario: PreparedScenario, number: int, times: int) -> Run:
    """The scenario's run in which an antivirus reads the file of call *number*, which is tried *times* times."""

    def held(number: int, call: str) -> None:
        raise windows.refusal("the file", windows.SHARING_VIOLATION)

    scenario.reset()
    return scenario.run(at(range(number, number + times), held))


def test_every_new_file_is_synced_before_the_first_rename(scenario: PreparedScenario) -> None:
    new = files(scenario.complete).items() - files(scenario.before).items()
    first, _ = first_and_last_rename(scenario)
    assert scenario.calls[:first].count("fsync") == len(new)


def test_file_briefly_open_in_another_program_is_written(scenario: PreparedScenario) -> None:
    for number in first_and_last_rename(scenario):
        run = run_while_held(scenario, number, times=len(disk.PAUSES))
        assert run.status == 0 and state(scenario.base) == scenario.complete, run


def test_file_open_in_another_program_is_named_and_the_workspace_is_unchanged(
    scenario: PreparedScenario,
) -> None:
    for number in first_and_last_rename(scenario):
        run = run_while_held(scenario, number, times=len(disk.PAUSES) + 1)
        assert run.status == 1 and state(scenario.base) == scenario.before, run
        refused, remedy = run.err.splitlines()
        path = refused.removeprefix("Error: The file system refused to write '").partition("'")[0]
        assert f"workspace/{path}" in {
            name.partition("a/")[2] for name in [*scenario.before, *scenario.complete]
        }, run
        assert refused.endswith("The workspace is unchanged.") and remedy.startswith("Close the program"), run
