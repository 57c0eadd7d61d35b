"""Changes applied directly: adding, editing and removing files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fault_injection import obey_permissions, state

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.transaction import Change, Transaction

REMOVE = """
import pathlib, sys
from q2mfa_cli.transaction import Change, Transaction
with Transaction(pathlib.Path(sys.argv[1])) as transaction:
    transaction.apply([Change("Foo/a.py", b"Foo/a.py", None)])
"""


def apply(root: Path, *changes: Change) -> None:
    with Transaction(root) as open_transaction:
        open_transaction.apply(changes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    (root / "Foo" / "tests" / "data").mkdir(parents=True)
    for path in ("Foo/a.py", "Foo/tests/b.py", "Foo/tests/data/c.py", "top.py"):
        (root / path).write_bytes(path.encode())
    return root


def removal(path: str) -> Change:
    return Change(path, path.encode(), None)


def paths(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_removal_of_the_last_file_removes_its_folders(root: Path) -> None:
    apply(root, removal("Foo/tests/data/c.py"), removal("Foo/tests/b.py"))
    assert paths(root) == ["Foo", "Foo/a.py", "top.py"]


def test_removal_keeps_folders_that_have_other_files(root: Path) -> None:
    (root / "Foo" / "tests" / "mine.txt").touch()
    apply(root, *map(removal, ["Foo/a.py", "Foo/tests/data/c.py", "Foo/tests/b.py"]))
    assert paths(root) == ["Foo", "Foo/tests", "Foo/tests/mine.txt", "top.py"]


def test_removal_keeps_folders_that_were_empty_before(root: Path) -> None:
    (root / "Foo" / "tests" / "mine").mkdir()
    apply(root, removal("Foo/tests/data/c.py"), removal("Foo/tests/b.py"))
    assert paths(root) == ["Foo", "Foo/a.py", "Foo/tests", "Foo/tests/mine", "top.py"]


def test_removal_of_every_file_keeps_the_root(root: Path) -> None:
    apply(root, *map(removal, ["top.py", "Foo/a.py", "Foo/tests/data/c.py", "Foo/tests/b.py"]))
    assert root.is_dir() and paths(root) == []


def test_removal_and_addition_in_one_folder_keep_the_folder(root: Path) -> None:
    apply(root, removal("Foo/tests/data/c.py"), Change("Foo/tests/data/d.py", None, b"d"))
    assert (root / "Foo" / "tests" / "data" / "d.py").read_bytes() == b"d"


def test_removal_of_a_link_keeps_its_target(root: Path) -> None:
    (root / "Foo" / "link.py").symlink_to("../top.py")
    apply(root, Change("Foo/link.py", b"top.py", None))
    assert not (root / "Foo" / "link.py").is_symlink() and (root / "top.py").read_bytes() == b"top.py"


def test_removal_through_a_linked_folder_keeps_the_link(root: Path) -> None:
    (root / "linked").symlink_to("Foo/tests/data")
    apply(root, Change("linked/c.py", b"Foo/tests/data/c.py", None))
    assert (root / "linked").is_symlink() and list((root / "linked").iterdir()) == []


@pytest.mark.parametrize(
    "late",
    [
        Change("top.py", b"planned for this", None),
        Change("top.py", b"planned for this", b"edited"),
        Change("top.py", None, b"new"),
    ],
    ids=["removal", "edit", "addition"],
)
def test_file_changed_since_the_plan_rolls_back_every_change(late: Change, root: Path) -> None:
    before = state(root)
    with pytest.raises(Q2mfaError, match=r"Another program changed 'top\.py'") as raised:
        apply(
            root,
            removal("Foo/tests/data/c.py"),
            Change("Foo/a.py", b"Foo/a.py", b"edited"),
            Change("New/deep/new.py", None, b"new"),
            late,
        )
    assert raised.value.code == "changed_meanwhile"
    assert state(root) == before


def test_read_only_file_is_not_removed(root: Path) -> None:
    (root / "Foo" / "a.py").chmod(0o444)
    before = state(root)
    done = subprocess.run(
        [sys.executable, "-c", REMOVE, root],
        preexec_fn=obey_permissions,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "to write 'Foo/a.py': Permission denied. The workspace is unchanged." in done.stderr
    assert state(root) == before


def test_error_inside_a_transaction_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Transaction(tmp_path / "new" / "workspace"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system")
def test_changes_through_a_link_reach_another_file_system(root: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        (root / "linked").symlink_to(elsewhere)
        Path(elsewhere, "old.py").write_bytes(b"old")
        Path(elsewhere, "edited.py").write_bytes(b"old")
        apply(
            root,
            Change("linked/old.py", b"old", None),
            Change("linked/edited.py", b"old", b"edited"),
            Change("linked/deep/new.py", None, b"new"),
        )
        assert paths(Path(elsewhere)) == ["deep", "deep/new.py", "edited.py"]
        assert Path(elsewhere, "edited.py").read_bytes() == b"edited"
    assert not list(root.glob(".q2mfa[.-]*"))
