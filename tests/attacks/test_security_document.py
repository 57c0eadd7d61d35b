"""docs/explanation/redirect-attacks.md and the README of this folder match the code."""

from __future__ import annotations

import pytest

from attacks import denials
from attacks.all_attacks import ATTACKS
from attacks.denials import Denial
from attacks.security_document import DOCUMENT, EXTENSION, OWN_TESTS, denying_statements, document, functions


def test_redirect_attacks_document_matches_the_attacks() -> None:
    """`make snapshots` writes the document. Review the difference."""
    assert DOCUMENT.read_text("utf-8") == document()


def test_every_denying_statement_has_an_attack() -> None:
    denying = denying_statements()
    attacked = {attack.denial for attack in ATTACKS if attack.denial} | {denial for _, _, denial in OWN_TESTS}
    assert len(denying) > 20
    assert denying <= {(denial.function, denial.reason) for denial in attacked}


DENIALS = {name: value for name, value in vars(denials).items() if isinstance(value, Denial)}


@pytest.mark.parametrize("denial", DENIALS.values(), ids=DENIALS.keys())
def test_denial_names_existing_code(denial: Denial) -> None:
    if denial.expression:
        assert functions()[denial.function].count(denial.expression) == 1
        assert denial.reason in {reason for _, reason in denying_statements()}
    else:
        assert (denial.function, denial.reason) in denying_statements()


def test_extension_tests_named_in_the_document_exist() -> None:
    tests = (EXTENSION / "tests" / "test_oidc.py").read_text("utf-8")
    for test, _, _ in OWN_TESTS:
        assert f"async def {test}(" in tests
