"""``q2mfa verify NAME…``: find ways to pass MFA without proof."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from q2mfa_cli.errors import Q2mfaError, ToolFailed, UsageError, shown
from q2mfa_cli.integrations import generated_integration, refuse_other_extensions
from q2mfa_cli.platform import FAKE_SDK_MODULES
from q2mfa_cli.platform.verify import baseline as known_findings
from q2mfa_cli.platform.verify.check import BASELINE, Severity
from q2mfa_cli.platform.verify.explanation import check_named
from q2mfa_cli.platform.verify.ignores import apply_ignores, problems_of, read_ignores
from q2mfa_cli.platform.verify.output_file import write_file
from q2mfa_cli.platform.verify.report import json as json_report
from q2mfa_cli.platform.verify.report import junit, sarif, text
from q2mfa_cli.platform.verify.results import FoundProblems, Outcome, Report, Verdict
from q2mfa_cli.platform.verify.selection import Selection
from q2mfa_cli.platform.verify.static.run import run_static
from q2mfa_cli.platform.verify.static.source import Source
from q2mfa_cli.record import refuse_conflict_markers
from q2mfa_cli.workspace.installed import extension_folder

if TYPE_CHECKING:
    from q2mfa_cli.platform.verify.dynamic.run import DynamicRun  # needs the sandbox extra

# The packages that the dynamic checks need besides those of the fake SDK and of the extension.
NEEDED = ("pyotp", "segno", "authlib", "cachetools", "jwt", "time_machine")

OUTPUTS = ("json", "junit", "sarif")


@dataclass(frozen=True)
class VerifyOptions:
    """The options of ``q2mfa verify``.

    :param checks: IDs; empty for all of the profile. :param workflows: IDs; empty for all.
    :param baseline: a file of known findings, or None. :param ignores: whether to apply ignore comments.
    """

    profile: str = BASELINE
    checks: Sequence[str] = ()
    workflows: Sequence[str] = ()
    static_only: bool = False
    baseline: Path | None = None
    ignores: bool = True


def verify(
    workspace: Path, names: Sequence[str], options: VerifyOptions, progress: Callable[[str], None]
) -> list[Report]:
    """Verify the extensions *names* of *workspace*.

    :param progress: called with the ID and workflow of each dynamic check before it runs.
    :raises UsageError: an argument is not valid. :raises ToolFailed: an extension cannot be verified.
    """
    for identifier in options.checks:
        check_named(identifier)
    selection = Selection(options.profile, options.checks, options.workflows, options.static_only)
    if not any(selection.static()) and not any(selection.dynamic()):
        raise UsageError(
            "There is no check to run.",
            "Leave out --check, --workflow or --static-only, or choose another --profile.",
            "nothing_to_run",
        )
    if any(selection.dynamic()):
        _refuse_missing_modules()
    baseline = known_findings.read_baseline(options.baseline) if options.baseline else None
    try:
        reports = [
            _verify(workspace, name, selection, options.ignores, progress) for name in dict.fromkeys(names)
        ]
    except UsageError:
        raise
    except Q2mfaError as error:
        raise ToolFailed(error.message, error.hint, error.code) from error
    if baseline is None:
        return reports
    return [replace(report, findings=tuple(baseline.apply(report.findings))) for report in reports]


def _refuse_missing_modules() -> None:
    missing = [name for name in (*FAKE_SDK_MODULES, *NEEDED) if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolFailed(
            f"The checks need {', '.join(missing)}, which this Python does not have.",
            'Install it: pip install "q2mfa-cli[sandbox]"',
            "sandbox_missing",
        )


def _verify(
    workspace: Path, name: str, selection: Selection, ignores: bool, progress: Callable[[str], None]
) -> Report:
    folder = extension_folder(workspace, name)
    if not folder.is_dir():
        raise ToolFailed(
            f"There is no extension {shown(name)} in {shown(str(workspace))}.",
            "Run this in the workspace, or choose it with -o. Create an extension with `q2mfa create`.",
            "no_such_extension",
        )
    refuse_conflict_markers(workspace, name)
    refuse_other_extensions(name, folder)
    found = FoundProblems(selection.profile)
    outcomes: list[Outcome] = []
    if any(selection.static()):
        outcomes += run_static(Source(workspace, name, folder), selection.static(), found)
    sequences: Mapping[str, Sequence[str]] = {}
    notes: Sequence[str] = ()
    integration = generated_integration(folder)
    kind = integration.id if integration else "own"
    if any(selection.dynamic()):
        run = _run_dynamic(workspace, name, selection, found, progress)
        outcomes += run.outcomes
        kind, notes, sequences = run.kind, run.notes, run.sequences
    _refuse_if_nothing_ran(name, outcomes)
    findings = found.findings()
    if ignores:
        comments = read_ignores(workspace, folder, name)
        ran = _ids(outcomes, Verdict.PASSED, Verdict.FAILED)
        for identifier, problem in problems_of(comments, findings, ran):
            check = next((check for check in selection.checks if check.id == identifier), None)
            if check is not None:
                found.add(check, [problem])
        findings = tuple(apply_ignores(found.findings(), comments))
    return Report(name, kind, selection.profile, tuple(outcomes), findings, tuple(notes), sequences)


def _refuse_if_nothing_ran(name: str, outcomes: Sequence[Outcome]) -> None:
    """Refuse to report success if no check could run.

    :raises ToolFailed: every check was skipped.
    """
    skipped = [outcome.reason for outcome in outcomes if outcome.verdict is Verdict.SKIPPED]
    if skipped and not any(outcome.verdict in (Verdict.PASSED, Verdict.FAILED) for outcome in outcomes):
        raise ToolFailed(
            f"No check could run: {skipped[0]}",
            f"Record {name}/tests/prove.py with `q2mfa preview {name} --record`, or write it: see docs/how-to/preview.md.",
            "nothing_tried",
        )


def _ids(outcomes: Sequence[Outcome], *verdicts: Verdict) -> set[str]:
    """Return the IDs of the checks whose runs all ended with one of *verdicts*."""
    others = {outcome.check.id for outcome in outcomes if outcome.verdict not in verdicts}
    return {outcome.check.id for outcome in outcomes} - others


def _run_dynamic(
    workspace: Path, name: str, selection: Selection, found: FoundProblems, progress: Callable[[str], None]
) -> DynamicRun:
    from q2mfa_cli.platform.verify.dynamic.run import run_dynamic  # needs the sandbox extra
    from q2mfa_cli.platform.verify.workspace_code import running_workspace_code  # needs the sandbox extra

    silent, root = logging.NullHandler(), logging.getLogger()
    root.addHandler(silent)
    try:
        with running_workspace_code(workspace, NEEDED):
            return asyncio.run(run_dynamic(workspace, name, selection, found, progress))
    finally:
        root.removeHandler(silent)


def write_outputs(reports: Sequence[Report], outputs: Mapping[str, Path]) -> None:
    """Write *reports* to *outputs*, the files by format of :data:`OUTPUTS`.

    :raises Q2mfaError: a file cannot be written.
    """
    for output_format, file in outputs.items():
        write_file(file, shown_report(reports, output_format, Severity.NOTE) + "\n")


def write_baseline(file: Path, reports: Sequence[Report]) -> None:
    """Write the open findings as the new baseline.

    :raises Q2mfaError: the file cannot be written.
    """
    known_findings.write_baseline(file, [finding for report in reports for finding in report.open])


def shown_report(reports: Sequence[Report], output_format: str, least: Severity) -> str:
    """Return *reports* as ``text``, ``json``, ``junit`` or ``sarif``. Text and JSON omit findings below *least*."""
    match output_format:
        case "json":
            return json_report.as_json(reports, least)
        case "junit":
            return junit.as_junit(reports)
        case "sarif":
            return sarif.as_sarif(reports)
        case _:
            return text.as_text(reports, least)


def parse_outputs(outputs: Sequence[str]) -> dict[str, Path]:
    """Return ``FORMAT=FILE`` strings as a mapping.

    :raises UsageError: one is not valid.
    """
    parsed: dict[str, Path] = {}
    for output in outputs:
        output_format, separator, file = output.partition("=")
        if output_format not in OUTPUTS or not separator or not file or output_format in parsed:
            raise UsageError(
                f"--output takes {', '.join(f'{each}=FILE' for each in OUTPUTS)}, each once; not {shown(output)}.",
                "For example: --output sarif=q2mfa.sarif",
            )
        if not Path(file).parent.is_dir():
            raise UsageError(f"There is no folder for {shown(file)}.", "Create it, or choose another file.")
        parsed[output_format] = Path(file)
    return parsed
