"""Client authentication: ``client_secret_basic``, ``client_secret_post`` and ``private_key_jwt``."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from math import inf
from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from cachetools import TLRUCache
from joserfc.jwk import KeySet, KeySetSerialization

from q2mfa_cli.platform.idp.authorization_server import AuthorizationServer
from q2mfa_cli.platform.idp.client import Client

# Parameters that authenticate the client and are not part of an authorization request.
CREDENTIALS = {"client_secret", "client_assertion", "client_assertion_type"}


def register_methods(server: AuthorizationServer, client_jwks: KeySetSerialization | None) -> None:
    """Make *server* support the methods with a secret, and ``private_key_jwt`` if *client_jwks* is given."""
    server.authentication_methods = ["client_secret_basic", "client_secret_post"]
    server.register_client_auth_method("client_secret_basic", client_secret_basic)
    if client_jwks is not None:
        server.authentication_methods.append("private_key_jwt")
        server.register_client_auth_method("private_key_jwt", PrivateKeyJWT(server, client_jwks))


def authenticate(server: AuthorizationServer, request: OAuth2Request) -> Client:
    """Authenticate the client, which must use exactly one method, and return it.

    :raises OAuth2Error: The authentication failed.
    """
    credentials = request.form.keys() & {"client_secret", "client_assertion"}
    if len(credentials) + ("Authorization" in (request.headers or {})) > 1:  # RFC 6749 2.3
        raise InvalidRequestError("The client used more than one authentication method.")
    server.authenticate_client(request, server.authentication_methods)
    if request.form.get("client_id", server.client.identifier) != server.client.identifier:
        raise InvalidClientError("The 'client_id' differs from the client that authenticated.")
    return server.client


def client_secret_basic(
    query_client: Callable[[str], Client | None], request: OAuth2Request
) -> Client | None:
    """Return the client if its HTTP Basic credentials are valid. They are form-encoded (RFC 6749 2.3.1)."""
    scheme, _, credentials = ((request.headers or {}).get("Authorization") or "").partition(" ")
    try:
        user, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return None
    client = query_client(unquote_plus(user))
    if scheme.lower() != "basic" or not client or not client.check_client_secret(unquote_plus(password)):
        return None
    return client


class PrivateKeyJWT(JWTBearerClientAssertion):
    """Authentication with a signed assertion (RFC 7523 3), which is accepted once.

    Authlib compares its times with the clock of this machine.
    """

    CLIENT_AUTH_METHOD = "private_key_jwt"  # type: ignore[misc]

    def __init__(self, server: AuthorizationServer, jwks: KeySetSerialization) -> None:
        super().__init__()
        self.server, self.keys = server, KeySet.import_key_set(jwks)
        # The IDs of the accepted assertions, each with the time when the assertion expires.
        self.seen: TLRUCache[str, float] = TLRUCache(
            inf, ttu=lambda jti, expires, now: expires, timer=server.clock
        )

    def get_audiences(self) -> list[str]:
        """Return the audiences that identify this provider (RFC 9126 2)."""
        return [
            self.server.issuer,
            self.server.token_endpoint,
            self.server.pushed_authorization_request_endpoint,
        ]

    def process_assertion_claims(self, assertion: Any, resolve_key: Any) -> dict[str, Any]:
        try:
            return super().process_assertion_claims(assertion, resolve_key)
        except (
            ValueError
        ) as error:  # Authlib raises it if its error message has characters that OAuth forbids
            raise InvalidClientError("The 'client_assertion' is malformed.") from error

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        if str(jti) in self.seen:
            return False
        self.seen[str(jti)] = claims["exp"] + self.leeway
        return True

    def resolve_client_public_key(self, client: ClientMixin) -> KeySet:
        return self.keys
