"""The standard integration: a customer with an authenticator app."""

from __future__ import annotations

import json
import time
from typing import Any

import pyotp

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.attempts import ABOUT_TOKENS, RIGHT_USER, Attempt, no_proof, used_proof
from q2mfa_cli.platform.verify.customer import Customer


class PasscodeCustomer(Customer):
    route = "submit"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        response = await self.fetch(f"{self.preview.url}/api/challenges/{challenge.id}/passcode")
        return {"passcode": json.loads(response.body)["passcode"]}


async def wrong_code(customer: PasscodeCustomer) -> str:
    challenge = await customer.open_challenge()
    totp = pyotp.TOTP(challenge.session.mfa_info["registration_value"])
    # Not a code of the minutes around now either: an extension may accept those.
    right = {totp.at(int(time.time()) + 30 * step) for step in range(-10, 11)}
    wrong = next(code for code in map("{:06}".format, range(100)) if code not in right)
    return await customer.expect_refusal(challenge, {"passcode": wrong})


async def not_registered(customer: PasscodeCustomer) -> str:
    registered = await customer.open_challenge()
    challenge = await customer.open_challenge(without="registration_value")
    return await customer.expect_refusal(challenge, await customer.proof(registered))


ATTEMPTS = (
    RIGHT_USER,
    Attempt("refused: no code", no_proof),
    Attempt("refused: a wrong code", wrong_code),
    Attempt("refused: a used code", used_proof),
    Attempt("refused: a user without an authenticator app", not_registered),
    *ABOUT_TOKENS,
)
