"""The provider as its user meets it: what it is started with, what goes wrong from now on, what it tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from joserfc.jwk import KeySetSerialization

from q2mfa_cli.platform.idp.authorization_server import SCOPES, AuthorizationServer, Client
from q2mfa_cli.platform.idp.endpoints import handlers
from q2mfa_cli.platform.switches import Switch

LOOPBACK = ("127.0.0.1", "localhost")
SWITCHES = (
    Switch("denies", "The provider denies", "As if the customer had pressed Deny."),
    Switch("slow", "The provider is slow", "Each answer takes a while."),
    Switch("down", "The provider is down", "It answers nothing but errors."),
    Switch("wrong_user", "Another user", "Somebody else is logged in at the provider."),
)

MASK = "***"

# What may be seen of what happens; all else is masked, so that a new secret is masked too.
SHOWN = {
    *("endpoint", "error", "error_description", "seconds", "issuer", "kids", "by", "user", "typed", "pushed"),
    *("client_authentication", "request", "response", "claims"),
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "prompt", "max_age"),
    *(
        "grant_type",
        "login_hint",
        "acr_values",
        "code_challenge",
        "code_challenge_method",
        "client_assertion_type",
    ),
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "preferred_username", "email"),
    "email_verified",
}


class IdentityProvider:
    """An OpenID provider with one client, for loopback.

    What it tells *record*, and the payload, in which secrets are masked:

    ================== =========================================================================================
    ``metadata``       ``issuer``
    ``pushed``         ``client_authentication``: the method; ``request``: its parameters
    ``login_shown``    ``pushed``: whether by reference; ``request``: what the login is for
    ``approved``       ``user``: who the ID token is to be about; ``typed``: what the form said
    ``denied``         ``by``: ``"the user"`` or ``"the switch"``
    ``code_issued``    ``response``: the authorization response
    ``code_exchanged`` ``client_authentication``; ``claims``: those of the ID token
    ``jwks``           ``kids``
    ``userinfo``       ``claims``
    ``refused``        ``endpoint``, ``error``, ``error_description``, ``request``
    ``slowed``         ``endpoint``, ``seconds``
    ``down``           ``endpoint``
    ================== =========================================================================================

    :param issuer: ``http://127.0.0.1:PORT`` or ``http://localhost:PORT``, with or without a path.
    :param client_jwks: the client's public keys; with them it may authenticate by ``private_key_jwt`` too.
    :param pushed_requests: whether pushed authorization requests (RFC 9126) are announced, or required.
    :param record: called with each thing that happens, in the thread of the event loop.
    :raises ValueError: the issuer is none of loopback, or the redirect URI is none.

    :ivar expected_user: what the login form is filled with where the request has no ``login_hint``.
    :ivar switches: what goes wrong from now on, of :data:`SWITCHES`. ``denies``: whoever logs in is denied;
        ``slow``: every answer takes ``slow_seconds``; ``down``: every answer is 503; ``wrong_user``: the ID token
        is about somebody else than who logs in.
    :ivar signing_algorithm: of the ID tokens: ``"RS256"`` or ``"ES256"``. Both keys are announced.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        client_jwks: KeySetSerialization | None = None,
        pushed_requests: Literal["off", "offered", "required"] = "offered",
        record: Callable[[str, Mapping[str, Any]], None] = lambda what, payload: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts, back = urlsplit(issuer), urlsplit(redirect_uri)
        if (parts.scheme, parts.query, parts.fragment) != ("http", "", "") or parts.hostname not in LOOPBACK:
            raise ValueError(f"the issuer is not on loopback: {issuer!r}")
        if issuer.endswith("/"):
            raise ValueError(f"the issuer ends with a slash: {issuer!r}")
        if back.scheme not in ("http", "https") or not back.netloc or "#" in redirect_uri:  # RFC 6749 3.1.2
            raise ValueError(f"not a redirect URI: {redirect_uri!r}")
        self.issuer, self.host, self.path = issuer, parts.netloc, parts.path
        self.redirect_origin = f"{back.scheme}://{back.netloc}"
        self.expected_user = ""
        self.switches: set[str] = set()
        self.slow_seconds = 30.0
        self.server = AuthorizationServer(
            issuer,
            Client(client_id, client_secret, redirect_uri),
            par=pushed_requests,
            client_jwks=client_jwks,
            clock=clock,
        )
        self._record = record

    @property
    def signing_algorithm(self) -> str:
        return self.server.signing_algorithm

    @signing_algorithm.setter
    def signing_algorithm(self, algorithm: Literal["RS256", "ES256"]) -> None:
        self.server.signing_algorithm = algorithm

    def handlers(self) -> list[Any]:
        """Tornado's URL patterns, the issuer's path included."""
        return handlers(self)

    def metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
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
            "id_token_signing_alg_values_supported": list(server.keys),
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
        if server.par != "off":
            metadata["pushed_authorization_request_endpoint"] = server.pushed_authorization_request_endpoint
            metadata["require_pushed_authorization_requests"] = server.par == "required"
        return metadata

    def happened(self, what: str, **payload: Any) -> None:
        """Tell *record*, once what nobody may see is masked."""
        self._record(what, _masked(payload))


def _masked(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: MASK if name not in SHOWN else _masked(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }
