"""Run the checks: the static ones on the source, then the dynamic ones in each workflow."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from q2mfa_cli.errors import ToolFailed, shown
from q2mfa_cli.integrations import Integration
from q2mfa_cli.platform.preview.serving import serving
from q2mfa_cli.platform.preview.workflows import WORKFLOWS, Workflow
from q2mfa_cli.platform.verify.attempts import right_user
from q2mfa_cli.platform.verify.check import Check, NotApplicable, Problem, Skipped
from q2mfa_cli.platform.verify.customer import Deviation, NoAnswer, NotTried
from q2mfa_cli.platform.verify.customers import customer_class_of
from q2mfa_cli.platform.verify.dynamic import DYNAMIC, general
from q2mfa_cli.platform.verify.dynamic.bench import Bench, Known, stable
from q2mfa_cli.platform.verify.own import OwnCustomer
from q2mfa_cli.platform.verify.results import FoundProblems, Outcome, Verdict
from q2mfa_cli.platform.verify.static import STATIC
from q2mfa_cli.platform.verify.static.source import Source
from q2mfa_cli.platform.verify.table import CHECKS

# What reading an answer of another shape raises.
NOT_UNDERSTOOD = (OSError, KeyError, IndexError, TypeError, ValueError)


@dataclass(frozen=True)
class Selection:
    """Which checks to run.

    :param profile: of :data:`PROFILES`. :param ids: of the checks; empty for all of the profile.
    :param workflows: the ids of those to run dynamic checks in; empty for all. :param static_only: whether to leave dynamic checks out.
    """

    profile: str
    ids: Collection[str] = ()
    workflows: Collection[str] = ()
    static_only: bool = False

    @property
    def checks(self) -> list[Check]:
        return [
            check
            for check in CHECKS
            if check.severity_in(self.profile) is not None and (not self.ids or check.id in self.ids)
        ]

    def workflows_of(self, check: Check) -> list[Workflow]:
        wanted = [
            workflow
            for workflow in WORKFLOWS
            if (not self.workflows or workflow.id in self.workflows)
            and (not check.workflows or workflow.id in check.workflows)
        ]
        return wanted[:1] if check.once else wanted

    def static(self) -> Iterator[Check]:
        return (check for check in self.checks if check.id in STATIC)

    def dynamic(self) -> Iterator[tuple[Check, Workflow]]:
        """Each dynamic check in each of its workflows, in the order of the table."""
        if self.static_only:
            return
        for check in self.checks:
            if check.id in DYNAMIC:
                for workflow in self.workflows_of(check):
                    yield check, workflow


Progress = Callable[[str], None]


def run_static(source: Source, selection: Selection, found: FoundProblems) -> list[Outcome]:
    """Run the static checks."""
    outcomes = []
    for check in selection.static():
        verdict, reason = Verdict.PASSED, ""
        problems: list[Problem] = []
        try:
            # A part of the check can have found something before another part cannot run.
            problems.extend(STATIC[check.id](source))
        except NotApplicable as error:
            verdict, reason = Verdict.NOT_APPLICABLE, str(error)
        except Skipped as error:
            verdict, reason = Verdict.SKIPPED, str(error)
        if found.add(check, problems):
            verdict, reason = Verdict.FAILED, ""
        outcomes.append(Outcome(check, "", verdict, reason))
    return outcomes


@dataclass
class DynamicRun:
    """What came of the dynamic checks.

    :param kind: the integration's id, or ``"own"`` if ``prove.py`` says how to prove. :param notes: what it was given for this run only.
    """

    outcomes: list[Outcome]
    kind: str
    notes: Sequence[str]


async def run_dynamic(
    workspace: Path, name: str, selection: Selection, found: FoundProblems, progress: Progress
) -> DynamicRun:
    """Serve the extension, and run the dynamic checks. Call ``use_fake_sdk`` first.

    :raises Q2mfaError: the extension cannot be served.
    """
    outcomes, known = [], Known()
    async with serving(workspace, name, 0) as preview, contextlib.aclosing(known.browser):
        preview.extension.check()
        customer_class = customer_class_of(preview.extension)
        is_own = issubclass(customer_class, OwnCustomer)
        hindrances = dict[str, str]()
        for check, workflow in selection.dynamic():
            reason = _other_integration(check, None if is_own else preview.extension.integration)
            if reason:
                outcomes.append(Outcome(check, workflow.id, Verdict.NOT_APPLICABLE, reason))
                continue
            bench = Bench(preview, workflow, customer_class, known)
            progress(f"{check.id} ({workflow.label})")
            try:
                if workflow.id not in hindrances:
                    hindrances[workflow.id] = await hindrance(bench)
                outcomes.append(await _run(check, bench, hindrances[workflow.id], found))
            finally:
                bench.close()
        kind = "own" if is_own else preview.extension.integration.id
        return DynamicRun(outcomes, kind, [stable(note) for note in preview.notes])


async def hindrance(bench: Bench) -> str:
    """Why the right user does not complete MFA, as a sentence; empty if they do. Then refusals say nothing."""
    customer = bench.customer()
    try:
        await customer.find_route()
        await right_user(customer)
        bench.known.route = customer.route
    except NotTried as reason:
        return f"{reason}."
    except NoAnswer as error:
        name = bench.preview.extension.name
        raise ToolFailed(
            f"{shown(name)} does not answer a request of its page.",
            f"Look at it in a browser: q2mfa preview {name}",
            "no_answer",
        ) from error
    except (Deviation, *NOT_UNDERSTOOD) as error:
        return f"The right user does not complete MFA: {stable(str(error))}."
    return ""


def _other_integration(check: Check, integration: Integration | None) -> str:
    """Why *check* is not for an extension of *integration*; empty if it is, or if the integration is not known."""
    if integration is None or not check.integrations or integration in check.integrations:
        return ""
    labels = " and ".join(each.label for each in check.integrations)
    return f"It is for {labels} extensions."


async def _run(check: Check, bench: Bench, hindrance: str, found: FoundProblems) -> Outcome:
    workflow = bench.workflow.id
    if hindrance and check.id not in general.WITHOUT_RIGHT_USER:
        return Outcome(check, workflow, Verdict.SKIPPED, hindrance)
    try:
        problems = found.add(check, await DYNAMIC[check.id](bench), workflow)
    except (NotApplicable, NotTried) as error:
        return Outcome(check, workflow, Verdict.NOT_APPLICABLE, str(error))
    except Skipped as error:
        return Outcome(check, workflow, Verdict.SKIPPED, str(error))
    except (Deviation, *NOT_UNDERSTOOD) as error:
        return Outcome(check, workflow, Verdict.SKIPPED, f"It could not be tried: {stable(str(error))}.")
    if problems:
        return Outcome(check, workflow, Verdict.FAILED)
    # What was found is a fact; that nothing was found says nothing if not even the right user gets through.
    return Outcome(check, workflow, Verdict.SKIPPED if hindrance else Verdict.PASSED, hindrance)
