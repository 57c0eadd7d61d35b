"""Write the files that derive from the tables of questions and of checks: `make snapshots`, or ``python docs/write_derived_files.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from q2mfa_cli import __version__
from q2mfa_cli.commands import verify
from q2mfa_cli.integrations import INTEGRATIONS
from q2mfa_cli.platform.verify.check import Severity
from q2mfa_cli.platform.verify.page_of_checks import page_of_checks as page_of_verify_checks
from q2mfa_cli.platform.verify.report import json as verify_report
from q2mfa_cli.provider import report
from q2mfa_cli.provider.page_of_checks import page_of_checks
from q2mfa_cli.questions import answers_schema, cookiecutter_defaults
from q2mfa_cli.rendering import VERSION_VARIABLE

ROOT = Path(__file__).resolve().parents[1]
# Q2's own example, which the README shows the findings in.
SEED = ROOT / "tests" / "verify" / "seed_extension"


def derived_files() -> dict[Path, str]:
    """Return the files' contents by path. Private variables of a ``cookiecutter.json`` are kept."""
    files = {
        ROOT / "docs" / "answers.schema.json": _json(answers_schema()),
        ROOT / "docs" / "provider-report.schema.json": _json(report.schema()),
        ROOT / "docs" / "reference" / "provider-checks.md": page_of_checks(),
        ROOT / "docs" / "verify-report.schema.json": _json(verify_report.schema()),
        ROOT / "docs" / "reference" / "checks.md": page_of_verify_checks(),
        SEED / "report.txt": _findings_in_seed(),
    }
    for integration in INTEGRATIONS:
        path = ROOT / "templates" / integration.id / "cookiecutter.json"
        private = {key: value for key, value in json.loads(path.read_text("utf-8")).items() if key[0] == "_"}
        versioned = {**private, VERSION_VARIABLE: __version__}
        files[path] = _json({**cookiecutter_defaults(integration), **versioned})
    return files


def _findings_in_seed() -> str:
    options = verify.VerifyOptions(static_only=True)
    reports = verify.verify(SEED, ["MyExternalMFA"], options, lambda _: None)
    return verify.shown_report(reports, "text", Severity.NOTE) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


if __name__ == "__main__":
    for path, content in derived_files().items():
        path.write_text(content, "utf-8")
