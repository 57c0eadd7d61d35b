"""The text of ``q2mfa explain``, from the table of checks."""

from __future__ import annotations

import difflib
import textwrap

from q2mfa_cli.errors import UsageError, shown
from q2mfa_cli.platform.verify.check import BASELINE, PROFILES, Check
from q2mfa_cli.platform.verify.table import CHECKS

WIDTH = 88


def list_of_checks() -> str:
    """Return the ID and title of every check, one per line."""
    width = max((len(check.id) for check in CHECKS), default=0)
    return "\n".join(f"{check.id:<{width}}  {check.title}" for check in CHECKS)


def check_named(identifier: str) -> Check:
    """Return the check with this ID. :raises UsageError: there is none."""
    by_id = {check.id: check for check in CHECKS}
    if identifier in by_id:
        return by_id[identifier]
    guess = difflib.get_close_matches(identifier, by_id, 1, 0.5)
    raise UsageError(
        f"There is no check {shown(identifier)}.",
        f"Did you mean {guess[0]}?" if guess else "`q2mfa explain` lists them.",
        "no_such_check",
    )


def explanation(check: Check) -> str:
    """Return everything that the table says about *check*."""
    parts = [
        f"{check.id}: {check.title}",
        f"{severities(check)} · {seen(check)} · {applies_to(check)}",
        "",
        _wrapped("Requires", check.requirement),
        _wrapped("Risk", check.risk),
        _wrapped("Remedy", check.remedy),
        _wrapped("Sources", "; ".join(check.sources)),
    ]
    for label, example in (("Wrong", check.wrong), ("Right", check.right)):
        if example:
            parts += ["", f"{label}:", textwrap.indent(textwrap.dedent(example).strip("\n"), "    ")]
    parts += ["", f"Ignore one finding, with a reason:  # q2mfa: ignore[{check.id}] why it is right here"]
    return "\n".join(parts)


def severities(check: Check) -> str:
    """Return the severity, and those of other profiles if they differ."""
    usual = check.severity_in(BASELINE)
    parts = [usual.label] if usual is not None else []
    for profile in PROFILES:
        severity = check.severity_in(profile)
        if severity is not None and severity is not usual:
            parts.append(f"{profile}: {severity.label}")
    return ", ".join(parts)


def seen(check: Check) -> str:
    how = {"static": "static (reads the source)", "dynamic": "dynamic (tries it)"}
    quick = ", in the quick profile too" if check.is_quick else ""
    return " and ".join(how[each] for each in check.seen) + quick


def applies_to(check: Check) -> str:
    if not check.integrations:
        return "any External MFA extension"
    return " and ".join(each.label for each in check.integrations) + " extensions"


def _wrapped(label: str, text: str) -> str:
    indent = " " * 10
    return textwrap.fill(
        text, WIDTH, initial_indent=f"{label + ':':<10}", subsequent_indent=indent, break_on_hyphens=False
    )
