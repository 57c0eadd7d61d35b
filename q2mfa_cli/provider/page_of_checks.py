"""Generate ``docs/reference/provider-checks.md`` from the table of checks."""

from __future__ import annotations

from q2mfa_cli.provider.checks import CHECKS
from q2mfa_cli.provider.vendors import VENDORS

INTRODUCTION = """\
# The checks of `q2mfa provider`

`make snapshots` generates this page from the table in `q2mfa_cli/provider/checks.py`.

`q2mfa provider ISSUER` sends an identity provider the requests of a redirect extension and its customer, and reports whether
the provider works in an outlet of online banking. Requests go only to the provider. Each is limited to 10 seconds and
100,000 bytes. Redirects are followed only on the way to the login page, at most five. The client secret is sent only to the
token endpoint or the pushed authorization request endpoint, and only if the issuer in the metadata matches. No report
contains the secret.

With `--browser`, headless Chromium also loads the login page in a frame of the embedder, with all resources of that page.
Playwright serves the embedder's page, so no request reaches online banking. This option needs
`pip install "q2mfa-cli[browser]"`, and `playwright install chromium` or a Chromium of the system.

With a *high* or *critical* finding, no customer can log in. *Low* and *medium* findings are risks. A check can also
report *unknown* (the provider does not say), *skipped* (not checked) or *info*. The table shows each check's usual severity.
"""

CODES = """
## Exit status

| status | meaning |
|---|---|
| 0 | no finding has the severity of `--fail-on` (default: `low`) or a higher one |
| 1 | at least one finding has (0 with `--exit-zero`) |
| 2 | usage error |
| 3 | the provider could not be reached, or q2mfa failed unexpectedly |

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
        name = (
            f"[{vendor.name}](../how-to/identity-providers/{vendor.page}.md)" if vendor.page else vendor.name
        )
        vendor_rows += [f"| {name} | `{check}` | {text} |" for check, text in vendor.remedies.items()]
        vendor_rows += [
            f"| {name} | `{check}` | Not possible: {text} |" for check, text in vendor.impossible.items()
        ]
    return "\n".join(
        [
            INTRODUCTION,
            "| check | requirement | severity | source | remedy |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "Core and Discovery are specifications of OpenID Connect 1.0.",
            "",
            "## Settings by vendor",
            "",
            "| vendor | check | where |",
            "|---|---|---|",
            *vendor_rows,
            CODES,
        ]
    )
