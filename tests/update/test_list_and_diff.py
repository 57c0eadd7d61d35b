"""`q2mfa list`, `q2mfa update --check` and `q2mfa diff`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from command import contents, q2mfa
from earlier_templates import earlier_record, install
from updating import install_earlier, new_tree, update

from q2mfa_cli import changelog
from q2mfa_cli.changelog import security_fixes
from q2mfa_cli.integrations import REDIRECT, STANDARD

README = "Foo/README.md"


def test_list_shows_the_state_of_each_extension(workspace: Path) -> None:
    q2mfa("create", "Current", "--no-input", "--rendering", "csr", cwd=workspace)
    q2mfa("create", "Plain", "--no-input", "--mfa", "redirect", cwd=workspace)
    (workspace / ".q2mfa/Plain.json").unlink()
    q2mfa("create", "Gone", "--no-input", cwd=workspace)
    shutil.rmtree(workspace / "Gone")
    install_earlier(workspace, {"Behind/README.md": b"old\n"}, name="Behind", mfa="redirect")
    run = q2mfa("list", cwd=workspace)
    assert run.status == 0, run
    assert [line.split("  ")[0] for line in run.out.splitlines()[:5]] == [
        "NAME",
        "Behind",
        "Current",
        "Gone",
        "Plain",
    ]
    assert "Current  standard  csr        0.1.0" in run.out
    listed = q2mfa("list", "--format", "json", cwd=workspace).json["extensions"]
    assert {each["name"]: each["state"] for each in listed} == {
        "Behind": "behind",
        "Current": "current",
        "Gone": "missing",
        "Plain": "unrecorded",
    }
    assert [each["mfa"] for each in listed] == ["redirect", "standard", "standard", "redirect"]


def test_update_does_not_recreate_a_deleted_extension(workspace: Path) -> None:
    install_earlier(workspace, {"Foo/customer.py": None})
    shutil.rmtree(workspace / "Foo")
    before = contents(workspace)
    run = update(workspace)
    assert run.status == 1 and "The folder of Foo is gone" in run.err and "q2mfa remove Foo" in run.err
    assert q2mfa("update", "--all", cwd=workspace).status == 0
    assert contents(workspace) == before
    assert update(workspace, "--check").status == 1
    assert q2mfa("remove", "Foo", cwd=workspace).status == 0
    assert not list(workspace.glob("**/Foo*"))


def test_list_without_extensions_reports_none(workspace: Path) -> None:
    assert "No External MFA extensions" in q2mfa("list", cwd=workspace).out


def test_update_check_names_outdated_extensions_and_security_fixes(workspace: Path) -> None:
    install(workspace, earlier_record("standard"))
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    before = contents(workspace)
    run = q2mfa("update", "--all", "--check", cwd=workspace)
    assert run.status == 1 and "Update: q2mfa update LoginMFA" in run.out
    assert "* Wrong tries and used codes count per customer" in run.out and "(0.1.0): LoginMFA" in run.out
    assert "bound to the request" not in run.out  # a fix of the redirect integration
    report = q2mfa("update", "--all", "--check", "--format", "json", cwd=workspace)
    assert report.status == 1 and report.json["status"] == "behind"
    assert contents(workspace) == before
    assert update(workspace, "--check").status == 0
    assert update(workspace, "--check", "--format", "json").json["status"] == "current"


def test_update_without_existing_extensions_named_is_refused(workspace: Path) -> None:
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    for arguments in ([], ["--all", "Foo"], ["--all", "--adopt"]):
        assert q2mfa("update", *arguments, cwd=workspace).status == 2
    assert "This workspace has: Foo." in q2mfa("update", cwd=workspace).err
    for command in ("update", "diff"):
        run = q2mfa(command, "Bar", cwd=workspace)
        assert run.status == 1 and "There is no extension Bar" in run.err
    assert q2mfa("update", "Bar", "--check", cwd=workspace).status == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--check", "--answer", "rendering=csr"], "--check and --answer exclude each other."),
        (["--check", "--conflict", "ours"], "--check and --conflict exclude each other."),
        (["--check", "--restore", "Foo/urls.py"], "--check and --restore exclude each other."),
        (["--check", "--adopt"], "--check and --adopt exclude each other."),
        (["--adopt", "--restore", "Foo/urls.py"], "--adopt and --restore exclude each other."),
        (["--adopt", "--conflict", "ours"], "--adopt and --conflict exclude each other."),
        (["--yes"], "--yes needs --adopt."),
    ],
)
def test_flag_that_would_have_no_effect_is_refused(arguments: list[str], says: str, workspace: Path) -> None:
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    before = contents(workspace)
    run = q2mfa("update", "Foo", *arguments, cwd=workspace)
    assert run.status == 2 and run.err.startswith(f"Error: {says}\n"), run
    assert contents(workspace) == before


CHANGES = """# Changelog

## [3.0] - 2027-01-01

### Security

- For all, on
  two lines.
- Redirect: For redirect.

### Changed

- No fix.

## 2.0

### Security

- Standard: For standard.

## 1.0
"""


def test_security_fixes_are_those_of_later_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(CHANGES)
    monkeypatch.setattr(changelog, "__file__", str(tmp_path / "changelog.py"))
    changelog._security_entries.cache_clear()
    try:
        both, redirect, standard = (
            "For all, on two lines. (3.0)",
            "For redirect. (3.0)",
            "For standard. (2.0)",
        )
        assert security_fixes("1.0", STANDARD) == [both, standard]
        assert security_fixes("2.0", STANDARD) == [both]
        assert security_fixes("unknown", REDIRECT) == [both, redirect]
        assert security_fixes("3.0", REDIRECT) == []
    finally:
        changelog._security_entries.cache_clear()


def test_diff_shows_the_owners_changes(workspace: Path) -> None:
    new = new_tree()
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    assert q2mfa("diff", "Foo", cwd=workspace).out == ""
    (workspace / README).write_bytes((new[README] + b"mine\n").replace(b"\n", b"\r\n"))
    (workspace / "Foo/urls.py").unlink()
    (workspace / "Foo/__init__.py").write_bytes(b"")
    out = q2mfa("diff", "Foo", cwd=workspace).out
    assert "+mine\n" in out and "+++ /dev/null" in out and "--- a/Foo/urls.py" in out
    assert [line for line in out.splitlines() if line.startswith("+") and not line.startswith("+++")] == [
        "+mine"
    ]
    assert q2mfa("diff", "Foo", "--incoming", cwd=workspace).out == ""


def test_incoming_diff_shows_the_changes_of_an_update(workspace: Path) -> None:
    new = new_tree()[README]
    install_earlier(workspace, {README: new + b"old\n"}, {README: b"mine\n" + new + b"old\n"})
    out = q2mfa("diff", "Foo", "--incoming", cwd=workspace).out
    assert "-old" in out and "mine" not in out.replace(" mine", "")
    (workspace / README).write_bytes(new + b"mine\n")
    out = q2mfa("diff", "Foo", "--incoming", cwd=workspace).out
    assert "<<<<<<< yours\nmine\n||||||| as it was generated\nold\n=======\n>>>>>>>" in out
