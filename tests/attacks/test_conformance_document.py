"""docs/reference/conformance.md names every module of the plans, and tests that exist."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from attacks.all_attacks import ATTACKS
from attacks.conforming_logins import CONFORMING_LOGINS
from attacks.security_document import EXTENSION, ROOT

DOCUMENT = (ROOT / "docs" / "reference" / "conformance.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(.+?)` \| (.+) \| (.+) \|$", DOCUMENT, re.MULTILINE)
FILES = {
    "test_oidc.py": EXTENSION / "tests" / "test_oidc.py",
    "test_hostile_provider.py": ROOT / "tests" / "attacks" / "test_hostile_provider.py",
    "test_certified_provider.py": ROOT / "tests" / "providers" / "test_certified_provider.py",
}
NAMES = {
    "test_attack_is_denied": {attack.name for attack in ATTACKS},
    "test_conforming_login_passes": {login.name for login in CONFORMING_LOGINS},
}


def test_conformance_document_has_every_module_of_each_plan() -> None:
    plans = [part.partition("\n")[0] for part in DOCUMENT.split("\n## ")[1:]]
    sizes = Counter(
        plan
        for plan, part in zip(plans, DOCUMENT.split("\n## ")[1:], strict=True)
        for _ in re.findall(r"^\| `", part, re.MULTILINE)
    )
    assert sizes == {
        "Basic RP": 14,
        "Config RP": 6,
        "FAPI 2.0 Security Profile": 24,
        "FAPI 2.0 Message Signing": 8,
    }


@pytest.mark.parametrize(
    ("module", "tests", "result"), ROWS, ids=[f"{i}-{row[0]}" for i, row in enumerate(ROWS)]
)
def test_conformance_module_names_existing_tests_or_a_reason(module: str, tests: str, result: str) -> None:
    if tests == "-":
        assert result.startswith("not applicable: ")
        return
    assert result.partition(":")[0] == "pass"
    found = re.findall(r"`(\w+\.py)::(\w+)(?:\[([\w-]+)\])?`", tests)
    assert len(found) == tests.count("`") // 2
    for file, test, attack in found:
        assert f"def {test}(" in FILES[file].read_text("utf-8")
        assert (attack in NAMES[test]) if attack else (test not in NAMES)
