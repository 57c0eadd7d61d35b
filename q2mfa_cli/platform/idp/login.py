"""The authorization endpoint and the login page, which the customer's browser visits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant

from q2mfa_cli.platform.events import AuthorizationResponse
from q2mfa_cli.platform.idp.handler import Handler
from q2mfa_cli.platform.idp.messages import Request, Response
from q2mfa_cli.platform.idp.provider import OpenLogin

USER_LENGTH = 255  # the maximum length of a subject identifier (OpenID Connect Core 2)


class Page(Handler):
    """An endpoint that responds with a page."""

    def refusal_page(self, error: OAuth2Error) -> None:
        """Show the error to the customer. The client cannot get it, because its identity or redirect URI is not verified."""
        self.refuse(400, "This request was refused", error.error or "", error.get_error_description())


class Authorization(Page):
    name = "authorization"
    any_origin = True  # the client's page may post here (OpenID Connect Core 3.1.2.1)

    def get(self) -> None:
        self.authorize(self.request.query_arguments)

    def post(self) -> None:
        self.authorize(self.request.body_arguments)

    def authorize(self, arguments: Mapping[str, list[bytes]]) -> None:
        """Start a login, and redirect the browser to the login page, which it may reload."""
        provider, request = self.provider, self.parse({})
        try:
            request = self.parse(arguments)
            grant = provider.pushed_requests.authorization_request(request)
        except OAuth2Error as error:
            self.publish_refusal(request, error)
            response = provider.server.handle_error_response(request, error)
            if response.location:
                self.redirect(response.location, status=response.status)
            else:
                self.refusal_page(error)
            return
        self.publish("login_shown", pushed="request_uri" in request.parameters, request=grant.request.form)
        # The ticket cannot be guessed, so only a browser that received the login page can send its form.
        ticket = secrets.token_urlsafe()
        provider.logins[ticket] = OpenLogin(grant, self.caller)
        self.redirect(f"{provider.path}/login?ticket={ticket}", status=303)


class Login(Page):
    name = "login"

    def get(self) -> None:
        request = self.parse({})
        try:
            request = self.parse(self.request.query_arguments)
            ticket, login = self.find(request)
        except OAuth2Error as error:
            self.publish_refusal(request, error)
            self.refusal_page(error)
            return
        if login.answer:
            self.refuse(
                200, "This login is complete", "", "You have already approved or denied it.", login.answer
            )
        else:
            user = login.grant.request.form.get("login_hint") or self.visitor.expected_user
            self.show(ticket, login.grant, user)

    def post(self) -> None:
        request = self.parse({})
        try:
            request = self.parse(self.request.body_arguments)
            form = request.parameters
            ticket, login = self.find(request)
            if login.answer or form.get("decision") not in ("approve", "deny"):
                raise InvalidRequestError("This login is already complete. Start again.")
        except OAuth2Error as error:
            self.publish_refusal(request, error)
            self.refusal_page(error)
            return
        if form["decision"] == "deny":
            self.deny(login, "the user")
            return
        user = form.get("user", "").strip()
        if not 0 < len(user) <= USER_LENGTH:
            self.show(ticket, login.grant, user, invalid=True)
        elif "denies" in self.visitor.switches:
            self.deny(login, "the switch")
        else:
            self.approve(login, user)

    def find(self, request: Request) -> tuple[str, OpenLogin]:
        """Return the ticket and the login of *request*.

        :raises OAuth2Error: There is no such login.
        """
        ticket = request.parameters.get("ticket", "")
        login = self.provider.logins.get(ticket)
        if login is None:
            raise InvalidRequestError("This login is unknown or has expired. Start again.")
        return ticket, login

    def show(self, ticket: str, grant: AuthorizationCodeGrant, user: str, invalid: bool = False) -> None:
        self.page(
            "login.html",
            ticket=ticket,
            user=user,
            invalid=invalid,
            user_length=USER_LENGTH,
            client=self.provider.server.client.get_client_id(),
            acr_values=grant.request.form.get("acr_values", ""),
        )

    def deny(self, login: OpenLogin, by: str) -> None:
        self.publish("denied", by=by)
        self.answer(login, self.respond(login.grant, None))

    def approve(self, login: OpenLogin, typed: str) -> None:
        user = f"not-{typed}" if "wrong_user" in self.visitor.switches else typed
        self.publish("approved", user=user, typed=typed)
        response = self.respond(login.grant, user)
        if response.error:
            self.publish_refusal(login.grant.request, response.error)
        else:
            parameters = dict(parse_qsl(urlsplit(response.location).query))
            self.publish("code_issued", response=parameters)
            self.provider.events.publish(AuthorizationResponse(parameters, self.caller))
        self.answer(login, response)

    def answer(self, login: OpenLogin, response: Response) -> None:
        login.answer = response.location
        self.redirect(response.location, status=response.status)

    def respond(self, grant: AuthorizationCodeGrant, user: str | None) -> Response:
        """Return the redirect to the client: with a code for *user*, or with ``access_denied`` if *user* is ``None``."""
        server = self.provider.server
        return cast(Response, server.create_authorization_response(grant.request, user, grant))
