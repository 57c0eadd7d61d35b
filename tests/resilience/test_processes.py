"""Several processes at once in one workspace, and the lock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import contents, q2mfa
from fault_injection import Fork, at, command_line, forked, sent
from scenarios import with_earlier_foo
from small_workspaces import SETTINGS_PATH, fill

from q2mfa_cli.transaction import locking
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


def test_eight_processes_at_once_register_eight_extensions(tmp_path: Path) -> None:
    """They reach the workspace by different paths, and have different folders for temporary files."""
    root, link = tmp_path / "workspace", tmp_path / "link"
    fill(root)
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
    assert sorted(requirements) == ["pyjwt[crypto]>=2.12", "pyotp>=2.12", "q2-sdk==2.208.1"]
    for name in names:
        assert q2mfa("create", name, "--no-input", "--mfa", _mfa(root, name), cwd=root).out.startswith(
            "Already"
        )
    assert not list(root.glob(".q2mfa[.-]*"))


def _mfa(root: Path, name: str) -> str:
    return "redirect" if (root / name / "oidc.py").exists() else "standard"


def test_three_processes_at_once_create_one_extension_once(workspace: Path) -> None:
    processes = [start(["create", "Foo", "--no-input", "--format", "json"], workspace) for _ in range(3)]
    reports = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert sorted(report["status"] for report in reports) == ["created", "unchanged", "unchanged"]
    assert (workspace / SETTINGS_PATH).read_bytes().count(b"'Foo'") == 1


@pytest.fixture
def lock_holder(workspace: Path) -> Iterator[Fork]:
    """A process that holds the lock of the workspace, stopped in the middle of its work."""
    process = Fork(command_line("create", "Owner", "--no-input"), workspace, at(30, sent(signal.SIGSTOP)))
    os.waitpid(process.pid, os.WUNTRACED)
    yield process
    if process.running:
        process.kill()


def test_create_in_a_locked_workspace_is_refused_after_the_time_limit(
    lock_holder: Fork, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "LOCK_SECONDS", 0.2)
    before = contents(workspace)
    refused = forked(command_line("create", "Foo", "--no-input", "--format", "json"), workspace)
    assert refused.status == 1 and refused.json["error"]["code"] == "workspace_locked", refused
    assert "Another q2mfa process is working in this workspace." in refused.err
    assert contents(workspace) == before


def test_ctrl_c_ends_the_wait_for_the_lock(lock_holder: Fork, workspace: Path) -> None:
    before = contents(workspace)
    # The first call that may write opens the lock file.
    run = forked(command_line("create", "Foo", "--no-input"), workspace, at(0, sent(signal.SIGINT)))
    assert run.status == 130, run
    assert contents(workspace) == before


def test_lock_of_a_killed_process_does_not_block_the_next(lock_holder: Fork, workspace: Path) -> None:
    waiting = start(["create", "Foo", "--no-input"], workspace)
    assert lock_holder.kill().status == -signal.SIGKILL
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, out + err
    assert not list(workspace.glob(".q2mfa[.-]*")) and not (workspace / "Owner").exists()


def test_lock_file_is_writable_for_every_user_of_the_workspace(lock_holder: Fork, workspace: Path) -> None:
    """Otherwise the lock file of a killed process blocks other users."""
    assert (workspace / locking.LOCK).stat().st_mode & 0o777 == 0o666


def test_two_updates_at_once_update_the_extension_once(tmp_path: Path) -> None:
    with_earlier_foo(tmp_path / "workspace")
    processes = [start(["update", "--all", "--format", "json"], tmp_path / "workspace") for _ in range(2)]
    reports = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert sorted(report["status"] for report in reports) == ["unchanged", "updated"]
