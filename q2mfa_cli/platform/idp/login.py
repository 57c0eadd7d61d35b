"""The authorization endpoint and the login page, which the customer's browser visits."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant

from q2mfa_cli.platform.idp.handler import Handler
from q2mfa_cli.platform.idp.messages import Response

USER_LENGTH = 255  # of a subject identifier (OpenID Connect Core 2)


class Page(Handler):
    """An endpoint that answers with a page."""

    def refusal_page(self, error: OAuth2Error) -> None:
        """Tell the customer. The client cannot be told: it or its redirect URI is not established."""
        reason = error.get_error_description()
        self.page("refused.html", 400, title="This request was refused", error=error.error, reason=reason)

    def login_page(self, grant: AuthorizationCodeGrant, user: str, invalid: bool = False) -> None:
        # The ticket is single-use and cannot be guessed: whoever sends the form has seen this page.
        ticket = secrets.token_urlsafe()
        self.provider.logins[ticket] = grant
        self.page(
            "login.html",
            ticket=ticket,
            user=user,
            invalid=invalid,
            user_length=USER_LENGTH,
            client=self.provider.server.client.get_client_id(),
            acr_values=grant.request.form.get("acr_values", ""),
        )


class Authorization(Page):
    name = "authorization"
    any_origin = True  # the client's page may post here (OpenID Connect Core 3.1.2.1)

    def get(self) -> None:
        self.authorize(self.request.query_arguments)

    def post(self) -> None:
        self.authorize(self.request.body_arguments)

    def authorize(self, arguments: Mapping[str, list[bytes]]) -> None:
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
        authorization_request = grant.request.form
        provider.publish(
            "login_shown", pushed="request_uri" in request.parameters, request=authorization_request
        )
        self.login_page(grant, authorization_request.get("login_hint") or provider.expected_user)


class Login(Page):
    name = "login"

    def post(self) -> None:
        request = self.parse({})
        try:
            request = self.parse(self.request.body_arguments)
            form = request.parameters
            grant = self.provider.logins.pop(form.get("ticket", ""), None)
            if grant is None or form.get("decision") not in ("approve", "deny"):
                raise InvalidRequestError("This login is unknown, already answered, or too old: start again.")
        except OAuth2Error as error:
            self.publish_refusal(request, error)
            self.refusal_page(error)
            return
        if form["decision"] == "deny":
            self.deny(grant, "the user")
            return
        user = form.get("user", "").strip()
        if not 0 < len(user) <= USER_LENGTH:
            self.login_page(grant, user, invalid=True)
        elif "denies" in self.provider.switches:
            self.deny(grant, "the switch")
        else:
            self.approve(grant, user)

    def deny(self, grant: AuthorizationCodeGrant, by: str) -> None:
        self.provider.publish("denied", by=by)
        response = self.respond(grant, None)
        self.redirect(response.location, status=response.status)

    def approve(self, grant: AuthorizationCodeGrant, typed: str) -> None:
        user = f"not-{typed}" if "wrong_user" in self.provider.switches else typed
        self.provider.publish("approved", user=user, typed=typed)
        response = self.respond(grant, user)
        if response.error:
            self.publish_refusal(grant.request, response.error)
        else:
            parameters = dict(parse_qsl(urlsplit(response.location).query))
            self.provider.publish("code_issued", response=parameters)
        self.redirect(response.location, status=response.status)

    def respond(self, grant: AuthorizationCodeGrant, user: str | None) -> Response:
        """Return the redirect to the client with a code for *user*, or with ``access_denied``."""
        server = self.provider.server
        return cast(Response, server.create_authorization_response(grant.request, user, grant))
