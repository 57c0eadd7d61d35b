"""Serve one extension, and run the dynamic checks in each workflow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from q2mfa_cli.errors import ToolFailed, shown
from q2mfa_cli.integrations import Integration
from q2mfa_cli.platform.preview.serving import Preview, serving
from q2mfa_cli.platform.verify.check import Check, NotApplicable, Skipped
from q2mfa_cli.platform.verify.customers.choice import customer_class_of
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation, NoAnswer, NotTried
from q2mfa_cli.platform.verify.customers.scripted import ScriptedCustomer
from q2mfa_cli.platform.verify.dynamic import DYNAMIC, general
from q2mfa_cli.platform.verify.dynamic.bench import Bench, Known, sequence_of, stable, until_first
from q2mfa_cli.platform.verify.dynamic.proofs import complete_mfa
from q2mfa_cli.platform.verify.results import FoundProblems, Outcome, Verdict
from q2mfa_cli.platform.verify.selection import Selection

# Errors from reading an unexpected response.
NOT_UNDERSTOOD = (OSError, KeyError, IndexError, TypeError, ValueError)


Progress = Callable[[str], None]


@dataclass(frozen=True)
class DynamicRun:
    """The results of the dynamic checks.

    :param kind: the integration's id, or ``"own"`` if ``prove.py`` says how to prove. :param notes: settings for this run only.
    :param sequences: the calls, by the ID of each workflow that the right user completes.
    """

    outcomes: Sequence[Outcome]
    kind: str
    notes: Sequence[str] = ()
    sequences: Mapping[str, Sequence[str]] = field(default_factory=dict)


async def run_dynamic(
    workspace: Path, name: str, selection: Selection, found: FoundProblems, progress: Progress
) -> DynamicRun:
    """Serve the extension, and run the dynamic checks. Call ``use_fake_sdk`` first.

    :raises Q2mfaError: the extension cannot be served.
    """
    known = Known()
    async with serving(workspace, name, 0) as preview, contextlib.aclosing(known.browser):
        preview.extension.check()
        runner = _Runner(preview, customer_class_of(preview.extension), known, found)
        runs = []
        for check, workflow in selection.dynamic():
            progress(f"{check.id} ({workflow.label})")
            bench = Bench(preview, workflow, runner.customer_class, known)
            run = asyncio.ensure_future(runner.run(check, bench))
            runs.append(run)
            await until_first(run, bench.only_waits.wait())
        outcomes = await asyncio.gather(*runs)
        notes = [stable(note) for note in preview.notes]
        return DynamicRun(outcomes, runner.kind, notes, runner.sequences)


@dataclass
class _Runner:
    """Runs the dynamic checks of one extension.

    :ivar hindrances: why the right user cannot complete MFA, by workflow; empty if they can.
    :ivar sequences: the calls, by the ID of each workflow that the right user completes.
    """

    preview: Preview
    customer_class: type[Customer]
    known: Known
    found: FoundProblems
    hindrances: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        return issubclass(self.customer_class, ScriptedCustomer)

    @property
    def kind(self) -> str:
        return "own" if self.is_own else self.preview.extension.integration.id

    async def run(self, check: Check, bench: Bench) -> Outcome:
        workflow = bench.workflow.id
        with contextlib.closing(bench):
            integration = None if self.is_own else self.preview.extension.integration
            if reason := _other_integration(check, integration):
                return Outcome(check, workflow, Verdict.NOT_APPLICABLE, reason)
            if workflow not in self.hindrances:
                self.hindrances[workflow], sequence = await _hindrance(bench)
                if not self.hindrances[workflow]:
                    self.sequences[workflow] = sequence
            return await _run(check, bench, self.hindrances[workflow], self.found)


async def _hindrance(bench: Bench) -> tuple[str, Sequence[str]]:
    """Return why the right user cannot complete MFA, as a sentence, and the sequence. The sentence is empty if they can.

    If they cannot, a refusal proves nothing.
    """
    customer = bench.customer()
    try:
        await customer.find_route()
        challenge = await complete_mfa(customer)
    except NotTried as reason:
        return f"{reason}.", ()
    except NoAnswer as error:
        name = bench.preview.extension.name
        raise ToolFailed(
            f"{shown(name)} does not answer a request of its page.",
            f"Look at it in a browser: q2mfa preview {name}",
            "no_answer",
        ) from error
    except (Deviation, *NOT_UNDERSTOOD) as error:
        return f"The right user does not complete MFA: {stable(str(error))}.", ()
    bench.known.route = customer.route
    return "", tuple(sequence_of(challenge))


def _other_integration(check: Check, integration: Integration | None) -> str:
    """Return why *check* does not apply to *integration*; empty if it does, or if the integration is not known."""
    if integration is None or not check.integrations or integration in check.integrations:
        return ""
    labels = " and ".join(each.label for each in check.integrations)
    return f"The check applies only to {labels} extensions."


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
        return Outcome(check, workflow, Verdict.SKIPPED, f"The check could not run: {stable(str(error))}.")
    if problems:
        return Outcome(check, workflow, Verdict.FAILED)
    # A finding is a fact. If even the right user cannot complete MFA, the absence of findings proves nothing.
    return Outcome(check, workflow, Verdict.SKIPPED if hindrance else Verdict.PASSED, hindrance)
