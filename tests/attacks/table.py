"""Write the tables of docs/redirect-security.md: `PYTHONPATH=tests .venv/bin/python -m attacks.table`."""

from __future__ import annotations

import ast
from pathlib import Path

from attacks import test_real
from attacks.cases import DENIED, PASSES
from attacks.checks import CREDENTIALS, ISSUER_URL, PRIVATE_KEY, SECRET, Check

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "redirect-security.md"
EXTENSION = ROOT / "tests" / "snapshots" / "redirect-ssr" / "MyExternalMFA"
MARK = "<!-- From here on written by `make snapshots`; tests/attacks/test_documents.py holds it. -->\n"

# What the extension's own tests deny and this folder's do not: test, what is wrong, check.
OWN = [
    (
        "test_an_issuer_that_is_not_https_is_not_even_asked",
        "the configured issuer is no https URL",
        ISSUER_URL,
    ),
    ("test_without_a_client_id_or_secret_nothing_is_asked", "no client id, or no secret", CREDENTIALS),
    ("test_a_secret_that_is_gone_meanwhile_is_denied", "a secret that is gone at the end", SECRET),
    ("test_a_private_key_that_is_none_is_denied_without_being_told", "no usable private key", PRIVATE_KEY),
]


def code() -> str:
    """oidc.py, as it is generated in every variant."""
    return (EXTENSION / "oidc.py").read_text("utf-8")


def line_of(check: Check) -> int:
    """The number of the one line that *check* names.

    :raises ValueError: there is none, or more than one.
    """
    found = [number for number, line in enumerate(code().splitlines(), 1) if check.line in line]
    if len(found) != 1:
        raise ValueError(f"oidc.py has {len(found)} lines with {check.line}")
    return found[0]


def document() -> str:
    """What docs/redirect-security.md has to be: its own text up to the mark, then the tables."""
    text, mark, _ = DOCUMENT.read_text("utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{DOCUMENT.name} has lost its mark")
    return text + MARK + "\n".join(_tables()) + "\n"


def _tables() -> list[str]:
    return [
        "",
        "## What is denied",
        "",
        "Tests: `tests/attacks/test_hostile.py::test_denied[…]`.",
        "",
        "| what is wrong | denied by, in `oidc.py` | asked for by | the page is told | `test_denied[…]` |",
        "|---|---|---|---|---|",
        *(_row(case.wrong, case.check, case.code, case.name) for case in DENIED if case.check),
        "",
        "The extension's own `tests/test_oidc.py` has most of these too, in memory, and alone:",
        "",
        "| what is wrong | denied by, in `oidc.py` | asked for by | the page is told | test |",
        "|---|---|---|---|---|",
        *(_row(wrong, check, "", test) for test, wrong, check in OWN),
        "",
        "## What passes",
        "",
        "Tests: `tests/attacks/test_hostile.py::test_passes[…]`.",
        "",
        "| what a conforming provider may do | `test_passes[…]` |",
        "|---|---|",
        *(f"| {case.wrong} | `{case.name}` |" for case in PASSES),
        "",
        "## Against the certified provider",
        "",
        "Tests: `tests/attacks/test_real.py::…`.",
        "",
        *(f"- `{test}`" for test in vars(test_real) if test.startswith("test_")),
    ]


def _row(wrong: str, check: Check, code_told: str, test: str) -> str:
    number = line_of(check)
    link = (
        f"[`{_function_at(number)}`, line {number}](../{(EXTENSION / 'oidc.py').relative_to(ROOT)}#L{number})"
    )
    return f"| {wrong} | {link} | {check.section} | `{code_told or check.code}` | `{test}` |"


def _function_at(number: int) -> str:
    for node in ast.walk(ast.parse(code())):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.lineno <= number <= (
            node.end_lineno or 0
        ):
            return node.name
    raise ValueError(f"line {number} of oidc.py is in no function")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
