"""The report of `q2mfa create` as text."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from command import q2mfa

from q2mfa_cli.errors import shown
from q2mfa_cli.report import for_shell


def test_report_counts_new_files_and_names_edited_ones(workspace: Path) -> None:
    run = q2mfa("create", "Foo", "--no-input", cwd=workspace)
    made = [line for line in run.out.splitlines() if line][:4]
    # Two more: the configuration and the record.
    count = sum(path.is_file() for path in (workspace / "Foo").rglob("*")) + 2
    assert made == [
        f"Created Foo (External MFA, standard, server-side rendered), {count} files",
        "  ~ configuration/settings.py",
        "  ~ requirements.txt",
        f"in {workspace}",
    ]


@pytest.mark.parametrize("flag", ["--verbose", "--dry-run"])
def test_verbose_report_and_dry_run_list_every_file(flag: str, workspace: Path) -> None:
    run = q2mfa("create", "Foo", "--no-input", flag, cwd=workspace)
    assert "  + Foo/extension.py\n" in run.out and "  + configuration/Foo.py\n" in run.out


def test_report_names_a_replaced_file(workspace: Path) -> None:
    q2mfa("create", "Foo", "--no-input", cwd=workspace)
    (workspace / "Foo" / "factor.py").write_text("mine\n")
    run = q2mfa("create", "Foo", "--no-input", "--force", cwd=workspace)
    assert "  ~ Foo/factor.py\n" in run.out


def test_report_in_a_pipe_has_no_color(workspace: Path) -> None:
    assert "\x1b" not in repr(q2mfa("create", "Foo", "--no-input", cwd=workspace))


@pytest.mark.parametrize(
    ("path", "quoted"),
    [
        (r"C:\banks\ours", r"C:\banks\ours"),
        (r"C:\x y", '"C:\\x y"'),
        (r"C:\it's & more", '"C:\\it\'s & more"'),
        # PowerShell replaces $ and ` between double quotes.
        (r"C:\$new", r"'C:\$new'"),
        (r"C:\`it's", r"'C:\`it''s'"),
    ],
)
def test_path_is_quoted_for_windows_shells(path: str, quoted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MSYSTEM", raising=False)
    assert for_shell(path, windows=True) == quoted
    # Git Bash is a POSIX shell.
    monkeypatch.setenv("MSYSTEM", "MINGW64")
    assert for_shell(path, windows=True) == shlex.quote(path)


def test_next_step_quotes_the_path_of_the_workspace(tmp_path: Path, workspace: Path) -> None:
    spaced = workspace.rename(tmp_path / "x y")
    run = q2mfa("create", "Foo", "--no-input", "-o", spaced, cwd=tmp_path)
    assert f"Go to the workspace: cd '{spaced}'" in run.out


def test_path_in_an_error_has_single_backslashes() -> None:
    assert shown(r"C:\banks\new") == r"'C:\banks\new'"
    assert shown("a\nb\x1b") == r"'a\nb\x1b'"
