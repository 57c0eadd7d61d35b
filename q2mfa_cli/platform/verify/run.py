"""Run every attempt in every workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator

from q2mfa_cli.integrations import REDIRECT, STANDARD, Integration
from q2mfa_cli.platform.preview import phone
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import WORKFLOWS
from q2mfa_cli.platform.verify import own, redirect, standard
from q2mfa_cli.platform.verify.attempts import Attempt
from q2mfa_cli.platform.verify.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.report import Finding

CUSTOMERS: dict[Integration, tuple[type[Customer], tuple[Attempt, ...]]] = {
    STANDARD: (standard.PasscodeCustomer, standard.PASSCODE_ATTEMPTS),
    REDIRECT: (redirect.LoginCustomer, redirect.ATTEMPTS),
}


async def run_attempts(preview: Preview) -> AsyncIterator[Finding]:
    """What came of each attempt, in order."""
    extension = preview.extension
    customer_class, attempts = CUSTOMERS[extension.integration]
    is_generated = extension.folder.joinpath(extension.integration.hallmark).is_file()
    if own.script_of(extension).is_file() or not is_generated:
        customer_class, attempts = own.OwnCustomer, own.ATTEMPTS
    elif phone.sends_messages(preview.extension):
        customer_class, attempts = standard.MessageCustomer, standard.MESSAGE_ATTEMPTS
    for workflow in WORKFLOWS:
        for attempt in attempts:
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
