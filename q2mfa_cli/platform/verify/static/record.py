"""The check of an extension's record: security fixes that its templates lack."""

from __future__ import annotations

from collections.abc import Iterator

from q2mfa_cli.changelog import security_fixes
from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.platform.verify.check import Location, NotApplicable, Problem, Skipped
from q2mfa_cli.platform.verify.static.source import Source
from q2mfa_cli.record import read_record, record_path


def template_behind(source: Source) -> Iterator[Problem]:
    try:
        record = read_record(source.workspace, source.name)
    except Q2mfaError as error:
        raise Skipped(error.message) from error
    if record is None:
        raise NotApplicable("q2mfa has no record of this extension.")
    fixes = security_fixes(record.version, record.request().integration)
    return (
        Problem(f"A security fix is missing: {fix}.", Location(record_path(source.name), 1)) for fix in fixes
    )
