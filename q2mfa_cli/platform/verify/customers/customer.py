"""A customer without a browser. It calls UUX directly, which the pages in a browser call over HTTP."""

from __future__ import annotations

import asyncio
import copy
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.sessions import TICKET_FIELD

MAX_STEPS = 10  # requests until a factor is proven
CALL_SECONDS = 20.0  # for one response of the extension


class Deviation(Exception):
    """The extension behaved differently from what was expected."""


class NoAnswer(Deviation):
    """The extension does not answer."""


class NotTried(Exception):
    """q2mfa does not know how to do this with the extension. The message is the reason."""


# The SDK's response to a route that the extension does not have.
NO_ROUTE = "There is no such route."


class Customer(ABC):
    """One customer in one workflow.

    :cvar route: the route that takes the proof. :ivar challenges: every challenge of this customer, in order.
    :ivar pages: the pages that the outlet showed. :ivar answers: the requested routes, each with its response.
    """

    route: str

    def __init__(self, preview: Preview, workflow: Workflow) -> None:
        self.preview, self.workflow = preview, workflow
        self.challenges: list[Challenge] = []
        self.pages: list[str] = []
        self.answers: list[tuple[str, dict[str, Any]]] = []

    @abstractmethod
    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        """Return what the right user's page sends to :attr:`route`."""

    @abstractmethod
    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        """Return what the page sends for another person, who cannot prove that they are the right user.

        :raises NotTried: q2mfa does not know a wrong proof. :raises Deviation: the extension refuses the person earlier.
        """

    async def find_route(self) -> None:
        """Find the route that takes the proof.

        :raises NotTried: the extension has no such route, so a refusal would prove nothing.
        """
        await self.request_extension_data(await self.open_challenge(), self.route, {})
        self.challenges.clear()

    async def open_challenge(self, without: str | Collection[str] = (), **attributes: Any) -> Challenge:
        """Start MFA and open the outlet. In the standard integration, each challenge belongs to a new customer.

        :param without: attributes to leave out of ``mfa_info``. :param attributes: those to replace.
        """
        mfa_info = {**copy.deepcopy(self.workflow.mfa_info), **self.preview.new_customer(), **attributes}
        for name in [without] if isinstance(without, str) else without:
            mfa_info.pop(name, None)
        try:
            challenge = self.preview.uux.open(self.workflow.id, mfa_info)
        except (TypeError, ValueError) as error:
            raise Deviation(f"online banking cannot ask for MFA: {error}") from error
        self.challenges.append(challenge)
        outlet = self.preview.uux.outlet(challenge)
        form = {TICKET_FIELD: outlet["ticket"]} if outlet["method"] == "post" else None
        page = await self.fetch(outlet["url"], form, self.preview.url, urlencode)
        self.pages.append(page.body.decode("utf-8", "replace"))
        if page.code != 200 or not page.headers.get("Content-Type", "").startswith("text/html"):
            raise Deviation(f"the outlet got no page but {page.code}")
        return challenge

    async def request_extension_data(
        self, challenge: Challenge, route: str, body: dict[str, Any], is_known: bool = True
    ) -> dict[str, Any]:
        """Call ``requestExtensionData`` as the page does.

        :raises NotTried: the extension has no such route, although *is_known* says that it does.
        :raises NoAnswer: the extension does not answer.
        """
        asked = self.preview.uux.request_extension_data(challenge, route, body)
        try:
            answer = await asyncio.wait_for(asked, CALL_SECONDS)
        except asyncio.TimeoutError:
            raise NoAnswer("the extension does not answer") from None
        self.answers.append((route, answer))
        if is_known and answer["status"] == 400 and answer["error"] == NO_ROUTE:
            raise NotTried(f"the extension has no route {route}")
        return answer

    async def verify_mfa(self, challenge: Challenge, token: object) -> str:
        """Call ``verifyMFA``. Return why it rejects; empty if it resolves."""
        return self.preview.uux.verify_mfa(challenge, token).reason

    async def get_token(self, challenge: Challenge, proof: dict[str, Any]) -> str:
        """Return the token that the extension gives for *proof*. A factor may need several requests, such as polls."""
        for _ in range(MAX_STEPS):
            answer = await self.request_extension_data(challenge, self.route, proof)
            if answer["status"] != 200:
                raise Deviation(f"the right user was refused: {answer['status']}: {answer['error']}")
            token = answer["data"]
            while isinstance(token, dict):  # by one reading, the dict is nested in data
                token = token.get("token", token.get("data"))
            if token is not None:
                return str(token)
        raise Deviation(f"the right user got no token in {MAX_STEPS} requests")

    async def fetch(
        self,
        url: str,
        body: dict[str, Any] | None = None,
        origin: str = "",
        encode: Callable[[dict[str, Any]], str] = json.dumps,
    ) -> HTTPResponse:
        """GET *url*, or POST *body* as a page of *origin* does."""
        request = HTTPRequest(url, follow_redirects=False)
        if body is not None:
            kind = "application/json" if encode is json.dumps else "application/x-www-form-urlencoded"
            request = HTTPRequest(
                url,
                "POST",
                headers={"Content-Type": kind, "Origin": origin},
                body=encode(body),
                follow_redirects=False,
            )
        try:
            return await AsyncHTTPClient().fetch(request, raise_error=False)
        except HTTPClientError:
            raise NoAnswer("the extension does not answer") from None
