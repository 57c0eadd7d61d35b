"""The quick check of ``q2mfa preview --check``: every attempt in every workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator

from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify import own, redirect, standard
from q2mfa_cli.platform.verify.attempts import Attempt
from q2mfa_cli.platform.verify.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.customers import customer_class_of
from q2mfa_cli.platform.verify.quick_report import Finding

ATTEMPTS: dict[type[Customer], tuple[Attempt, ...]] = {
    standard.PasscodeCustomer: standard.PASSCODE_ATTEMPTS,
    standard.MessageCustomer: standard.MESSAGE_ATTEMPTS,
    redirect.LoginCustomer: redirect.ATTEMPTS,
    own.OwnCustomer: own.ATTEMPTS,
}


async def run_attempts(preview: Preview) -> AsyncIterator[Finding]:
    """What came of each attempt, in order."""
    customer_class = customer_class_of(preview.extension)
    for workflow in WORKFLOWS:
        for attempt in ATTEMPTS[customer_class]:
            yield await _run(customer_class(preview, workflow), attempt)


async def _run(customer: Customer, attempt: Attempt) -> Finding:
    refusal = failure = not_tried = ""
    try:
        await customer.find_route()
        refusal = await attempt.run(customer)
    except NotTried as reason:
        not_tried = str(reason)
    except Deviation as deviation:
        failure = str(deviation)
    except (OSError, KeyError, TypeError, ValueError) as error:
        # A page of another make answers in its own way; that is no success either.
        failure = f"the answer is not understood: {type(error).__name__}: {error}"
    worth_showing = failure or (attempt.shows_sequence and not not_tried)
    sequence = customer.sequence if worth_showing else []
    return Finding(customer.workflow.label, attempt.label, failure, refusal, sequence, not_tried)
