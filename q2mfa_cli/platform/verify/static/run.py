"""Run the static checks on the source of one extension."""

from __future__ import annotations

from collections.abc import Iterable

from q2mfa_cli.platform.verify.check import Check, NotApplicable, Problem, Skipped
from q2mfa_cli.platform.verify.results import FoundProblems, Outcome, Verdict
from q2mfa_cli.platform.verify.static import STATIC
from q2mfa_cli.platform.verify.static.source import Source


def run_static(source: Source, checks: Iterable[Check], found: FoundProblems) -> list[Outcome]:
    """Run *checks*, and add their problems to *found*. Return one outcome per check."""
    outcomes = []
    for check in checks:
        verdict, reason = Verdict.PASSED, ""
        problems: list[Problem] = []
        try:
            # A check may yield problems before one of its parts raises.
            problems.extend(STATIC[check.id](source))
        except NotApplicable as error:
            verdict, reason = Verdict.NOT_APPLICABLE, str(error)
        except Skipped as error:
            verdict, reason = Verdict.SKIPPED, str(error)
        if found.add(check, problems):
            verdict, reason = Verdict.FAILED, ""
        outcomes.append(Outcome(check, "", verdict, reason))
    return outcomes
