"""Problems that users of other update tools reported. A docstring names the project and the number of its issue."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command import contents, q2mfa
from earlier_templates import earlier_record, install
from updating import EARLIER_VERSION, install_earlier, new_tree, outcomes, recorded, update

from q2mfa_cli.merge import has_markers

NEW = new_tree()
FACTOR, URLS, README = "Foo/factor.py", "Foo/urls.py", "Foo/README.md"
OLD_WINDOW = NEW[FACTOR].replace(b"WINDOW_STEPS = 1", b"WINDOW_STEPS = 9")
MY_WINDOW = NEW[FACTOR].replace(b"WINDOW_STEPS = 1", b"WINDOW_STEPS = 2")
OLD_README = b"old\n\n" + NEW[README]


@pytest.fixture
def conflicting(workspace: Path) -> Path:
    """Foo, with a conflict in factor.py, and README.md to update."""
    install_earlier(workspace, {FACTOR: OLD_WINDOW, README: OLD_README}, {FACTOR: MY_WINDOW})
    return workspace


def test_file_added_to_the_template_is_created_by_an_update(workspace: Path) -> None:
    """moai-adk 1519: the base was taken from the installed version, so it equaled the new one."""
    install(workspace, earlier_record("standard", "Foo"))
    run = update(workspace, "--format", "json")
    assert run.status == 0, run
    assert outcomes(run)["Foo/customer.py"] == "created"
    assert (workspace / "Foo/customer.py").read_bytes() == NEW["Foo/customer.py"]


def test_conflict_without_a_resolution_writes_nothing(conflicting: Path) -> None:
    """moai-adk 1243: where the merge failed, the new file replaced the owner's silently."""
    before = contents(conflicting)
    run = update(conflicting)
    assert run.status == 1 and "Nothing was written" in run.err and FACTOR in run.err
    assert contents(conflicting) == before


def test_three_conflicts_in_one_file_are_counted_and_marked(workspace: Path) -> None:
    """aegis-stack 772: the exit status of `git merge-file` is the number of conflicts, and was read as an error."""
    lines = NEW[FACTOR].splitlines(keepends=True)
    base, mine = list(lines), list(lines)
    for number in (4, 14, 24):
        base[number], mine[number] = b"# old %d\n" % number, b"# mine %d\n" % number
    install_earlier(workspace, {FACTOR: b"".join(base)}, {FACTOR: b"".join(mine)})
    run = update(workspace)
    assert run.status == 1 and f"{FACTOR} (3 places)" in run.err
    run = update(workspace, "--conflict", "markers")
    assert run.status == 1 and (workspace / FACTOR).read_bytes().count(b"<<<<<<< yours") == 3


@pytest.mark.parametrize("resolution", ["markers", "new"])
def test_update_with_an_unresolved_conflict_exits_with_1(resolution: str, conflicting: Path) -> None:
    """renovate 31600: conflicts and exit status 0, so bots committed the markers."""
    run = update(conflicting, "--conflict", resolution, "--format", "json")
    assert run.status == 1 and run.json["status"] == "conflict" and run.json["error"]["code"] == "unresolved"
    assert update(conflicting, "--check").status == 1


def test_unresolved_conflict_is_not_recorded_as_up_to_date(conflicting: Path) -> None:
    """cruft 47: rejected hunks, and yet the new version was recorded."""
    update(conflicting)
    assert recorded(conflicting).version == EARLIER_VERSION
    update(conflicting, "--conflict", "markers")
    assert recorded(conflicting).open == (FACTOR,)
    assert "has conflicts to resolve" in q2mfa("list", cwd=conflicting).out
    refused = update(conflicting)
    assert refused.status == 1 and "earlier update" in refused.err


def test_update_works_without_git(conflicting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """cruft 44: no git, or a commit that is gone, and no update."""
    monkeypatch.setenv("PATH", "")
    assert not (conflicting / ".git").exists()
    run = update(conflicting, "--conflict", "theirs")
    assert run.status == 0, run
    assert (conflicting / README).read_bytes() == NEW[README]


@pytest.mark.parametrize("arguments", [[], ["--conflict", "markers"], ["--conflict", "theirs"]])
def test_dry_run_reports_the_same_changes_as_the_update(conflicting: Path, arguments: list[str]) -> None:
    """cruft 49, aegis-stack 774: the dry run showed something else."""
    before = contents(conflicting)
    planned = update(conflicting, *arguments, "--dry-run", "--format", "json")
    assert contents(conflicting) == before
    done = update(conflicting, *arguments, "--format", "json")
    assert done.status == planned.status
    assert done.json["extensions"] == planned.json["extensions"]
    assert (contents(conflicting) == before) == (arguments == [])


@pytest.mark.parametrize("resolution", ["markers", "ours", "theirs"])
def test_resolution_other_than_new_adds_no_file(conflicting: Path, resolution: str) -> None:
    """cruft 206: .rej files. Only --conflict new writes one, and says so."""
    before = set(contents(conflicting))
    update(conflicting, "--conflict", resolution)
    assert set(contents(conflicting)) == before


def test_git_configuration_does_not_change_the_merge(
    conflicting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cruft 276, 177 and 82, copier 2432."""
    (tmp_path / "gitconfig").write_text(
        "[core]\n autocrlf = true\n[merge]\n conflictstyle = merge\n[diff]\n noprefix = true\n external = false\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    run = update(conflicting, "--conflict", "markers")
    assert run.status == 1 and b"||||||| generated by" in (conflicting / FACTOR).read_bytes()


def test_update_of_a_dirty_work_tree_keeps_untracked_files(conflicting: Path) -> None:
    """cruft 91, ng 29110: refused."""
    (conflicting / ".git").mkdir()
    (conflicting / "Foo" / "untracked.py").write_bytes(b"mine\n")
    assert update(conflicting, "--conflict", "ours").status == 0
    assert (conflicting / "Foo" / "untracked.py").read_bytes() == b"mine\n"


def test_update_stopped_by_a_conflict_can_be_repeated_with_a_resolution(conflicting: Path) -> None:
    """copier 1668: no way to abort. Without --conflict everything stays, and the update can be made later."""
    before = contents(conflicting)
    assert update(conflicting).status == 1 and contents(conflicting) == before
    assert update(conflicting, "--conflict", "theirs").status == 0
    assert (conflicting / FACTOR).read_bytes() == NEW[FACTOR]


def test_update_does_not_restore_deleted_files(workspace: Path) -> None:
    """copier 1719."""
    install_earlier(workspace, {README: OLD_README}, {README: None, URLS: None})
    run = update(workspace)
    assert run.status == 0 and "--restore Foo/README.md" in run.out and URLS not in run.out
    assert not (workspace / README).exists() and not (workspace / URLS).exists()


@pytest.mark.parametrize("path", [README, "README.md"])
@pytest.mark.parametrize("generated", [{README: OLD_README}, {}])
def test_restore_flag_restores_a_deleted_file(
    workspace: Path, path: str, generated: dict[str, bytes]
) -> None:
    """copier 1735."""
    install_earlier(workspace, generated, {README: None})
    run = update(workspace, "--restore", path)
    assert run.status == 0, run
    assert (workspace / README).read_bytes() == NEW[README]


def test_update_keeps_the_edits_of_a_renamed_file(workspace: Path) -> None:
    """copier 367."""
    customer = NEW["Foo/customer.py"]
    mine = customer.replace(b"MAX_WRONG = 5", b"MAX_WRONG = 3")
    install_earlier(
        workspace, {"Foo/customer.py": None, "Foo/attempts.py": customer}, {"Foo/attempts.py": mine}
    )
    run = update(workspace)
    assert run.status == 0 and "now Foo/customer.py" in run.out
    assert (workspace / "Foo/customer.py").read_bytes() == mine
    assert not (workspace / "Foo/attempts.py").exists()


def test_own_file_at_the_path_of_a_new_file_is_a_conflict(workspace: Path) -> None:
    """cruft 67."""
    install_earlier(workspace, {"Foo/customer.py": None}, {"Foo/customer.py": b"mine\n"})
    run = update(workspace)
    assert run.status == 1 and "Foo/customer.py" in run.err and "your own file has this name" in run.out
    assert (workspace / "Foo/customer.py").read_bytes() == b"mine\n"


def test_update_keeps_links_and_refuses_a_link_out_of_the_workspace(workspace: Path, tmp_path: Path) -> None:
    """copier 1409."""
    install_earlier(workspace, {README: OLD_README})
    (workspace / README).rename(workspace / "shared.md")
    (workspace / README).symlink_to("../shared.md")
    assert update(workspace).status == 0
    assert (workspace / README).is_symlink() and (workspace / "shared.md").read_bytes() == NEW[README]
    (tmp_path / "outside.py").write_bytes(OLD_WINDOW)
    other = install_earlier(workspace, {"Bar/factor.py": OLD_WINDOW}, name="Bar")
    (workspace / "Bar/factor.py").unlink()
    (workspace / "Bar/factor.py").symlink_to(tmp_path / "outside.py")
    run = q2mfa("update", "Bar", cwd=workspace)
    assert run.status == 1 and "leads out of the workspace" in run.err
    assert recorded(workspace, "Bar") == other


@pytest.mark.parametrize("resolution", ["markers", "new"])
def test_edited_binary_file_is_kept_and_the_new_one_is_written_beside(
    workspace: Path, resolution: str
) -> None:
    """cruft 131."""
    mine = b"\x89PNG\0\xff\n"
    install_earlier(workspace, {README: OLD_README}, {README: mine})
    run = update(workspace)
    assert run.status == 1 and "it is not text" in run.out
    assert update(workspace, "--conflict", resolution).status == 1
    assert (workspace / README).read_bytes() == mine
    assert (workspace / "Foo/README.md.q2mfa-new").read_bytes() == NEW[README]


def test_windows_line_endings_are_kept_and_do_not_count_as_edits(workspace: Path) -> None:
    """cline 13512: everything conflicted, or turned to LF."""
    crlf = {path: content.replace(b"\n", b"\r\n") for path, content in NEW.items()}
    old = {README: OLD_README, URLS: b"# old\n\n\n\n" + NEW[URLS]}
    edits = {path: old.get(path, NEW[path]).replace(b"\n", b"\r\n") for path in NEW}
    edits[URLS] += b"# mine\r\n"
    install_earlier(workspace, old, edits)
    run = update(workspace, "--format", "json")
    assert run.status == 0, run
    assert outcomes(run)[README] == "updated" and outcomes(run)[URLS] == "merged"
    assert (workspace / README).read_bytes() == crlf[README]
    assert (workspace / URLS).read_bytes() == crlf[URLS] + b"# mine\r\n"
    assert (workspace / "Foo/customer.py").read_bytes().count(b"\r\n") == NEW["Foo/customer.py"].count(b"\n")


def test_update_keeps_file_modes(workspace: Path) -> None:
    """copier 9.15: the executable bit was lost."""
    install_earlier(workspace, {README: OLD_README})
    os.chmod(workspace / README, 0o750)
    assert update(workspace).status == 0
    assert (workspace / README).stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("resolution", ["ours", "theirs"])
def test_second_update_changes_nothing(conflicting: Path, resolution: str) -> None:
    """copier 2768."""
    (conflicting / URLS).write_bytes(NEW[URLS] + b"# mine\n")
    assert update(conflicting, "--conflict", resolution).status == 0
    before = contents(conflicting)
    again = update(conflicting, "--format", "json")
    assert again.status == 0 and again.json["status"] == "unchanged" and outcomes(again) == {}
    assert contents(conflicting) == before


def test_update_of_files_with_conflict_markers_is_refused(conflicting: Path) -> None:
    """FMT-exocortex 31."""
    update(conflicting, "--conflict", "markers")
    marked = contents(conflicting)
    for arguments in (["--conflict", "markers"], ["--answer", "rendering=csr", "--conflict", "markers"]):
        run = update(conflicting, *arguments)
        assert contents(conflicting) == marked, run
    assert "earlier update" in run.err
    for command in ("test", "preview"):
        refused = q2mfa(command, "Foo", cwd=conflicting)
        assert refused.status == 1 and "conflict markers" in refused.err, refused
    (conflicting / FACTOR).write_bytes(MY_WINDOW)
    assert update(conflicting, "--check").status == 0


def test_repeated_update_after_a_kill_keeps_one_set_of_markers(conflicting: Path) -> None:
    """The killed update had written the file, but not the record."""
    record = recorded(conflicting)
    update(conflicting, "--conflict", "markers")
    complete = contents(conflicting)
    (conflicting / ".q2mfa/Foo.json").write_bytes(record.encoded())
    assert "conflict" in update(conflicting).err
    assert update(conflicting, "--conflict", "markers").status == 1
    assert contents(conflicting) == complete


def test_report_names_changed_files_only(workspace: Path) -> None:
    """copier 943."""
    install_earlier(workspace, {README: OLD_README}, {FACTOR: MY_WINDOW})
    before = contents(workspace)
    run = update(workspace, "--format", "json")
    after = contents(workspace)
    assert {path for path in after if after[path] != before.get(path)} == set(outcomes(run))


@pytest.mark.parametrize(
    ("formatted", "said"),
    [
        (
            lambda text: text.replace(b"\n    ", b"\n  ").replace(b"\n      ", b"\n    "),
            "you changed only the formatting",
        ),
        (lambda text: b"#" + text.replace(b"\n", b"\n#"), "most of its lines"),
    ],
)
def test_conflict_in_most_lines_is_explained_as_formatting_or_a_rewrite(
    workspace: Path, formatted: Callable[[bytes], bytes], said: str
) -> None:
    source = b"def one():\n    return {\n        1: 2\n    }\n\n\n" * 9
    install_earlier(workspace, {URLS: source + b"old = 1\n"}, {URLS: formatted(source + b"old = 1\n")})
    run = update(workspace)
    assert run.status == 1 and said in run.out, run


@pytest.mark.parametrize("resolution", ["ours", "theirs", "new"])
def test_resolution_other_than_markers_writes_no_markers(conflicting: Path, resolution: str) -> None:
    update(conflicting, "--conflict", resolution)
    assert (conflicting / README).read_bytes() == NEW[README]
    assert not any(has_markers(text) for text in contents(conflicting).values())
