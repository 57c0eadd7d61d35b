"""Workspaces that are read-only, full, linked, oddly named or huge, or that ignore letter case."""

from __future__ import annotations

import ast
import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import SETTINGS, Run, contents, q2mfa, q2mfa_process
from fault_injection import obey_permissions, state
from small_workspaces import SETTINGS_PATH, fill

from q2mfa_cli.workspace import settings_file

CREATE = ("create", "Foo", "--no-input")


def run_after(prepare: Callable[[], object], *arguments: str | Path, cwd: Path, **more: str) -> Run:
    """Run the command in a process that first calls *prepare*."""
    done = subprocess.run(
        [sys.executable, "-m", "q2mfa_cli", *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more},
        preexec_fn=prepare,
        timeout=120,
        check=False,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def assert_refused(run: Run, *says: str) -> None:
    assert run.status == 1 and run.out == "", run
    assert run.err.startswith("Error: ") and len(run.err.splitlines()) == 2, run
    assert "failed unexpectedly" not in run.err, run
    for text in says:
        assert text in run.err, run


@pytest.mark.parametrize(
    ("path", "mode", "says"),
    [
        (".", 0o555, "'.q2mfa.lock': Permission denied. The workspace is unchanged."),
        (".", 0o000, "Permission denied"),
        ("configuration", 0o555, "'configuration/Foo.py': Permission denied. The workspace is unchanged."),
        ("configuration", 0o000, "Permission denied"),
        (SETTINGS_PATH, 0o444, "'configuration/settings.py': Permission denied. The workspace is unchanged."),
        (SETTINGS_PATH, 0o000, "configuration/settings.py cannot be read: Permission denied."),
        ("requirements.txt", 0o444, "'requirements.txt': Permission denied. The workspace is unchanged."),
    ],
)
def test_read_only_path_is_refused_and_nothing_changes(
    path: str, mode: int, says: str, workspace: Path
) -> None:
    before = state(workspace)
    usual = stat.S_IMODE((workspace / path).stat().st_mode)
    (workspace / path).chmod(mode)
    run = run_after(obey_permissions, *CREATE, "-o", workspace, cwd=workspace.parent)
    (workspace / path).chmod(usual)
    assert_refused(run, says)
    assert state(workspace) == before


def test_dry_run_works_in_a_read_only_workspace(workspace: Path) -> None:
    before = state(workspace)
    workspace.chmod(0o555)
    run = run_after(obey_permissions, *CREATE, "--dry-run", cwd=workspace)
    workspace.chmod(0o755)
    assert run.status == 0 and "Would create Foo" in run.out
    assert state(workspace) == before


@pytest.mark.parametrize("place", ["/proc/workspace", "/dev/null", "/dev/null/workspace", "loop", "x" * 300])
def test_path_that_cannot_be_a_workspace_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    before = state(tmp_path)
    assert_refused(q2mfa(*CREATE, "-o", place, cwd=tmp_path))
    assert state(tmp_path) == before


def test_deleted_current_folder_is_refused(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir ../gone; exec "$@"', "sh", sys.executable, "-m", "q2mfa_cli", *CREATE],
        cwd=gone,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    assert_refused(Run(done.returncode, done.stdout, done.stderr), "'.' is not a workspace")


# --- A full disk.


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], tuple[Path, Callable[[], object]]]]:
    """Makes an empty folder on a small disk, and a function that a process calls before it works there.

    The disk is a tmpfs. Without the permission to mount one, the function limits the size of each file instead.
    """
    disk = tmp_path / "disk"

    def make(kib: int) -> tuple[Path, Callable[[], object]]:
        subprocess.run(["umount", disk], capture_output=True, check=False)
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", disk]
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            return disk, lambda: None
        limit = kib * 1024 // 16
        return disk, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    yield make
    subprocess.run(["umount", disk], capture_output=True, check=False)


def test_full_disk_leaves_the_workspace_unchanged(
    small_disk: Callable[[int], tuple[Path, Callable[[], object]]],
) -> None:
    statuses = set()
    for kib in [24, 40, 56, 72, 88, 104, 120, 136, 152, 168, 256]:
        disk, prepare = small_disk(kib)
        root = disk / "workspace"
        fill(root)
        before = state(root)
        run = run_after(prepare, *CREATE, cwd=root)
        statuses.add(run.status)
        if run.status:
            assert_refused(run, "The workspace is unchanged.")
            assert "No space left on device" in run.err or "File too large" in run.err, run
            assert state(root) == before, f"{kib} KiB: {run}"
        else:
            assert (root / "Foo" / "extension.py").stat().st_size and b"'Foo'" in (
                root / SETTINGS_PATH
            ).read_bytes()
    # Some of these disks are too small, others are not.
    assert statuses == {0, 1}


def test_file_size_limit_leaves_settings_unchanged(workspace: Path) -> None:
    settings = workspace / SETTINGS_PATH
    settings.write_bytes(SETTINGS + b"# a long comment, as they grow over the years\n" * 2000)
    before = state(workspace)
    run = run_after(
        lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)), *CREATE, cwd=workspace
    )
    assert_refused(run, "'configuration/settings.py': File too large. The workspace is unchanged.")
    assert state(workspace) == before


@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--format", "json")])
def test_unwritable_report_is_an_error_that_says_what_was_done(
    arguments: tuple[str, ...], workspace: Path
) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "q2mfa_cli", *CREATE, *arguments],
            cwd=workspace,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert_refused(
        Run(done.returncode, "", done.stderr), "The report cannot be printed: No space left on device."
    )
    assert (workspace / "Foo").is_dir() == ("--dry-run" not in arguments)
    assert ("Nothing was written" in done.stderr) == ("--dry-run" in arguments)


def test_create_with_a_closed_output_pipe_completes_without_an_error(workspace: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" | true; test -d Foo', "sh", sys.executable, "-m", "q2mfa_cli", *CREATE],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "Foo was not created"
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


# --- Links, permissions, owners.


def test_linked_workspace_works_and_stays_a_link(workspace: Path) -> None:
    link = workspace.parent / "link"
    link.symlink_to("workspace")
    run = q2mfa(*CREATE, cwd=link)
    assert run.status == 0, run
    assert link.is_symlink() and (workspace / "Foo" / "extension.py").is_file()
    again = q2mfa(*CREATE, "-o", link, "--format", "json", cwd=workspace.parent)
    assert again.json["status"] == "unchanged"


@pytest.mark.parametrize("elsewhere", ["same", "/dev/shm"])
def test_linked_settings_file_stays_a_link_and_its_target_is_edited(elsewhere: str, workspace: Path) -> None:
    """Also where the target is on another file system: renaming does not work across file systems."""
    settings = workspace / SETTINGS_PATH
    with tempfile.TemporaryDirectory(dir=None if elsewhere == "same" else elsewhere) as folder:
        target = Path(folder, "our settings.py")
        shutil.move(settings, target)
        settings.symlink_to(target)
        target.chmod(0o640)
        run = q2mfa(*CREATE, cwd=workspace)
        assert run.status == 0, run
        assert settings.is_symlink() and os.readlink(settings) == str(target)
        assert "Foo" in settings_file.installed_names(target.read_bytes())
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        assert os.listdir(folder) == [target.name]


@pytest.mark.parametrize("file", [SETTINGS_PATH, "requirements.txt"])
def test_link_to_a_missing_file_is_refused(file: str, workspace: Path) -> None:
    (workspace / file).unlink()
    (workspace / file).symlink_to(workspace.parent / "nowhere" / "x")
    before = state(workspace)
    assert_refused(q2mfa(*CREATE, "-o", workspace, cwd=workspace), "is a broken link")
    assert state(workspace) == before


@pytest.mark.parametrize("where", ["Foo", "configuration"])
def test_link_out_of_the_workspace_is_refused(where: str, workspace: Path) -> None:
    outside = workspace.parent / "outside"
    if where == "configuration":
        shutil.move(workspace / where, outside)
    else:
        outside.mkdir()
    (workspace / where).symlink_to(outside)
    before = state(workspace.parent)
    run = q2mfa(*CREATE, "--force", cwd=workspace)
    assert_refused(run, "leads out of the workspace")
    assert state(workspace.parent) == before


def test_permissions_and_owners_are_kept(workspace: Path) -> None:
    files = [workspace / SETTINGS_PATH, workspace / "requirements.txt"]
    owner = (1234, 5678) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    for file, mode in zip(files, (0o600, 0o664), strict=True):
        os.chown(file, *owner)
        file.chmod(mode)
    old = [file.stat() for file in files]
    assert q2mfa(*CREATE, cwd=workspace).status == 0
    for file, before in zip(files, old, strict=True):
        after = file.stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
        # The file has a new time: Python compares times to find outdated byte code.
        assert after.st_mtime_ns > before.st_mtime_ns

    factor = workspace / "Foo" / "factor.py"
    factor.write_text("mine\n")
    factor.chmod(0o600)
    assert q2mfa(*CREATE, "--force", cwd=workspace).status == 0
    assert stat.S_IMODE(factor.stat().st_mode) == 0o600


@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_new_files_have_the_permissions_of_the_umask(umask: int, workspace: Path) -> None:
    assert run_after(lambda: os.umask(umask), *CREATE, cwd=workspace).status == 0
    for path in [workspace / "Foo", *(workspace / "Foo").rglob("*"), workspace / "configuration" / "Foo.py"]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o777 if path.is_dir() else 0o666) & ~umask, path


# --- Names.


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "name",
    [
        "with spaces",
        "Überweisung 銀行 🏦",
        "a'b\"c$(d)`e`;&|*?[x]",
        "new\nline\ttab",
        "-o",
        "\u202eltr",
        "{{ 7*7 }}",
    ],
)
def test_workspace_with_any_name_works(name: str, encoding: str, tmp_path: Path) -> None:
    root = tmp_path / name
    fill(root)
    run = q2mfa_process(*CREATE, cwd=root, env={"PYTHONIOENCODING": encoding})
    assert run.status == 0, run
    assert (root / "Foo" / "extension.py").is_file() and "Foo" in settings_file.installed_names(
        (root / SETTINGS_PATH).read_bytes()
    )
    assert not (tmp_path / name / "49").exists()
    again = q2mfa(*CREATE, "-o", str(root), "--format", "json", cwd=tmp_path)
    assert again.json["status"] == "unchanged"


def test_path_that_is_not_utf8_works(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    fill(root)
    for format in ("text", "json"):
        run = q2mfa(*CREATE, "--force", "--format", format, cwd=root)
        assert run.status == 0, run
    assert (root / "Foo" / "extension.py").is_file()


# --- A large settings.py.


def test_settings_file_of_ten_thousand_lines_is_edited_in_one_place(workspace: Path) -> None:
    settings = workspace / SETTINGS_PATH
    line = b"    'https://host-%d.bank.example',  # why it is there\n"
    long = b"HOSTS = [\n" + b"".join(line % number for number in range(9_900)) + b"]\n"
    deep = b"TOTAL = " + b" + ".join([b"1"] * 2500) + b"\n" + b"NOT = " + b"not " * 90 + b"True\n"
    settings.write_bytes(long + deep + SETTINGS)
    run = q2mfa(*CREATE, cwd=workspace)
    assert run.status == 0 and "settings.py was not changed" not in run.out, run
    assert settings.read_bytes() == (long + deep + SETTINGS).replace(b"module')]", b"module'), 'Foo']")
    ast.parse(settings.read_bytes())


# --- Names that are the same file where a file system ignores letter case.


@pytest.mark.parametrize("other", ["foo", "FOO.py", "fOO", "configuration/foo.py", "configuration/FOO.PY"])
def test_name_that_differs_only_in_letter_case_is_taken(other: str, workspace: Path) -> None:
    path = workspace / other
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"") if path.suffix else path.mkdir()
    before = state(workspace)
    run = q2mfa(*CREATE, "--force", cwd=workspace)
    assert run.status == 2 and "Foo is taken" in run.err, run
    assert state(workspace) == before


def test_names_in_a_batch_that_differ_only_in_letter_case_are_refused(workspace: Path) -> None:
    before = contents(workspace)
    run = q2mfa("create", "--answers", "-", cwd=workspace, stdin="extensions: [{name: Foo}, {name: fOO}]")
    assert run.status == 2 and "Foo and fOO" in run.err
    assert contents(workspace) == before
