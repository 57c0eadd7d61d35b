"""Authorization requests: pushed by the client (RFC 9126) or sent by the browser."""

from __future__ import annotations

import secrets
from math import inf
from typing import Literal

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc9101.errors import InvalidRequestUriError
from cachetools import TTLCache

from q2mfa_cli.platform.idp.authorization_server import AuthorizationServer
from q2mfa_cli.platform.idp.client_authentication import CREDENTIALS, authenticate
from q2mfa_cli.platform.idp.messages import Request, Response

PUSHED_SECONDS = 60

Mode = Literal["off", "offered", "required"]


class PushedAuthorizationRequests:
    """Pushed authorization requests. Each can be used for one login.

    :param mode: Whether the endpoint is off, offered or required.
    """

    def __init__(self, server: AuthorizationServer, mode: Mode) -> None:
        self.server, self.mode = server, mode
        self._pushed: TTLCache[str, dict[str, str]] = TTLCache(inf, PUSHED_SECONDS, timer=server.clock)

    def push(self, request: Request) -> Response:
        """Authenticate the client, then validate and store its authorization request."""
        try:
            authenticate(self.server, request)
            if "request_uri" in request.parameters:
                raise InvalidRequestError("'request_uri' cannot be pushed.")  # RFC 9126 2.1
            self.server.get_authorization_grant(request).validate_authorization_request()  # type: ignore[attr-defined]
        except OAuth2Error as error:
            error.redirect_uri = None  # the client sent this request, so there is no browser to redirect
            return self.server.handle_error_response(request, error)
        request_uri = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe()}"
        self._pushed[request_uri] = {
            name: value for name, value in request.parameters.items() if name not in CREDENTIALS
        }
        return self.server.handle_response(
            201, {"request_uri": request_uri, "expires_in": PUSHED_SECONDS}, []
        )

    def state_of(self, request_uri: str) -> str:
        """Return the ``state`` of a pushed request that no browser has used yet; empty if there is none."""
        return self._pushed.get(request_uri, {}).get("state", "")

    def authorization_request(self, request: Request) -> AuthorizationCodeGrant:
        """Validate the authorization request of a browser, in full or by ``request_uri``, and return its grant.

        :raises OAuth2Error: The request is not valid. The error has a ``redirect_uri`` only if the client and its redirect URI
            are the registered ones.
        """
        request_uri = request.parameters.get("request_uri")
        if request_uri is not None:
            pushed = self._pushed.pop(request_uri, None)
            if pushed is None or pushed["client_id"] != request.parameters.get("client_id"):
                raise InvalidRequestUriError("The 'request_uri' is unknown, used or expired.")
            # RFC 9126 4: all other parameters of the browser's request are ignored.
            request = Request(request.method, request.uri, {}, pushed)
        grant: AuthorizationCodeGrant = self.server.get_consent_grant(request)  # type: ignore[no-untyped-call]
        if request_uri is None and self.mode == "required":
            raise InvalidRequestError(
                "This provider requires pushed authorization requests.",
                redirect_uri=grant.redirect_uri,
                state=request.parameters.get("state"),
            )
        return grant
