"""The standard integration: a customer with an authenticator app, and one whose phone gets codes."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pyotp

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.attempts import ABOUT_TOKENS, RIGHT_USER, Attempt, no_proof, used_proof
from q2mfa_cli.platform.verify.customer import Customer, Deviation

CODE = re.compile(r"(?<!\d)\d{4,10}(?!\d)")


class PasscodeCustomer(Customer):
    route = "submit"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        response = await self.fetch(f"{self.preview.url}/api/challenges/{challenge.id}/passcode")
        return {"passcode": json.loads(response.body)["passcode"]}

    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        totp = pyotp.TOTP(challenge.session.mfa_info["registration_value"])
        # Not a code of the minutes around now either: an extension may accept those.
        right = {totp.at(int(time.time()) + 30 * step) for step in range(-10, 11)}
        return {"passcode": next(code for code in map("{:06}".format, range(100)) if code not in right)}


class MessageCustomer(Customer):
    route = "submit"

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        """Ask for a code, and read it on the phone."""
        sent = await self.request_extension_data(challenge, self.route, {"send": True})
        if sent["status"] != 200:
            raise Deviation(f"no code was sent: {sent['status']}: {sent['error']}")
        response = await self.fetch(f"{self.preview.url}/api/challenges/{challenge.id}/messages")
        messages = json.loads(response.body)["messages"]
        codes = CODE.findall(messages[-1]["text"]) if messages else []
        if len(codes) != 1:
            raise Deviation("the last message does not have one code")
        return {"passcode": codes[0]}

    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        code = (await self.proof(challenge))["passcode"]
        return {"passcode": f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"}


StandardCustomer = PasscodeCustomer | MessageCustomer


async def wrong_code(customer: StandardCustomer) -> str:
    challenge = await customer.open_challenge()
    return await customer.expect_refusal(challenge, await customer.wrong_proof(challenge))


async def used_in_another_session(customer: StandardCustomer) -> str:
    first = await customer.open_challenge()
    proof = await customer.proof(first)
    await customer.get_token(first, proof)
    same_customer = {"registration_value": first.session.mfa_info["registration_value"]}
    return await customer.expect_refusal(await customer.open_challenge(**same_customer), proof)


async def code_of_another_session(customer: MessageCustomer) -> str:
    first = await customer.open_challenge()
    proof = await customer.proof(first)
    same_customer = {"registration_value": first.session.mfa_info["registration_value"]}
    return await customer.expect_refusal(await customer.open_challenge(**same_customer), proof)


async def not_registered(customer: StandardCustomer) -> str:
    registered = await customer.open_challenge()
    challenge = await customer.open_challenge(without="registration_value")
    return await customer.expect_refusal(challenge, await customer.proof(registered))


PASSCODE_ATTEMPTS = (
    RIGHT_USER,
    Attempt("refused: no code", no_proof),
    Attempt("refused: a wrong code", wrong_code),
    Attempt("refused: a used code", used_proof),
    Attempt("refused: a code used in another session", used_in_another_session),
    Attempt("refused: a user who is not registered", not_registered),
    *ABOUT_TOKENS,
)
MESSAGE_ATTEMPTS = (
    *PASSCODE_ATTEMPTS[: -len(ABOUT_TOKENS)],
    Attempt("refused: a code that another session asked for", code_of_another_session),
    *ABOUT_TOKENS,
)
