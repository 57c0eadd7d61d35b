"""The endpoints that the client calls, and the URL patterns of all endpoints."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from json import loads
from typing import Any, cast

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError

from q2mfa_cli.platform.idp.handler import HERE, Handler
from q2mfa_cli.platform.idp.login import Authorization, Login
from q2mfa_cli.platform.idp.messages import Request, Response
from q2mfa_cli.platform.idp.provider import IdentityProvider

FORM = "application/x-www-form-urlencoded"


class Metadata(Handler):
    name = "metadata"

    def get(self) -> None:
        self.publish("metadata", issuer=self.provider.issuer)
        self.write(self.provider.metadata())


class Keys(Handler):
    name = "jwks"

    def get(self) -> None:
        jwks = self.provider.server.keys.public
        self.publish("jwks", kids=[key["kid"] for key in jwks["keys"]])
        self.write(jwks)


class BackChannel(Handler):
    """An endpoint that receives a form from the authenticated client and responds with JSON."""

    def post(self) -> None:
        content_type = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        request = self.parse({})
        try:
            if content_type != FORM:
                raise InvalidRequestError("The request is not form-encoded.")
            request = self.parse(self.request.body_arguments)
            response = self.respond(request)
        except OAuth2Error as error:
            response = self.provider.server.handle_error_response(request, error)
        if response.error:
            self.publish_refusal(request, response.error)
        self.set_status(response.status)
        for name, value in response.headers.items():
            self.set_header(name, value)
        self.write(response.body)

    def respond(self, request: Request) -> Response:
        raise NotImplementedError


class PushedAuthorizationRequest(BackChannel):
    name = "pushed authorization request"

    def respond(self, request: Request) -> Response:
        response = self.provider.pushed_requests.push(request)
        if not response.error:
            self.publish("pushed", client_authentication=request.auth_method, request=request.parameters)
        return response


class Token(BackChannel):
    name = "token"

    def respond(self, request: Request) -> Response:
        response = cast(Response, self.provider.server.create_token_response(request))
        if not response.error:
            payload = response.body["id_token"].split(".")[1]
            claims = loads(urlsafe_b64decode(payload + "=="))
            self.publish("code_exchanged", client_authentication=request.auth_method, claims=claims)
        return response


class InvalidToken(OAuth2Error):
    error = "invalid_token"
    description = "The access token is unknown, expired or revoked."


class Userinfo(Handler):
    """The UserInfo endpoint: claims for the bearer of an access token (OpenID Connect Core 5.3)."""

    name = "userinfo"

    def get(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        claims = self.provider.server.access_tokens.get(token)
        if scheme.lower() != "bearer" or claims is None:
            self.publish_refusal(self.parse({}), InvalidToken())
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Bearer error="invalid_token"')  # RFC 6750 3
            return
        self.publish("userinfo", claims=claims)
        self.write(claims)

    post = get


class Style(Handler):
    name = "style"
    can_break = False  # the error page for a provider that is down needs the style sheet too

    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.write((HERE / "idp.css").read_bytes())


def handlers(provider: IdentityProvider) -> list[Any]:
    """Return the URL patterns of *provider* for Tornado. They include the path of the issuer."""
    path, arguments = re.escape(provider.path), {"provider": provider}
    patterns: list[Any] = [
        (rf"{path}/\.well-known/openid-configuration", Metadata, arguments),
        (rf"{path}/jwks", Keys, arguments),
        (rf"{path}/authorize", Authorization, arguments),
        (rf"{path}/login", Login, arguments),
        (rf"{path}/token", Token, arguments),
        (rf"{path}/userinfo", Userinfo, arguments),
        (rf"{path}/idp\.css", Style, arguments),
    ]
    if provider.pushed_requests.mode != "off":
        patterns.append((rf"{path}/par", PushedAuthorizationRequest, arguments))
    return patterns
