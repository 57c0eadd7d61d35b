"""Write the tables of docs/explanation/redirect-attacks.md: `PYTHONPATH=tests .venv/bin/python -m attacks.security_document`."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from providers import test_certified_provider

from attacks.all_attacks import ATTACKS
from attacks.conforming_logins import CONFORMING_LOGINS
from attacks.denials import (
    CACHE,
    FAPI2,
    FLOW,
    KEY_ALGORITHM,
    ONCE,
    PRIVATE_KEY,
    SECRET,
    SETTING,
    Denial,
)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "explanation" / "redirect-attacks.md"
EXTENSION = ROOT / "tests" / "snapshots" / "redirect-ssr" / "MyExternalMFA"
FILES = [("protocol.py", " and"), ("oidc.py", ". The reason is")]
MARK = "<!-- `make snapshots` writes the rest of this file. tests/attacks/test_security_document.py checks it. -->\n"

# Attacks that only the extension's own tests try: test, what is wrong, denial.
OWN_TESTS = [
    ("test_invalid_setting_is_denied_at_start", "a setting with a wrong value", SETTING),
    ("test_fapi2_refuses_weaker_settings", "settings that are weaker than the profile", FAPI2),
    ("test_fapi2_refuses_other_algorithms", "a private key of another algorithm", KEY_ALGORITHM),
    (
        "test_missing_secret_is_denied_at_start_and_at_finish",
        "no client secret, at start or at finish",
        SECRET,
    ),
    (
        "test_secret_or_key_that_cannot_be_used_is_denied_at_start",
        "a private key that cannot be used",
        PRIVATE_KEY,
    ),
    ("test_cache_that_fails_is_denied", "a cache that is down", CACHE),
    ("test_only_one_worker_can_use_a_flow", "a flow that another worker answered", ONCE),
    ("test_cached_flow_that_is_wrong_is_denied", "a flow in the cache that is not ours", FLOW),
]

# Functions and constants that deny, with the position of the reason among their arguments.
DENYING = {"require": 2, "usable": 1, "available": 1, "trusted": 1, "current": 1, "denying": 1, "Denied": 1}


@cache
def functions() -> dict[str, str]:
    """The functions of protocol.py and oidc.py, by name, with their source. Both renderings have the same files."""
    return {
        node.name: ast.get_source_segment(source, node) or ""
        for source in [(EXTENSION / name).read_text("utf-8") for name in ("protocol.py", "oidc.py")]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
    }


@cache
def denying_statements() -> set[tuple[str, str]]:
    """Every call that denies: its function, and its reason as it is written there."""
    found = set()
    for name, source in functions().items():
        if name in DENYING:
            continue
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Name(id=called), args=args) if called in DENYING:
                    text = ast.get_source_segment(source, args[DENYING[called]]) or ""
                    text = text.removeprefix("f")[1:-1]
                    suffix = ": {type(error).__name__}" if called == "denying" else ""
                    found.add((name, text + suffix))
    return found


def document() -> str:
    """What docs/explanation/redirect-attacks.md has to be: its own text up to the mark, then the tables."""
    text, mark, _ = DOCUMENT.read_text("utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{DOCUMENT.name} does not contain the line {MARK}")
    return text + MARK + "\n".join(_tables()) + "\n"


def _tables() -> list[str]:
    return [
        "",
        "## What is denied",
        "",
        "The function and the reason are those of",
        *(f"`{(EXTENSION / name).relative_to(ROOT)}`{end}" for name, end in FILES),
        "in the log, after `External MFA denied: ` and the code. Search for it in the file to find the check.",
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
