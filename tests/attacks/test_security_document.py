"""docs/redirect-security.md and the README of this folder match the code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from attacks import denials
from attacks.all_attacks import ATTACKS
from attacks.denials import Denial
from attacks.security_document import DOCUMENT, EXTENSION, OWN_TESTS, denying_statements, document, functions


def test_document_matches_the_attacks() -> None:
    """`make snapshots` writes the document. Review the difference."""
    assert DOCUMENT.read_text("utf-8") == document()


def test_every_denying_statement_has_an_attack() -> None:
    denying = denying_statements()
    attacked = {attack.denial for attack in ATTACKS if attack.denial} | {denial for _, _, denial in OWN_TESTS}
    assert len(denying) > 20
    assert denying <= {(denial.function, denial.reason) for denial in attacked}


DENIALS = {name: value for name, value in vars(denials).items() if isinstance(value, Denial)}


@pytest.mark.parametrize("denial", DENIALS.values(), ids=DENIALS.keys())
def test_denial_names_code_that_exists(denial: Denial) -> None:
    if denial.expression:
        assert functions()[denial.function].count(denial.expression) == 1
        assert denial.reason in {reason for _, reason in denying_statements()}
    else:
        assert (denial.function, denial.reason) in denying_statements()


def test_extension_tests_named_in_the_document_exist() -> None:
    tests = (EXTENSION / "tests" / "test_oidc.py").read_text("utf-8")
    for test, _, _ in OWN_TESTS:
        assert f"async def {test}(" in tests


@pytest.mark.node
def test_certified_provider_command_of_the_readme_starts_it() -> None:
    folder = Path(__file__).parent
    command = "PYTHONPATH=tests .venv/bin/python -m providers.certified_provider --redirect-uri"
    assert command in (folder / "README.md").read_text("utf-8")
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "providers.certified_provider",
            "--par",
            "required",
            "--redirect-uri",
            "http://127.0.0.1:1/",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folder.parent)},
    ) as process:
        assert process.stdin and process.stdout
        issuer = process.stdout.readline().split()[1]
        metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait() == 0
    assert metadata["issuer"] == issuer
    assert metadata["require_pushed_authorization_requests"] is True
