"""All or nothing: whatever fails, at whichever call, the workspace is as before or complete."""

from __future__ import annotations

import ast
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import SETTINGS, Run
from faults import NAMING, Hook, at, calls_of, ctrl_c, forked, full_disk, killed, no_hook, state

SETTINGS_PATH = "configuration/settings.py"
Tree = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Scenario:
    """A command, and the folder that it is run for: ``make`` fills a given folder, or leaves it missing."""

    arguments: list[str]
    make: Callable[[Path], None]


def plain(root: Path) -> None:
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    (root / SETTINGS_PATH).write_bytes(SETTINGS)
    (root / SETTINGS_PATH).chmod(0o640)
    (root / "requirements.txt").write_bytes(b"q2-sdk==2.208.1\n")


def older(root: Path) -> None:
    """As SDK 2.51 left it, settings.py a link as some teams keep it, and byte code of a Foo that is gone."""
    (root / "configuration").mkdir(parents=True)
    (root / "shared").mkdir()
    (root / "shared" / "settings.py").write_bytes(b"# pylint: disable=wildcard-import\r\n" + SETTINGS)
    (root / SETTINGS_PATH).symlink_to("../shared/settings.py")
    (root / "Foo" / "__pycache__").mkdir(parents=True)
    (root / "Foo" / "__pycache__" / "urls.cpython-311.pyc").write_bytes(b"old")


def changed(root: Path) -> None:
    """Foo was created before; since then two of its files were changed and one was lost."""
    plain(root)
    assert forked(["create", "Foo", "--no-input"], root).status == 0
    (root / "Foo" / "factor.py").write_bytes(b"mine\n")
    (root / "Foo" / "factor.py").chmod(0o600)
    (root / "configuration" / "Foo.py").write_bytes(b"mine too\n")
    (root / "Foo" / "urls.py").unlink()
    (root / SETTINGS_PATH).write_bytes(SETTINGS)


def batch(root: Path) -> None:
    plain(root)
    entries = [{"name": "Foo"}, {"name": "Bar", "mfa": "redirect", "issuer": "https://idp.bank.example"}]
    (root / "answers.json").write_text(json.dumps({"extensions": entries}))


SCENARIOS = {
    "fresh": Scenario(["create", "Foo", "--no-input"], plain),
    "older": Scenario(["create", "Foo", "--mfa=redirect", "--issuer=https://idp.x", "--no-input"], older),
    "force": Scenario(["create", "Foo", "--no-input", "--force"], changed),
    "batch": Scenario(["create", "--answers", "answers.json"], batch),
    "no workspace": Scenario(["create", "Foo", "--no-input"], lambda root: None),
}


class Trial:
    """One scenario: its tree before, its tree when complete, and the calls of a run that nothing disturbs."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.pristine = folder / "pristine"
        scenario.make(self.pristine)
        # Two levels below an existing folder, so that a missing workspace means two folders to make.
        self.base = folder / "base"
        self.root = self.base / "a" / "workspace"
        self.exists = self.pristine.exists()
        self.arguments = [*scenario.arguments, *([] if self.exists else ["-o", str(self.root)])]
        self.reset()
        self.before = state(self.base)
        self.calls = calls_of(self.arguments, self.cwd)
        self.complete = state(self.base)
        assert self.complete != self.before
        assert not [path for path in self.complete if ".q2mfa" in path]

    @property
    def cwd(self) -> Path:
        return self.root if self.exists else self.base

    def reset(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir()
        if self.exists:
            shutil.copytree(self.pristine, self.root, symlinks=True)

    def run(self, before: Hook = no_hook, after: Hook = no_hook) -> Run:
        return forked(self.arguments, self.cwd, before, after)


@pytest.fixture(params=SCENARIOS)
def trial(request: pytest.FixtureRequest) -> Iterator[Trial]:
    # In memory where there is such a place: some thousand workspaces are made here.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Trial(SCENARIOS[request.param], Path(folder))


def without_ours(tree: Tree) -> Tree:
    """*tree* without what q2mfa keeps for itself while it is at work."""
    return {path: entry for path, entry in tree.items() if ".q2mfa" not in path}


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
    for number in range(len(trial.calls)):
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
    for number, call in enumerate(trial.calls):
        # What is only written in the staging folder is the same at each of these calls.
        if call not in NAMING and number % 5:
            continue
        trial.reset()
        run = trial.run(at(number, killed))
        where = f"call {number}, {call}: {run}"
        assert run.status == -9, where
        assert_not_half_edited(trial, state(trial.base), where)
        again = trial.run()
        assert again.status == 0 and state(trial.base) == trial.complete, f"{where}\n{again}"


def assert_not_half_edited(trial: Trial, left: Tree, where: str) -> None:
    """Each path is as before or as when complete, and settings.py comes last."""
    trees = (trial.before, trial.complete)
    for path, entry in without_ours(left).items():
        assert entry in (tree.get(path) for tree in trees), f"{path} {where}"
    for path in trial.before:
        assert path in left, f"{path} {where}"
    settings = trial.root / SETTINGS_PATH
    if settings.exists():
        ast.parse(settings.read_bytes())
        (path,) = [
            p
            for p in left
            if p.endswith(("shared/settings.py", SETTINGS_PATH)) and left[p][3] != "../shared/settings.py"
        ]
        if left[path] != trial.before[path]:
            assert without_ours(left) == trial.complete, where
