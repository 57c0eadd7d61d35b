"""Write the tables of docs/redirect-security.md: `PYTHONPATH=tests .venv/bin/python -m attacks.security_document`."""

from __future__ import annotations

import ast
from pathlib import Path

from providers import test_certified_provider

from attacks.all_attacks import ATTACKS
from attacks.conforming_logins import CONFORMING_LOGINS
from attacks.denials import CREDENTIALS, ISSUER_URL, PRIVATE_KEY, SECRET, Denial

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "redirect-security.md"
EXTENSION = ROOT / "tests" / "snapshots" / "redirect-ssr" / "MyExternalMFA"
MARK = "<!-- `make snapshots` writes the rest of this file. tests/attacks/test_security_document.py checks it. -->\n"

# Attacks that only the extension's own tests try: test, what is wrong, denial.
OWN_TESTS = [
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
    """oidc.py, which is the same in both renderings."""
    return (EXTENSION / "oidc.py").read_text("utf-8")


def functions() -> dict[str, str]:
    """The functions of oidc.py, by name, with their source."""
    source = code()
    return {
        node.name: ast.get_source_segment(source, node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


def denying_statements() -> set[tuple[str, str]]:
    """Every call in oidc.py that denies: its function, and its reason as it is written there."""
    found = set()
    for name, source in functions().items():
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Attribute(attr="_require" | "_denied"), args=[*_, reason]):
                    if not isinstance(reason, ast.Name):  # `_require` passes its own argument on
                        text = ast.get_source_segment(source, reason) or ""
                        found.add((name, text.removeprefix("f")[1:-1]))
    return found


def document() -> str:
    """What docs/redirect-security.md has to be: its own text up to the mark, then the tables."""
    text, mark, _ = DOCUMENT.read_text("utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{DOCUMENT.name} does not contain the line {MARK}")
    return text + MARK + "\n".join(_tables()) + "\n"


def _tables() -> list[str]:
    return [
        "",
        "## What is denied",
        "",
        f"The function and the reason are those of [`oidc.py`](../{(EXTENSION / 'oidc.py').relative_to(ROOT)}). The reason is",
        "the line in the log, after `External MFA denied: `. Search for it in the file to find the check.",
        "",
        "Tests: `tests/attacks/test_hostile_provider.py::test_attack_is_denied[…]`.",
        "",
        *_head("`test_attack_is_denied[…]`"),
        *(_row(attack.wrong, attack.denial, attack.code, attack.name) for attack in ATTACKS if attack.denial),
        "",
        "The extension's own `tests/test_oidc.py` has most of these too, with a provider in memory. Only it has these:",
        "",
        *_head("test"),
        *(_row(wrong, denial, "", test) for test, wrong, denial in OWN_TESTS),
        "",
        "## What passes",
        "",
        "Tests: `tests/attacks/test_hostile_provider.py::test_conforming_login_passes[…]`.",
        "",
        "| what a conforming provider may do | `test_conforming_login_passes[…]` |",
        "|---|---|",
        *(f"| {login.wrong} | `{login.name}` |" for login in CONFORMING_LOGINS),
        "",
        "## Against the certified provider",
        "",
        "Tests: `tests/providers/test_certified_provider.py::…`.",
        "",
        *(f"- `{test}`" for test in vars(test_certified_provider) if test.startswith("test_")),
    ]


def _head(test: str) -> list[str]:
    return [
        f"| what is wrong | function | reason in the log | asked for by | the page is told | {test} |",
        "|---|---|---|---|---|---|",
    ]


def _row(wrong: str, denial: Denial, code_told: str, test: str) -> str:
    where = f"`{denial.function}`" + (f": `{denial.expression}`" if denial.expression else "")
    cells = [wrong, where, f"`{denial.reason}`", denial.section, f"`{code_told or denial.code}`", f"`{test}`"]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
