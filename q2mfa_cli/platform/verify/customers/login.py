"""A customer of the redirect integration, who logs in at the embedded identity provider."""

from __future__ import annotations

from typing import Any

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation
from q2mfa_cli.platform.verify.customers.user_agent import UserAgent

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

    async def log_in(self, challenge: Challenge, user: str) -> dict[str, Any]:
        """Log in at the provider as *user*. Return the authorization response that verify.html reads from its URL."""
        started = await self.request_extension_data(challenge, "start", {})
        if started["status"] != 200:
            raise Deviation(f"the extension does not start the login: {started['error']}")
        self.user_agent.user = user
        return await self.user_agent.log_in(started["data"]["authorization_url"])
