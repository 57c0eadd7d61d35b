"""Real processes: killed at random moments, interrupted, and several at once in one workspace."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import pytest
from command import Run, contents, q2mfa
from faults import Fork, at, forked, state
from trials import SCENARIOS, SETTINGS_PATH, Trial, assert_not_half_edited, plain

from q2mfa_cli import transaction
from q2mfa_cli.workspace import settings_file

ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def start(arguments: list[str], cwd: Path, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "q2mfa_cli", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, **more},
    )


class Victim:
    """A process at work on a trial of its own, to be hit at a random moment."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def start(self) -> None:
        self.trial.reset()
        self.began = time.monotonic()
        self.process = Fork(self.trial.arguments, self.trial.cwd)

    def seconds(self) -> float:
        """How long the work takes when nothing happens."""
        self.start()
        assert self.process.wait().status == 0
        return time.monotonic() - self.began


@pytest.fixture
def victims(memory: Path) -> list[Victim]:
    victims = []
    for name in SCENARIOS:
        (memory / name).mkdir()
        victims.append(Victim(Trial(SCENARIOS[name], memory / name)))
    return victims


def hit_at_random(victims: list[Victim], rounds: int, number: signal.Signals) -> Iterator[tuple[Trial, Run]]:
    """Start all, hit each at a moment drawn from the time that its work takes; *rounds* times."""
    chance = random.Random(20251125)
    longest = {victim: len(victims) * max(victim.seconds() for _ in range(3)) for victim in victims}
    for _ in range(rounds):
        due = []
        for victim in victims:
            victim.start()
            due.append((victim.began + chance.uniform(0, longest[victim]), victim))
        for moment, victim in sorted(due, key=itemgetter(0)):
            time.sleep(max(0, moment - time.monotonic()))
            os.kill(victim.process.pid, number)
        for victim in victims:
            yield victim.trial, victim.process.wait()


def test_two_hundred_kills_lose_nothing_and_the_same_command_finishes_the_job(victims: list[Victim]) -> None:
    unfinished = 0
    for trial, run in hit_at_random(victims, 200 // len(victims), signal.SIGKILL):
        left = state(trial.base)
        assert_not_half_edited(trial, left, repr(run))
        unfinished += left not in (trial.before, trial.complete)
        again = trial.run()
        assert again.status == 0 and state(trial.base) == trial.complete, f"{run}\n{again}"
    # Else none of them met it at work.
    assert unfinished


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_process_undoes_what_it_did_or_has_done_it_all(
    number: signal.Signals, victims: list[Victim]
) -> None:
    for trial, run in hit_at_random(victims, 8, number):
        left = state(trial.base)
        if left != trial.complete:
            # A signal that comes before the work begins has its usual effect.
            assert left == trial.before and run.status, run


def test_an_ignored_hangup_stays_ignored(memory: Path) -> None:
    """As under nohup."""
    trial = Trial(SCENARIOS["fresh"], memory)
    trial.reset()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = trial.run(at(50, lambda number, call: os.kill(os.getpid(), signal.SIGHUP)))
    finally:
        signal.signal(signal.SIGHUP, before)
    assert run.status == 0 and state(trial.base) == trial.complete, run


def test_eight_at_once_are_all_registered(tmp_path: Path) -> None:
    """By whatever path they come to the workspace, and wherever their temporary files are."""
    root, link = tmp_path / "workspace", tmp_path / "link"
    plain(root)
    link.symlink_to(root)
    (tmp_path / "tmp").mkdir()
    names = [f"Mfa{number}" for number in range(8)]
    processes = [
        start(
            ["create", name, "--no-input", "--mfa", ("standard", "redirect")[number % 2]],
            (root, link)[number // 2 % 2],
            TMPDIR=str((tmp_path, tmp_path / "tmp")[number // 4]),
        )
        for number, name in enumerate(names)
    ]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    settings = (root / SETTINGS_PATH).read_bytes()
    assert sorted(settings_file.installed_names(settings)) == sorted(
        ["Existing", "short", "elsewhere", *names]
    )
    requirements = (root / "requirements.txt").read_text().splitlines()
    assert sorted(requirements) == ["pyjwt[crypto]>=2.12", "pyotp>=2.9", "q2-sdk==2.208.1"]
    for name in names:
        assert q2mfa("create", name, "--no-input", "--mfa", _mfa(root, name), cwd=root).out.startswith(
            "Already"
        )
    assert not list(root.glob(".q2mfa*"))


def _mfa(root: Path, name: str) -> str:
    return "redirect" if (root / name / "oidc.py").exists() else "standard"


def test_the_same_extension_twice_at_once_is_created_once(workspace: Path) -> None:
    processes = [start(["create", "Foo", "--no-input", "--format", "json"], workspace) for _ in range(3)]
    reports = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert sorted(report["status"] for report in reports) == ["created", "unchanged", "unchanged"]
    assert (workspace / SETTINGS_PATH).read_bytes().count(b"'Foo'") == 1


def test_a_run_waits_for_another_and_a_crashed_one_blocks_nobody(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner of the lock is stopped in the middle of its work, and then killed."""
    owner = Fork(
        ["create", "Owner", "--no-input"],
        workspace,
        at(30, lambda number, call: os.kill(os.getpid(), signal.SIGSTOP)),
    )
    os.waitpid(owner.pid, os.WUNTRACED)
    monkeypatch.setattr(transaction, "LOCK_SECONDS", 0.2)
    before = contents(workspace)
    refused = forked(["create", "Foo", "--no-input", "--format", "json"], workspace)
    assert refused.status == 1 and refused.json["error"]["code"] == "workspace_locked", refused
    assert "Another q2mfa is at work in this workspace." in refused.err
    assert contents(workspace) == before

    monkeypatch.undo()
    waiting = start(["create", "Foo", "--no-input"], workspace)
    os.kill(owner.pid, signal.SIGKILL)
    assert owner.wait().status == -signal.SIGKILL
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, out + err
    assert not list(workspace.glob(".q2mfa*")) and not (workspace / "Owner").exists()


def test_the_lock_is_there_for_every_user_of_the_workspace(workspace: Path) -> None:
    """Else one who was killed would block the others: they could not open what he left."""
    owner = Fork(
        ["create", "Foo", "--no-input"],
        workspace,
        at(30, lambda number, call: os.kill(os.getpid(), signal.SIGKILL)),
    )
    assert owner.wait().status == -signal.SIGKILL
    assert (workspace / transaction.LOCK).stat().st_mode & 0o777 == 0o666
