"""``docs/reference/checks.md``, written from the table of checks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from q2mfa_cli.platform.verify.check import PROFILES, Check
from q2mfa_cli.platform.verify.explanation import applies_to, seen, severities
from q2mfa_cli.platform.verify.report import NOT_SHOWN
from q2mfa_cli.platform.verify.table import CHECKS, general, page, passcode, redirect, source

INTRODUCTION = """\
# The checks of `q2mfa verify`

This page is written from the table in `q2mfa_cli/platform/verify/table/` by `make snapshots`. `q2mfa explain ID` says the same
of one check, offline. [Verify an extension](../how-to/verify.md) says how to run them.

A *static* check reads the source. A *dynamic* one runs the extension on q2mfa's fake of the platform, proves who the customer
is, and then changes something: HQ decides whether a token was set; what the extension answers does not count. It runs in each of
the three workflows where that makes a difference. A check that cannot be tried is *not applicable* or *skipped*, with the reason,
and never a pass.
"""

REST = """
## Exit status

| status | meaning |
|---|---|
| 0 | nothing was found of the severity of `--fail-on` (default: `low`) or more |
| 1 | something was found |
| 2 | usage error |
| 3 | the extension could not be looked at, or q2mfa itself failed |

The JSON report has a [schema](../verify-report.schema.json).

## What no check here can show

"""

FAMILIES = (
    ("Tokens, sessions, faults and configuration", general.CHECKS),
    ("One-time passcodes", passcode.CHECKS),
    ("OpenID Connect", redirect.CHECKS),
    ("The page", page.CHECKS),
    ("The source", source.CHECKS),
)


def page_of_checks() -> str:
    """Return the page, in Markdown."""
    lines = [INTRODUCTION, "| profile | checks |", "|---|---|"]
    lines += [f"| `{profile}` | {says} |" for profile, says in PROFILES.items()]
    lines += [REST + "\n".join(f"- {each}" for each in NOT_SHOWN), ""]
    for title, checks in FAMILIES:
        lines += [f"## {title}", "", "| check | what it finds | severity |", "|---|---|---|"]
        lines += [
            f"| [`{check.id}`](#{check.id}) | {_cell(check.title)} | {severities(check)} |"
            for check in checks
        ]
        lines.append("")
    lines += [line for check in CHECKS for line in _section(check)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(check: Check) -> Iterator[str]:
    yield f"### {check.id}"
    yield ""
    yield f"{check.title}. {severities(check)}; {seen(check)}; {applies_to(check)}."
    yield ""
    yield f"- **Requires:** {check.requirement}"
    yield f"- **Risk:** {check.risk}"
    yield f"- **Remedy:** {check.remedy}"
    yield f"- **Sources:** {'; '.join(check.sources)}"
    yield ""
    for label, example in (("Wrong", check.wrong), ("Right", check.right)):
        if example:
            yield f"{label}:"
            yield ""
            yield f"```\n{textwrap.dedent(example).strip()}\n```"
            yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
