"""docs/redirect-security.md and the README of this folder say what is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import requests

from attacks.cases import DENIED
from attacks.table import DOCUMENT, EXTENSION, OWN, code, document, line_of


def test_the_document_is_as_the_cases_are() -> None:
    """`make snapshots` writes it anew; the difference is the review."""
    assert DOCUMENT.read_text("utf-8") == document()


def test_every_line_that_denies_has_a_case() -> None:
    denying = {
        number
        for number, line in enumerate(code().splitlines(), 1)
        if re.search(r"self\._(require|denied)\((?!self|code, reason\))", line)
    }
    checks = {case.check for case in DENIED if case.check} | {check for _, _, check in OWN}
    assert len(denying) > 20
    assert denying <= {line_of(check) for check in checks}


def test_the_tests_of_the_extension_that_the_document_names_are_there() -> None:
    tests = (EXTENSION / "tests" / "test_oidc.py").read_text("utf-8")
    for test, _, _ in OWN:
        assert f"async def {test}(" in tests


def test_the_command_that_the_readme_names_starts_it() -> None:
    folder = Path(__file__).parent
    command = "PYTHONPATH=tests .venv/bin/python -m attacks.real --redirect-uri"
    assert command in (folder / "README.md").read_text("utf-8")
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "attacks.real",
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
