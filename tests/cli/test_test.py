"""`q2mfa test`, in any folder and in any environment."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from command import SETTINGS, contents, q2mfa, q2mfa_process

ODD_FOLDERS = ["a [1]", "b::c", "$HOME", "50%s %d", "~", "-k none", 'it\'s "q"; #', "ü", "a:b", "[x"]


def new_workspace(root: Path, *arguments: str) -> Path:
    """A workspace with the extension Foo, and two tests of its own: one for each import that can break."""
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    (root / "configuration" / "settings.py").write_bytes(SETTINGS)
    assert q2mfa("create", "Foo", "--no-input", *arguments, cwd=root).status == 0
    shutil.rmtree(root / "Foo" / "tests")
    (root / "Foo" / "tests").mkdir()
    (root / "Foo" / "tests" / "test_it.py").write_text(
        "from Foo.extension import FooHandler\n\n"
        "def test_one():\n    assert FooHandler\n\ndef test_two():\n    assert __file__\n"
    )
    return root


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder", [name for name in ODD_FOLDERS if sys.platform != "win32" or not {*name} & {":", '"'}]
)
def test_generated_tests_pass_in_a_folder_of_any_name(folder: str, tmp_path: Path) -> None:
    root = new_workspace(tmp_path / folder)
    before = contents(root)
    run = q2mfa_process("test", "Foo", "-o", f"{tmp_path}/{folder}", "--", "-q", cwd=tmp_path)
    assert run.status == 0 and "2 passed" in run.out, run
    assert contents(root) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTEST_ADDOPTS": "-n 4 --nope"},
        {"PYTEST_ADDOPTS": "--co"},
        {"PYTEST_ADDOPTS": "-k one", "PYTEST_PLUGINS": "no_such_plugin"},
        {"PYTHONPATH": "/no/such/folder"},
        {"PYTHONSAFEPATH": "1"},
    ],
)
def test_generated_tests_pass_with_any_pytest_environment_variables(
    environment: dict[str, str], tmp_path: Path
) -> None:
    root = new_workspace(tmp_path / "workspace")
    run = q2mfa_process("test", "Foo", "--", "-q", cwd=root, env=environment)
    assert run.status == 0 and "2 passed" in run.out, run


@pytest.mark.slow
def test_arguments_after_the_dashes_go_to_pytest(tmp_path: Path) -> None:
    root = new_workspace(tmp_path / "workspace")
    run = q2mfa_process("test", "Foo", "--", "-q", "-k", "two", cwd=root)
    assert run.err == "q2_sdk is not installed: using q2mfa's fake of it.\n"
    assert run.status == 0 and "1 passed, 1 deselected" in run.out, run
    assert q2mfa_process("test", "Foo", "--", "-q", "-k", "three", cwd=root).status == 1
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
    run = q2mfa_process("test", "Foo", "--", "-q", "-n", "2", cwd=root, env=plugins)
    assert run.status == 0 and "2 passed" in run.out, run


@pytest.mark.parametrize(("arguments", "status"), [(["test"], 1), (["preview", "--check"], 3)])
def test_extension_that_is_not_external_mfa_is_refused(
    arguments: list[str], status: int, workspace: Path
) -> None:
    for name in ("extension.py", "urls.py"):
        (workspace / "Existing" / name).write_text("URL_PATTERNS = []\n")
    (workspace / "Existing" / "tests").mkdir()
    (workspace / "Existing" / "tests" / "test_it.py").write_text("def test_one(): assert False\n")
    run = q2mfa_process(*arguments, "Existing", cwd=workspace)
    assert (run.status, run.out) == (status, ""), run
    assert run.err == (
        "Error: 'Existing' is not an External MFA extension: "
        "its code does not call set_external_mfa_token or verifyMFA.\n"
        "q2mfa tests only External MFA extensions; run its tests with `q2 test`.\n"
    )
