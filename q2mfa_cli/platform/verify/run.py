"""Run every attempt in every workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator

from q2mfa_cli.integrations import REDIRECT, STANDARD, Integration
from q2mfa_cli.platform.preview import phone
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify import redirect, standard
from q2mfa_cli.platform.verify.attempts import Attempt
from q2mfa_cli.platform.verify.customer import Customer, Deviation
from q2mfa_cli.platform.verify.report import Finding

CUSTOMERS: dict[Integration, tuple[type[Customer], tuple[Attempt, ...]]] = {
    STANDARD: (standard.PasscodeCustomer, standard.PASSCODE_ATTEMPTS),
    REDIRECT: (redirect.LoginCustomer, redirect.ATTEMPTS),
}


async def run_attempts(preview: Preview) -> AsyncIterator[Finding]:
    """What came of each attempt, in order."""
    customer_class, attempts = CUSTOMERS[preview.extension.integration]
    if phone.sends_messages(preview.extension):
        customer_class, attempts = standard.MessageCustomer, standard.MESSAGE_ATTEMPTS
    for workflow in WORKFLOWS:
        for attempt in attempts:
            yield await _run(customer_class(preview, workflow), attempt)


async def _run(customer: Customer, attempt: Attempt) -> Finding:
    refusal = failure = ""
    try:
        refusal = await attempt.run(customer)
    except Deviation as deviation:
        failure = str(deviation)
    except (OSError, KeyError, TypeError, ValueError) as error:
        # A page of another make answers in its own way; that is no success either.
        failure = f"the answer is not understood: {type(error).__name__}: {error}"
    sequence = customer.sequence if failure or attempt.shows_sequence else []
    return Finding(customer.workflow.label, attempt.label, failure, refusal, sequence)
