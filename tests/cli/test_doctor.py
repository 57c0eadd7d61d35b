"""`q2mfa doctor`: what is missing on this machine and in this workspace."""

from __future__ import annotations

import importlib.util
import json
import shutil
import webbrowser
from pathlib import Path
from typing import Any

import pytest
from command import contents, q2mfa
from published_schemas import validator


def checks(*arguments: str | Path, cwd: Path) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and the checks by name."""
    run = q2mfa("doctor", "--format", "json", *arguments, cwd=cwd)
    report = json.loads(run.out)
    validator("doctor-report").validate(report)
    statuses = [check["status"] for check in report["checks"]]
    assert (run.status, report["status"]) == ((1, "problem") if "problem" in statuses else (0, "ok"))
    return run.status, {check["name"]: check for check in report["checks"]}


def without(*modules: str) -> Any:
    real = importlib.util.find_spec
    return lambda name, *more: None if name in modules else real(name, *more)


def test_doctor_with_nothing_missing_exits_with_0(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "get", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    before = contents(workspace)
    status, found = checks(cwd=workspace / "configuration")
    assert status == 0 and found["workspace"]["message"] == str(workspace)
    assert found["edits"]["message"] == "`create` can edit configuration/settings.py and requirements.txt"
    assert {name: check["status"] for name, check in found.items()} == {
        **dict.fromkeys(["python", "sdk", "packages", "scripts", "workspace", "edits", "browser"], "ok"),
        "node": "note",
    }
    text = q2mfa("doctor", cwd=workspace)
    assert text.status == 0 and all(name in text.out for name in found)
    assert contents(workspace) == before


def test_missing_workspace_is_a_problem(tmp_path: Path) -> None:
    status, found = checks(cwd=tmp_path)
    assert status == 1 and "-o" in found["workspace"]["hint"]


def test_workspace_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, found = checks("-o", tmp_path / "file", cwd=tmp_path)
    assert status == 1 and "not a folder" in found["workspace"]["message"]


def test_uneditable_settings_are_a_note_with_the_reason(workspace: Path) -> None:
    (workspace / "configuration" / "settings.py").write_text("INSTALLED_EXTENSIONS = load()\n")
    status, found = checks(cwd=workspace)
    assert status == 0 and found["edits"]["status"] == "note"
    assert "INSTALLED_EXTENSIONS" in found["edits"]["message"]


def test_missing_packages_are_a_problem_with_the_command_that_installs_them(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", without("tornado", "segno"))
    status, found = checks(cwd=workspace)
    assert status == 1
    assert "tornado" in found["sdk"]["message"] and "segno" in found["packages"]["message"]
    assert found["packages"]["hint"] == 'Install it: pip install "q2mfa-cli[sandbox]"'


def test_missing_package_of_verify_or_provider_is_a_problem(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", without("time_machine", "publicsuffixlist"))
    status, found = checks(cwd=workspace)
    assert status == 1
    assert {"time_machine", "publicsuffixlist"} <= {*found["packages"]["message"].replace(",", "").split()}


def test_missing_script_parser_is_a_note(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", without("tree_sitter"))
    status, found = checks(cwd=workspace)
    assert status == 0 and found["scripts"]["status"] == "note" and "[verify]" in found["scripts"]["hint"]


def test_missing_browser_is_a_note(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    status, found = checks(cwd=workspace)
    assert status == 0 and found["browser"]["status"] == "note"


def test_installed_sdk_is_named_with_its_version(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site" / "q2_sdk").mkdir(parents=True)
    (tmp_path / "site" / "q2_sdk" / "__init__.py").touch()
    (tmp_path / "site" / "q2_sdk-2.208.1.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: q2-sdk\nVersion: 2.208.1\n"
    (tmp_path / "site" / "q2_sdk-2.208.1.dist-info" / "METADATA").write_text(metadata)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    _, found = checks(cwd=workspace)
    assert found["sdk"]["status"] == "ok" and "q2-sdk 2.208.1" in found["sdk"]["message"]
