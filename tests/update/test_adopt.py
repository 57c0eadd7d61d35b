"""`q2mfa update --adopt`: a record for an extension that plain Cookiecutter made, or that is older than the records."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pexpect
import pytest
from command import contents, q2mfa
from updating import install_earlier, new_tree, recorded, update

RECORD = ".q2mfa/Foo.json"


def unrecorded(workspace: Path, *flags: str) -> dict[str, bytes]:
    q2mfa("create", "Foo", "--no-input", *flags, cwd=workspace)
    shutil.rmtree(workspace / ".q2mfa")
    return contents(workspace)


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--factor", "message", "--rendering", "csr"],
        ["--mfa", "redirect"],
        [
            *("--mfa", "redirect", "--rendering", "csr", "--issuer", "https://idp.bank.example/realms/a"),
            *("--client-id", "it's 1", "--scope", "profile", "--tecton-version", "1.60.1"),
        ],
    ],
)
def test_adopt_reads_the_answers_from_the_files(workspace: Path, flags: list[str]) -> None:
    q2mfa("create", "Foo", "--no-input", *flags, cwd=workspace)
    record = recorded(workspace)
    shutil.rmtree(workspace / ".q2mfa")
    before = contents(workspace)
    run = update(workspace, "--adopt", "--yes")
    assert run.status == 0 and "Recorded Foo" in run.out, run
    assert {**contents(workspace), RECORD: b""} == {**before, RECORD: b""}
    adopted = recorded(workspace)
    assert (adopted.answers, adopted.files) == (record.answers, record.files)
    assert update(workspace, "--check").status == 0


def test_adopt_shows_and_keeps_the_owners_edits(workspace: Path) -> None:
    unrecorded(workspace)
    factor, urls = workspace / "Foo/factor.py", workspace / "Foo/urls.py"
    factor.write_bytes(factor.read_bytes().replace(b"WINDOW_STEPS = 1", b"WINDOW_STEPS = 2"))
    urls.unlink()
    before = contents(workspace)
    planned = update(workspace, "--adopt", "--dry-run")
    assert planned.status == 0 and "Foo/factor.py  (kept: it differs" in planned.out, planned
    assert "Foo/urls.py  (stays deleted: it is missing)" in planned.out
    assert contents(workspace) == before
    assert update(workspace, "--adopt", "--yes").status == 0
    assert {path: text for path, text in contents(workspace).items() if path != RECORD} == before
    assert "+WINDOW_STEPS = 2" in q2mfa("diff", "Foo", cwd=workspace).out


def test_answer_flag_overrides_an_answer_that_adopt_reads(workspace: Path) -> None:
    unrecorded(workspace)
    assert update(workspace, "--adopt", "--yes", "--answer", "tecton_version=1.50").status == 0
    assert recorded(workspace).files == new_tree(tecton_version="1.50")


def test_adopt_without_a_terminal_requires_the_yes_flag(workspace: Path) -> None:
    before = unrecorded(workspace)
    run = update(workspace, "--adopt")
    assert run.status == 2 and "--yes" in run.err
    assert contents(workspace) == before


@pytest.mark.parametrize("name", ["Existing", "Missing", "configuration"])
def test_extension_that_is_not_external_mfa_is_not_adopted(workspace: Path, name: str) -> None:
    (workspace / "Existing/extension.py").write_bytes(b"class Handler: pass\n")
    before = contents(workspace)
    run = q2mfa("update", name, "--adopt", "--yes", cwd=workspace)
    assert run.status == 1 and f"There is no External MFA extension {name}" in run.err
    assert contents(workspace) == before


def test_recorded_extension_is_not_adopted(workspace: Path) -> None:
    install_earlier(workspace, {})
    run = update(workspace, "--adopt", "--yes")
    assert run.status == 1 and "is already tracked" in run.err


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 130)])
def test_adoption_asks_for_confirmation_on_a_terminal(workspace: Path, answer: str, status: int) -> None:
    before = unrecorded(workspace)
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "q2mfa_cli", "update", "Foo", "--adopt"],
        cwd=workspace,
        encoding="utf-8",
        timeout=60,
    )
    terminal.expect("rendering ssr.* Are they right")
    terminal.sendline(answer)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == status
    assert (contents(workspace) == before) == (answer == "n")
