"""The redirect integration: a customer who logs in at the embedded identity provider."""

from __future__ import annotations

from typing import Any

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import CUSTOMER, Workflow
from q2mfa_cli.platform.verify.attempts import ABOUT_TOKENS, RIGHT_USER, Attempt, no_proof, used_proof
from q2mfa_cli.platform.verify.customer import Customer, Deviation, check_hq
from q2mfa_cli.platform.verify.user_agent import UserAgent

STRANGER = "mallory"


class LoginCustomer(Customer):
    route = "token_handler"

    def __init__(self, preview: Preview, workflow: Workflow) -> None:
        super().__init__(preview, workflow)
        self.user_agent = UserAgent(self.fetch)

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        return await self.log_in(challenge, self.user_agent.user)

    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        return await self.log_in(challenge, STRANGER)

    async def log_in(self, challenge: Challenge, user: str, decision: str = "approve") -> dict[str, Any]:
        """Log in at the provider. :returns: the authorization response that verify.html finds in its address."""
        started = await self.request_extension_data(challenge, "start", {})
        if started["status"] != 200:
            raise Deviation(f"the extension does not start the login: {started['error']}")
        self.user_agent.user, self.user_agent.decision = user, decision
        return await self.user_agent.log_in(started["data"]["authorization_url"])

    async def expect_changed_refusal(self, name: str, value: str) -> str:
        """Send the right user's authorization response with one parameter changed."""
        challenge = await self.open_challenge()
        return await self.expect_refusal(challenge, {**await self.proof(challenge), name: value})


async def stranger(customer: LoginCustomer) -> str:
    challenge = await customer.open_challenge()
    return await customer.expect_refusal(challenge, await customer.log_in(challenge, STRANGER))


async def denied(customer: LoginCustomer) -> str:
    challenge = await customer.open_challenge()
    return await customer.expect_refusal(challenge, await customer.log_in(challenge, CUSTOMER, "deny"))


async def response_of_another_session(customer: LoginCustomer) -> str:
    mine, other = await customer.open_challenge(), await customer.open_challenge()
    response = await customer.proof(mine)
    await customer.proof(other)
    return await customer.expect_refusal(other, response)


async def another_state(customer: LoginCustomer) -> str:
    return await customer.expect_changed_refusal("state", "x" * 43)


async def another_issuer(customer: LoginCustomer) -> str:
    return await customer.expect_changed_refusal("iss", "https://idp.example.net")


async def made_up_code(customer: LoginCustomer) -> str:
    return await customer.expect_changed_refusal("code", "x" * 43)


async def not_linked(customer: LoginCustomer) -> str:
    configuration = customer.preview.extension.configuration
    challenge = await customer.open_challenge(
        without=getattr(configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
    )
    started = await customer.request_extension_data(challenge, "start", {})
    if started["status"] >= 400:  # the earlier the better
        check_hq(challenge, 0)
        return f"{started['status']}: {started['error']}"
    return await customer.expect_refusal(challenge, await customer.proof(challenge))


ATTEMPTS = (
    RIGHT_USER,
    Attempt("refused: no authorization response", no_proof),
    Attempt("refused: another user at the provider", stranger),
    Attempt("refused: a denied login", denied),
    Attempt("refused: a used authorization response", used_proof),
    Attempt("refused: another session's authorization response", response_of_another_session),
    Attempt("refused: another state", another_state),
    Attempt("refused: another issuer", another_issuer),
    Attempt("refused: a made-up code", made_up_code),
    Attempt("refused: a user whom Q2 does not link to the provider", not_linked),
    *ABOUT_TOKENS,
)
