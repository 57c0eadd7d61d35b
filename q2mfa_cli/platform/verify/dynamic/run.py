"""Serve one extension, and run the dynamic checks in each workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from q2mfa_cli.errors import ToolFailed, shown
from q2mfa_cli.integrations import Integration
from q2mfa_cli.platform.preview.serving import serving
from q2mfa_cli.platform.verify.check import Check, NotApplicable, Skipped
from q2mfa_cli.platform.verify.customer import Deviation, NoAnswer, NotTried
from q2mfa_cli.platform.verify.customers import customer_class_of
from q2mfa_cli.platform.verify.dynamic import DYNAMIC, general
from q2mfa_cli.platform.verify.dynamic.bench import Bench, Known, sequence_of, stable
from q2mfa_cli.platform.verify.dynamic.proofs import complete_mfa
from q2mfa_cli.platform.verify.own import OwnCustomer
from q2mfa_cli.platform.verify.results import FoundProblems, Outcome, Verdict
from q2mfa_cli.platform.verify.selection import Selection

# What reading an answer of another shape raises.
NOT_UNDERSTOOD = (OSError, KeyError, IndexError, TypeError, ValueError)


Progress = Callable[[str], None]


@dataclass(frozen=True)
class DynamicRun:
    """What came of the dynamic checks.

    :param kind: the integration's id, or ``"own"`` if ``prove.py`` says how to prove. :param notes: what it was given for this run only.
    :param sequences: by the id of each workflow that the right user completes, who called whom.
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
    outcomes, sequences = [], dict[str, Sequence[str]]()
    async with serving(workspace, name, 0) as preview:
        preview.extension.check()
        customer_class = customer_class_of(preview.extension)
        is_own = issubclass(customer_class, OwnCustomer)
        known, hindrances = Known(), dict[str, str]()
        for check, workflow in selection.dynamic():
            reason = _other_integration(check, None if is_own else preview.extension.integration)
            if reason:
                outcomes.append(Outcome(check, workflow.id, Verdict.NOT_APPLICABLE, reason))
                continue
            bench = Bench(preview, workflow, customer_class, known)
            progress(f"{check.id} ({workflow.label})")
            try:
                if workflow.id not in hindrances:
                    hindrances[workflow.id], sequence = await _hindrance(bench)
                    if not hindrances[workflow.id]:
                        sequences[workflow.id] = sequence
                outcomes.append(await _run(check, bench, hindrances[workflow.id], found))
            finally:
                bench.close()
        kind = "own" if is_own else preview.extension.integration.id
        return DynamicRun(outcomes, kind, [stable(note) for note in preview.notes], sequences)


async def _hindrance(bench: Bench) -> tuple[str, Sequence[str]]:
    """Why the right user does not complete MFA, as a sentence, and the sequence. The sentence is empty if they do.

    If they do not, a refusal says nothing.
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
    """Why *check* is not for an extension of *integration*; empty if it is, or if the integration is not known."""
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
    # What was found is a fact; that nothing was found says nothing if not even the right user gets through.
    return Outcome(check, workflow, Verdict.SKIPPED if hindrance else Verdict.PASSED, hindrance)
