"""`q2mfa verify` and `q2mfa explain` as a command: exit statuses, choices, files, and errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Run, contents, q2mfa, q2mfa_process
from hand_written_code import NAME, make_bank_code
from published_schemas import validator
from verifying import GENERATED

from q2mfa_cli.cli import main
from q2mfa_cli.commands.verify import NEEDED
from q2mfa_cli.platform import FAKE_SDK_MODULES
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify import workspace_code
from q2mfa_cli.platform.verify.check import PROFILES, Severity
from q2mfa_cli.platform.verify.customers import customer
from q2mfa_cli.platform.verify.dynamic import DYNAMIC
from q2mfa_cli.platform.verify.ignores import UNUSED, WITHOUT_REASON
from q2mfa_cli.platform.verify.report import NOT_SHOWN
from q2mfa_cli.platform.verify.static import STATIC
from q2mfa_cli.platform.verify.table import CHECKS

TIMING = (
    'if not hmac.compare_digest(pending["code"], self.seal(typed)):',
    'if pending["code"] != self.seal(typed):',
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_bank_code(tmp_path / "workspace")


def verify(workspace: Path, *options: str | Path, name: str = NAME) -> Run:
    return q2mfa("verify", name, *options, cwd=workspace)


def put_defect(workspace: Path, old: str = TIMING[0], new: str = TIMING[1]) -> None:
    file = workspace / NAME / "extension.py"
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))


TIMING_ONLY = ("--static-only", "--check", "compare-timing")


def test_every_check_of_the_table_is_run_and_no_other() -> None:
    by_id = {check.id: check for check in CHECKS}
    assert len(by_id) == len(CHECKS)
    ignores = {UNUSED, WITHOUT_REASON}
    assert set(by_id) == {*STATIC, *DYNAMIC, *ignores}
    for check in CHECKS:
        seen = [
            kind
            for kind, checks in (("static", {*STATIC, *ignores}), ("dynamic", DYNAMIC))
            if check.id in checks
        ]
        assert tuple(seen) == check.seen, check.id
        assert set(check.profiles) <= set(PROFILES) and (check.severity is not None or check.profiles)


def test_options_offer_the_values_of_the_tables() -> None:
    choices = {each.name: tuple(getattr(each.type, "choices", ())) for each in main.commands["verify"].params}
    assert choices["profile"] == tuple(PROFILES)
    assert choices["workflows"] == tuple(workflow.id for workflow in WORKFLOWS)
    assert choices["min_severity"] == tuple(severity.label for severity in Severity)
    assert choices["fail_on"] == choices["min_severity"][1:]


def test_exit_status_is_1_with_a_finding_and_0_without(workspace: Path) -> None:
    assert verify(workspace, *TIMING_ONLY).status == 0
    put_defect(workspace)
    run = verify(workspace, *TIMING_ONLY)
    assert run.status == 1 and "low[compare-timing]: " in run.out, run
    assert all(each in run.out for each in NOT_SHOWN)
    assert verify(workspace, *TIMING_ONLY, "--fail-on", "medium").status == 0
    assert verify(workspace, *TIMING_ONLY, "--exit-zero").status == 0
    hidden = verify(workspace, *TIMING_ONLY, "--min-severity", "high")
    assert hidden.status == 1 and "low[" not in hidden.out


def test_dynamic_check_runs_in_the_workflow_that_was_asked_for(workspace: Path) -> None:
    put_defect(workspace, ' or pending["for"] != self.confirms()', "")
    run = verify(workspace, "--check", "txn-bound", "--format", "json")
    report = json.loads(run.out)
    validator("verify-report").validate(report)
    assert run.status == 1 and report["status"] == "found"
    (finding,) = report["extensions"][0]["findings"]
    assert finding["workflows"] == ["transaction"] and finding["path"] == f"{NAME}/extension.py"


def test_reports_are_written_beside_the_one_on_the_terminal(workspace: Path, tmp_path: Path) -> None:
    put_defect(workspace)
    files = {kind: tmp_path / f"report.{kind}" for kind in ("sarif", "junit", "json")}
    outputs = [part for kind, file in files.items() for part in ("--output", f"{kind}={file}")]
    run = verify(workspace, *TIMING_ONLY, *outputs)
    assert run.status == 1 and "low[compare-timing]" in run.out
    assert json.loads(files["sarif"].read_text())["runs"][0]["results"]
    assert files["junit"].read_text().startswith("<?xml")
    validator("verify-report").validate(json.loads(files["json"].read_text()))


def test_baseline_suppresses_known_findings(workspace: Path, tmp_path: Path) -> None:
    put_defect(workspace)
    file = tmp_path / "baseline.json"
    assert verify(workspace, *TIMING_ONLY, "--write-baseline", file).status == 0
    run = verify(workspace, *TIMING_ONLY, "--baseline", file)
    assert run.status == 0 and "1 finding suppressed" in run.out


def test_ignore_comment_needs_a_reason_and_a_finding(workspace: Path) -> None:
    put_defect(workspace, TIMING[0], f"{TIMING[1]}  # q2mfa: ignore[compare-timing] a test")
    assert verify(workspace, "--static-only").status == 0
    assert verify(workspace, "--static-only", "--no-ignores").status == 1
    put_defect(workspace, f"{TIMING[1]}  # q2mfa", f"{TIMING[0]}  # q2mfa")
    run = verify(workspace, "--static-only")
    assert run.status == 1 and "low[ignore-unused]" in run.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--check", "rp-stat"], "Did you mean rp-state?"),
        (["--output", "pdf=x"], "--output takes json=FILE, junit=FILE, sarif=FILE"),
        (["--output", "sarif=nowhere/x"], "There is no folder for 'nowhere/x'."),
        (["--check", "txn-bound", "--workflow", "login"], "There is no check to run."),
        (["--check", "right-user", "--static-only"], "There is no check to run."),
        (["--baseline", f"{NAME}/extension.py"], "is not a baseline"),
        (["--fail-on", "note"], "'note' is not one of"),
    ],
)
def test_wrong_usage_has_status_2_and_says_what_to_do(options: list[str], says: str, workspace: Path) -> None:
    run = verify(workspace, *options)
    assert run.status == 2 and says in run.err and run.out == "", run


def test_nothing_to_verify_has_status_3(workspace: Path) -> None:
    (workspace / "Existing").mkdir()
    (workspace / "Existing" / "__init__.py").write_text("")
    for name, says in (
        ("Nowhere", "There is no extension 'Nowhere'"),
        ("Existing", "is not an External MFA extension"),
    ):
        run = verify(workspace, "--format", "json", name=name)
        assert run.status == 3 and says in run.err, run
        report = json.loads(run.out)
        validator("verify-report").validate(report)
        assert report["status"] == "error" and report["extensions"] == []


def test_extension_that_cannot_be_imported_has_status_3(workspace: Path) -> None:
    put_defect(workspace, "import hmac\n", "import hmac\nimport nowhere_at_all\n")
    run = verify(workspace, "--check", "right-user")
    assert run.status == 3 and "nowhere_at_all" in run.err


@pytest.mark.slow
def test_extension_that_does_not_answer_has_status_3(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer, "CALL_SECONDS", 0.5)
    put_defect(workspace, "import hmac\n", "import asyncio\nimport hmac\n")
    put_defect(
        workspace,
        '        typed = self.request_body.get("typed")\n',
        '        await asyncio.sleep(60)\n        typed = self.request_body.get("typed")\n',
    )
    run = verify(workspace, "--check", "right-user", "--workflow", "login")
    assert run.status == 3 and f"'{NAME}' does not answer a request of its page." in run.err, run


def test_static_only_executes_no_code(workspace: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    put_defect(workspace, "import hmac\n", f"import hmac\nopen({str(trace)!r}, 'w').close()\n")
    verify(workspace, "--static-only")
    assert not trace.exists()


def test_verify_leaves_the_workspace_unchanged(workspace: Path) -> None:
    before = contents(workspace)
    verify(workspace, "--workflow", "login", "--check", "right-user", "--check", "secret-in-source")
    assert contents(workspace) == before


def test_code_sees_the_variables_that_the_configuration_names_and_no_other(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANK_CODE_PEPPER", "x" * 32)
    monkeypatch.setenv("CI_DEPLOY_KEY", "another secret")
    (workspace / "configuration" / f"{NAME}.py").write_text(
        'import os as __os\nPEPPER = __os.environ["BANK_CODE_PEPPER"]\nDIGITS = 8\n'
        'assert not any(name.startswith("CI_") for name in __os.environ)\n'
        'FEATURE = {"modules": {"Main": {"formPostAuth": False, "url": "{BASE_URL}/index.html"}}}\n'
    )
    run = verify(workspace, "--check", "right-user", "--workflow", "login")
    assert run.status == 0, run
    assert workspace_code.KEPT.fullmatch("PATH") and not workspace_code.KEPT.fullmatch(
        "AWS_SECRET_ACCESS_KEY"
    )


def test_explain_needs_no_workspace_and_suggests_a_check(tmp_path: Path) -> None:
    listed = q2mfa("explain", cwd=tmp_path)
    assert listed.status == 0 and len(listed.out.splitlines()) == len(CHECKS)
    run = q2mfa("explain", "otp-replay", cwd=tmp_path)
    assert run.status == 0 and "Requires: " in run.out and "NIST SP 800-63B" in run.out
    wrong = q2mfa("explain", "otp-repla", cwd=tmp_path)
    assert wrong.status == 2 and "Did you mean otp-replay?" in wrong.err


SEED_EXTENSION = Path(__file__).parent / "seed_extension"


@pytest.mark.slow
def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    def written(hash_seed: str) -> dict[str, object]:
        folder = tmp_path / hash_seed
        folder.mkdir()
        outputs = [f"--output={kind}={folder / kind}" for kind in ("sarif", "junit", "json")]
        arguments = [*outputs, "--workflow", "transaction", "-o", SEED_EXTENSION]
        run = q2mfa_process("verify", GENERATED, *arguments, cwd=tmp_path, env={"PYTHONHASHSEED": hash_seed})
        assert run.status == 1, run
        return {**contents(folder), "text": run.out}

    first = written("1")
    assert first == written("2") and "token-guessable" in str(first["text"])


def test_extension_that_is_installed_from_another_module_is_verified(workspace: Path) -> None:
    (workspace / "banking").mkdir()
    (workspace / NAME).rename(workspace / "banking" / "codes")
    settings = workspace / "configuration" / "settings.py"
    installed = settings.read_text().replace(f"'{NAME}'", f"('{NAME}', 'banking.codes')")
    settings.write_text(installed)
    run = verify(workspace, "--check", "right-user", "--check", "compare-timing", "--workflow", "login")
    assert run.status == 0 and "2 checks passed" in run.out, run
    file = workspace / "banking" / "codes" / "extension.py"
    file.write_text(file.read_text().replace(*TIMING))
    run = verify(workspace, *TIMING_ONLY)
    assert run.status == 1 and "--> banking/codes/extension.py:" in run.out, run


def test_only_dynamic_checks_need_the_sandbox(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("without")
    missing = [*FAKE_SDK_MODULES, *(module for module in NEEDED if module != "jwt"), "time_machine"]
    text = (
        f"import sys\nsys.modules.update(dict.fromkeys({[each for each in missing if each != 'jinja2']}))\n"
    )
    (folder / "sitecustomize.py").write_text(text)
    env = {"PYTHONPATH": str(folder)}
    run = q2mfa_process("verify", NAME, *TIMING_ONLY, cwd=workspace, env=env)
    assert run.status == 0 and "1 check passed" in run.out, run
    run = q2mfa_process("verify", NAME, cwd=workspace, env=env)
    assert run.status == 3 and 'pip install "q2mfa-cli[sandbox]"' in run.err, run


def test_run_in_which_no_check_can_be_tried_has_status_3(workspace: Path) -> None:
    (workspace / NAME / "tests" / "prove.py").unlink()
    run = verify(workspace, "--profile", "quick")
    assert run.status == 3 and run.out == "", run
    assert run.err.startswith("Error: No check could run: ") and f"{NAME}/tests/prove.py" in run.err
