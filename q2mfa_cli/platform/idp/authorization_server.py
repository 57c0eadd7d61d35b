"""Authlib's authorization server with one client and in-memory storage."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error, OAuth2Request, rfc6749
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oidc.core import UserInfo
from cachetools import TTLCache

from q2mfa_cli.platform.idp.client import Client
from q2mfa_cli.platform.idp.codes import AuthorizationCode
from q2mfa_cli.platform.idp.keys import SigningKeys
from q2mfa_cli.platform.idp.messages import Request, Response

LOGIN_SECONDS = 600
CODE_SECONDS = 60
TOKEN_SECONDS = 300

# At DEBUG, Authlib logs the tokens that it issues, and the local platform collects DEBUG logs.
logging.getLogger("authlib").setLevel(logging.INFO)


class AuthorizationServer(rfc6749.AuthorizationServer):
    """The state that all grants and endpoints share: issuer, client, keys and storage."""

    def __init__(self, issuer: str, client: Client, clock: Callable[[], float]) -> None:
        super().__init__()
        self.issuer, self.client, self.clock = issuer, client, clock
        self.authentication_methods: list[str] = []
        self.keys = SigningKeys()
        # A spent code outlives its tokens, so that a replay can revoke them.
        self.codes: TTLCache[str, AuthorizationCode] = TTLCache(
            math.inf, CODE_SECONDS + TOKEN_SECONDS, timer=clock
        )
        self.nonces: TTLCache[str, bool] = TTLCache(math.inf, LOGIN_SECONDS, timer=clock)
        self.access_tokens: TTLCache[str, UserInfo] = TTLCache(math.inf, TOKEN_SECONDS, timer=clock)
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                lambda **_: secrets.token_urlsafe(), expires_generator=lambda client, grant: TOKEN_SECONDS
            ),
        )

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/token"

    @property
    def pushed_authorization_request_endpoint(self) -> str:
        return f"{self.issuer}/par"

    # The methods that Authlib requires.

    def query_client(self, client_id: str) -> Client | None:  # type: ignore[override]
        return self.client if client_id == self.client.identifier else None

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        response = Response(status, dict(body or {}), dict(headers))
        location = response.headers.pop("Location", "")
        if location:
            # iss is in each authorization response, including errors (RFC 9207 2). The status is 303 (RFC 9700 4.12).
            response.location = add_params_to_uri(location, {"iss": self.issuer})
            response.status = 303
        return response

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Response:
        response = self.handle_response(*error())
        response.error = error
        return response
