"""``docs/reference/provider-checks.md``, written from the table of checks."""

from __future__ import annotations

from q2mfa_cli.provider.checks import CHECKS
from q2mfa_cli.provider.vendors import VENDORS

INTRODUCTION = """\
# The checks of `q2mfa provider`

This page is written from the table in `q2mfa_cli/provider/checks.py` by `make snapshots`.

`q2mfa provider ISSUER` asks an identity provider what a redirect extension and its customer ask it, and says whether it
works in an outlet of online banking. It sends requests to the provider only: at most 10 seconds and 100,000 bytes each.
It follows redirects on the way to the login page only, at most five. The client secret goes to the token endpoint or the
endpoint for pushed authorization requests, and only if the metadata are the issuer's own. No report contains it.

With `--browser`, headless Chromium also shows the login page in a frame of the embedder, and loads what that page loads.
Playwright answers for the embedder, so that no request reaches online banking. It needs `pip install "q2mfa-cli[browser]"`
and `playwright install chromium`, or a Chromium of the system.

A finding of *high* or *critical* lets no customer through. *low* and *medium* ones are risks. A check can also say *unknown*
(the provider does not tell), *skipped* (it was not looked at) or *info*. The table has each check's usual severity.
"""

CODES = """
## Exit status

| status | meaning |
|---|---|
| 0 | no finding of the severity of `--fail-on` (default: `low`) or higher |
| 1 | such a finding (0 with `--exit-zero`) |
| 2 | usage error |
| 3 | the provider could not be asked, or q2mfa failed unexpectedly |

The JSON report has a [schema](../provider-report.schema.json).
"""


def page_of_checks() -> str:
    """Return the page, in Markdown."""
    rows = [
        f"| `{check.id}` | {check.what} | {check.severity} | {check.source} | {check.remedy or 'Nothing to change.'} |"
        for check in CHECKS
    ]
    vendor_rows = []
    for vendor in VENDORS:
        name = f"[{vendor.name}](../how-to/{vendor.page}.md)" if vendor.page else vendor.name
        vendor_rows += [f"| {name} | `{check}` | {text} |" for check, text in vendor.remedies.items()]
        vendor_rows += [
            f"| {name} | `{check}` | No way: {text} |" for check, text in vendor.impossible.items()
        ]
    return "\n".join(
        [
            INTRODUCTION,
            "| check | what has to hold | severity | source | remedy |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Core and Discovery are those of OpenID Connect 1.0.",
            "",
            "## What to switch at which vendor",
            "",
            "| vendor | check | where |",
            "|---|---|---|",
            *vendor_rows,
            CODES,
        ]
    )
