"""The embedded identity provider: its options, its switches, its metadata and its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf
from typing import Any
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from cachetools import TTLCache
from joserfc.jwk import KeySetSerialization

from q2mfa_cli.platform.events import Events, ProviderEvent
from q2mfa_cli.platform.idp.authorization_server import LOGIN_SECONDS, AuthorizationServer
from q2mfa_cli.platform.idp.client import SCOPES, Client
from q2mfa_cli.platform.idp.client_authentication import register_methods
from q2mfa_cli.platform.idp.grant import register_grant
from q2mfa_cli.platform.idp.keys import Algorithm
from q2mfa_cli.platform.idp.pushed_authorization_requests import Mode, PushedAuthorizationRequests
from q2mfa_cli.platform.masking import mask
from q2mfa_cli.platform.switches import Switch

LOOPBACK = ("127.0.0.1", "localhost")

SWITCHES = (
    Switch("denies", "The provider denies", "As if the customer had pressed Deny."),
    Switch("slow", "The provider is slow", "It responds after a long delay."),
    Switch("down", "The provider is down", "It responds only with errors."),
    Switch("wrong_user", "Another user", "Someone else is logged in at the provider."),
)


@dataclass(frozen=True)
class Visitor:
    """The customer whose request the provider handles.

    :param expected_user: The user name that prefills the login form if the request has no ``login_hint``.
    :param switches: The IDs of the :data:`SWITCHES` that are on for this customer.
    """

    expected_user: str
    switches: Collection[str]


@dataclass
class OpenLogin:
    """A login that a browser has started.

    :param caller: The ``request_uri`` or ``state`` of the browser's request.
    :param answer: The URL that the browser was redirected to after the user's decision; empty until then.
    """

    grant: AuthorizationCodeGrant
    caller: str
    answer: str = ""


class IdentityProvider:
    """An OpenID provider with one client, for loopback.

    It publishes :class:`ProviderEvent` with these values of ``what`` and ``payload``. Secrets in them are masked.

    ================== =========================================================================================
    ``metadata``       ``issuer``
    ``pushed``         ``client_authentication``: the method; ``request``: its parameters
    ``login_shown``    ``pushed``: whether the request was pushed; ``request``: its parameters
    ``approved``       ``user``: the subject of the ID token; ``typed``: the user name in the form
    ``denied``         ``by``: ``"the user"`` or ``"the switch"``
    ``code_issued``    ``response``: the authorization response
    ``code_exchanged`` ``client_authentication``; ``claims``: the claims of the ID token
    ``jwks``           ``kids``
    ``userinfo``       ``claims``
    ``refused``        ``endpoint``, ``error``, ``error_description``, ``request``
    ``slowed``         ``endpoint``, ``seconds``
    ``down``           ``endpoint``
    ================== =========================================================================================

    :param issuer: ``http://127.0.0.1:PORT`` or ``http://localhost:PORT``, with or without a path.
    :param client_jwks: The client's public keys. With them, it can also authenticate with ``private_key_jwt``.
    :param pushed_requests: Whether pushed authorization requests (RFC 9126) are off, offered or required.
    :param events: The stream that events are published to.
    :raises ValueError: The issuer is not on loopback, or the redirect URI is not valid.

    :ivar expected_user: See :class:`Visitor`.
    :ivar switches: The IDs of the :data:`SWITCHES` that are on for all customers.
    :ivar visitor_of: Maps the caller of a request (see :class:`ProviderEvent`) to a visitor; ``None`` if it is unknown.
    :ivar slow_seconds: The delay of each response while ``slow`` is on, in seconds.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        events: Events,
        client_jwks: KeySetSerialization | None = None,
        pushed_requests: Mode = "offered",
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts, redirect = urlsplit(issuer), urlsplit(redirect_uri)
        if (parts.scheme, parts.query, parts.fragment) != ("http", "", "") or parts.hostname not in LOOPBACK:
            raise ValueError(f"the issuer is not on loopback: {issuer!r}")
        if issuer.endswith("/"):
            raise ValueError(f"the issuer ends with a slash: {issuer!r}")
        if redirect.scheme not in ("http", "https") or not redirect.netloc or "#" in redirect_uri:
            raise ValueError(f"not a redirect URI: {redirect_uri!r}")  # RFC 6749 3.1.2
        self.issuer, self.host, self.path = issuer, parts.netloc, parts.path
        self.redirect_uri = redirect_uri
        self.redirect_origin = f"{redirect.scheme}://{redirect.netloc}"
        self.events = events
        self.expected_user = ""
        self.switches: set[str] = set()
        self.visitor_of: Callable[[str], Visitor | None] = lambda caller: None
        self.slow_seconds = 30.0
        self.logins: TTLCache[str, OpenLogin] = TTLCache(inf, LOGIN_SECONDS, timer=clock)
        self.server = AuthorizationServer(issuer, Client(client_id, client_secret, redirect_uri), clock)
        register_methods(self.server, client_jwks)
        register_grant(self.server)
        self.pushed_requests = PushedAuthorizationRequests(self.server, pushed_requests)

    @property
    def signing_algorithm(self) -> Algorithm:
        """The algorithm that signs ID tokens. The keys of all algorithms are published."""
        return self.server.keys.algorithm

    @signing_algorithm.setter
    def signing_algorithm(self, algorithm: Algorithm) -> None:
        self.server.keys.algorithm = algorithm

    def metadata(self) -> dict[str, Any]:
        """Return the provider's metadata (OpenID Connect Discovery 1.0, section 3)."""
        server = self.server
        metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": server.token_endpoint,
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": server.keys.algorithms,
            "token_endpoint_auth_methods_supported": server.authentication_methods,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login"],
            "claims_supported": [
                *("sub", "auth_time", "acr", "preferred_username", "email", "email_verified"),
            ],
            "authorization_response_iss_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
        if "private_key_jwt" in server.authentication_methods:
            metadata["token_endpoint_auth_signing_alg_values_supported"] = ["RS256", "PS256", "ES256"]
        if self.pushed_requests.mode != "off":
            metadata["pushed_authorization_request_endpoint"] = server.pushed_authorization_request_endpoint
            metadata["require_pushed_authorization_requests"] = self.pushed_requests.mode == "required"
        return metadata

    def way_back(self, caller: str) -> str:
        """Return a URL that takes the browser back to the client, with the error ``temporarily_unavailable``.

        See RFC 6749 4.1.2.1.

        :param caller: The ``request_uri`` or ``state`` of the browser's request.
        """
        state = self.pushed_requests.state_of(caller) or caller
        error = {"error": "temporarily_unavailable", "iss": self.issuer}
        return add_params_to_uri(self.redirect_uri, {**error, "state": state} if state else error)

    def visitor(self, caller: str) -> Visitor:
        """Return the visitor that *caller* identifies, with the switches for all customers added to its own."""
        known = self.visitor_of(caller)
        if known is None:
            return Visitor(self.expected_user, self.switches)
        return Visitor(known.expected_user, {*known.switches, *self.switches})

    def publish(self, what: str, caller: str = "", **payload: Any) -> None:
        """Publish a :class:`ProviderEvent` with *payload* masked."""
        self.events.publish(ProviderEvent(what, mask(payload), caller))
