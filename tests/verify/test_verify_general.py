"""The general dynamic checks find each defect of their corpus, on the right line, and nothing in clean extensions."""

from __future__ import annotations

from pathlib import Path

import pytest
from general_defects import IN_GENERATED, IN_HAND_WRITTEN
from hand_written_code import NAME, make_bank_code
from own_extension import NAME as PUSH
from own_extension import make_own_extension, prove
from verifying import GENERATED, Defect, assert_finds, found, generated, verified

from q2mfa_cli.platform.verify.dynamic import general
from q2mfa_cli.platform.verify.results import Verdict

pytestmark = pytest.mark.slow

VARIANTS = [
    "standard-ssr",
    "standard-csr",
    "standard-message-ssr",
    "redirect-ssr",
    "redirect-csr",
]
GENERAL = tuple(general.CHECKS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_found_in_a_generated_extension(variant: str, tmp_path: Path) -> None:
    # Every workflow once in each integration: both renderings answer with the same code.
    workflow = "" if variant in ("standard-ssr", "redirect-csr") else "login"
    report = verified(generated(tmp_path, variant), GENERATED, *GENERAL, workflow=workflow)
    assert report.findings == ()
    assert report.count(Verdict.SKIPPED) == 0 and report.count(Verdict.PASSED) >= 15


def test_nothing_is_found_in_a_hand_written_extension(tmp_path: Path) -> None:
    report = verified(make_bank_code(tmp_path), NAME, *GENERAL, workflow="")
    assert report.findings == ()
    assert report.count(Verdict.SKIPPED) == 0 and report.count(Verdict.PASSED) >= 17


@pytest.mark.parametrize(
    ("variant", "defect"),
    [
        pytest.param(variant, defect, id=f"{variant}-{defect.check}")
        for variant, defects in IN_GENERATED.items()
        for defect in defects
    ],
)
def test_defect_in_generated_code_is_found(variant: str, defect: Defect, tmp_path: Path) -> None:
    assert_finds(found(generated(tmp_path, variant), GENERATED, defect), defect)


@pytest.mark.parametrize("defect", [pytest.param(defect, id=defect.check) for defect in IN_HAND_WRITTEN])
def test_defect_in_a_hand_written_extension_is_found(defect: Defect, tmp_path: Path) -> None:
    assert_finds(found(make_bank_code(tmp_path), NAME, defect), defect)


def test_every_general_check_has_its_defect_in_both_styles() -> None:
    # A generated proof is a code or a login, whose own checks look at its reuse; a hand-written one is below.
    others = set(GENERAL) - {"proof-reused"}
    assert {defect.check for defects in IN_GENERATED.values() for defect in defects} == others
    assert {defect.check for defect in IN_HAND_WRITTEN} == others


def test_hand_written_push_factor_is_verified(tmp_path: Path) -> None:
    workspace = make_own_extension(tmp_path)
    prove(workspace)
    report = verified(workspace, PUSH, *GENERAL, workflow="")
    # It logs nothing, and does not look at the transactions.
    assert {finding.check.id for finding in report.findings} == {"txn-bound", "audit-trail"}


def test_push_proof_that_passes_twice_is_found(tmp_path: Path) -> None:
    workspace = make_own_extension(tmp_path)
    prove(workspace)
    file = f"{PUSH}/extension.py"
    defect = Defect(
        "proof-reused", file, (('self.session_cache.delete("push")', "pass"),), "def check", "second token"
    )
    assert_finds(found(workspace, PUSH, defect), defect)


def test_checks_are_skipped_with_the_reason_without_prove(tmp_path: Path) -> None:
    report = verified(make_bank_code(tmp_path, prove=False), NAME, *GENERAL)
    assert report.findings == () and report.count(Verdict.PASSED) == 0
    reasons = {reason for verdict, reasons in report.verdicts().values() for reason in reasons}
    assert any("tests/prove.py would say it" in reason for reason in reasons)


def test_token_without_proof_is_found_without_prove(tmp_path: Path) -> None:
    workspace = make_bank_code(tmp_path, prove=False)
    defect = next(each for each in IN_HAND_WRITTEN if each.check == "token-without-proof")
    assert_finds(found(workspace, NAME, defect), defect)
