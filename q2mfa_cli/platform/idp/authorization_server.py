"""The protocol: Authlib's authorization server, and what it leaves to its user.

It knows nothing of HTTP beyond a request's parameters and headers, and nothing of pages.
"""

from __future__ import annotations

import logging
import secrets
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote_plus

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error, OAuth2Request, rfc6749
from authlib.oauth2.rfc6749 import (
    ClientMixin,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9101.errors import InvalidRequestUriError, RequestNotSupportedError
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import ECKey, KeySet, KeySetSerialization, RSAKey

from q2mfa_cli.platform.idp.expiring import Expiring

SCOPES = ("openid", "profile", "email")
PUSHED_SECONDS = 60
LOGIN_SECONDS = 600
CODE_SECONDS = 60
TOKEN_SECONDS = 300

# What authenticates the client, and is no part of the authorization request that it pushes.
CREDENTIALS = {"client_secret", "client_assertion", "client_assertion_type"}

# Authlib logs the tokens that it issues at DEBUG, which the local platform collects.
logging.getLogger("authlib").setLevel(logging.INFO)


class Request(OAuth2Request):
    """A request to the provider; no parameter comes twice or empty."""

    def __init__(self, method: str, uri: str, headers: Mapping[str, str], parameters: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self.parameters = parameters
        self.payload = BasicOAuth2Payload(parameters)

    @property
    def form(self) -> dict[str, str]:
        return self.parameters


@dataclass
class Answer:
    """What the provider says.

    :ivar body: JSON; empty where *location* sends the browser elsewhere.
    :ivar error: why it refuses, where it does.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    location: str = ""
    error: OAuth2Error | None = None


class Client(ClientMixin):
    """The one client: the extension."""

    def __init__(self, identifier: str, secret: str, redirect_uri: str) -> None:
        self.identifier, self.secret, self.redirect_uri = identifier, secret, redirect_uri

    def get_client_id(self) -> str:
        return self.identifier

    def get_default_redirect_uri(self) -> str:
        return ""  # OpenID Connect Core 3.1.2.1: a request has to name it

    def get_allowed_scope(self, scope: Any) -> str:
        """What is understood of *scope*; OpenID Connect Core 3.1.2.1: the rest is ignored."""
        return " ".join(name for name in SCOPES if name in str(scope).split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return True  # the methods that are tried are those that are offered

    def check_response_type(self, response_type: str) -> bool:
        return True  # the provider has one only

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """An authorization code's request and outcome; it lives on, spent, to be known when it comes again."""

    parameters: Mapping[str, str]
    scope: str
    user: str
    auth_time: int
    expires: float
    spent: bool = False
    access_token: str = ""

    @property
    def code_challenge(self) -> str:
        return self.parameters["code_challenge"]

    @property
    def code_challenge_method(self) -> str:
        return self.parameters["code_challenge_method"]

    def get_redirect_uri(self) -> str:
        return self.parameters["redirect_uri"]

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.parameters["nonce"]

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str | None:
        """The first of ``acr_values``: the one that the client prefers (OpenID Connect Core 3.1.2.1)."""
        return next(iter(self.parameters.get("acr_values", "").split()), None)

    def get_amr(self) -> None:
        return None


class AuthorizationServer(rfc6749.AuthorizationServer):
    """One client's authorization code flow with OpenID Connect, PKCE and pushed authorization requests.

    :param par: ``"required"``, ``"offered"`` or ``"off"``.
    :param client_jwks: the client's public keys; with them it may authenticate by ``private_key_jwt`` too.
    """

    def __init__(
        self,
        issuer: str,
        client: Client,
        *,
        par: str,
        client_jwks: KeySetSerialization | None,
        clock: Callable[[], float],
    ) -> None:
        super().__init__()
        self.issuer, self.client, self.par, self.clock = issuer, client, par, clock
        self.signing_algorithm = "RS256"
        self.keys: dict[str, RSAKey | ECKey] = {
            "RS256": RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True),
            "ES256": ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True),
        }
        self.pushed: Expiring[dict[str, str]] = Expiring(clock)
        self.logins: Expiring[AuthorizationCodeGrant] = Expiring(clock)
        self.codes: Expiring[Code] = Expiring(clock)
        self.nonces: Expiring[bool] = Expiring(clock)
        self.tokens: Expiring[UserInfo] = Expiring(clock)
        self.authentication_methods = ["client_secret_basic", "client_secret_post"]
        self.register_client_auth_method("client_secret_basic", _client_secret_basic)
        if client_jwks is not None:
            self.authentication_methods.append("private_key_jwt")
            self.register_client_auth_method("private_key_jwt", _PrivateKeyJWT(self, client_jwks))
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                lambda **_: secrets.token_urlsafe(), expires_generator=lambda client, grant: TOKEN_SECONDS
            ),
        )
        self.register_grant(_CodeGrant, [_S256(), _OpenID(self), _rules])

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/token"

    @property
    def pushed_authorization_request_endpoint(self) -> str:
        return f"{self.issuer}/par"

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        return {"keys": [key.as_dict(private=False) for key in self.keys.values()]}

    # ---- what the endpoints do ------------------------------------------------------------------

    def push(self, request: Request) -> Answer:
        """RFC 9126: keep the authorization request of an authenticated client for one use."""
        try:
            self.authenticated(request)
            if "request_uri" in request.parameters:
                raise InvalidRequestError("'request_uri' cannot be pushed.")  # RFC 9126 2.1
            self.get_authorization_grant(request).validate_authorization_request()  # type: ignore[attr-defined]
        except OAuth2Error as error:
            error.redirect_uri = None  # nobody's browser is here
            return self.handle_error_response(request, error)
        reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe()}"
        wanted = {name: value for name, value in request.parameters.items() if name not in CREDENTIALS}
        self.pushed.keep(reference, wanted, PUSHED_SECONDS)
        return self.handle_response(201, {"request_uri": reference, "expires_in": PUSHED_SECONDS}, [])

    def authorization_request(self, request: Request) -> AuthorizationCodeGrant:
        """The request that a browser brings, or has brought a reference to, once it is found right.

        :raises OAuth2Error: with a ``redirect_uri`` only where that and the client are the registered ones.
        """
        reference = request.parameters.get("request_uri")
        if reference is not None:
            pushed = self.pushed.take(reference)
            if pushed is None or pushed["client_id"] != request.parameters.get("client_id"):
                raise InvalidRequestUriError("The 'request_uri' is unknown, used or expired.")
            # RFC 9126 4: nothing of what the browser says beside it counts.
            request = Request(request.method, request.uri, {}, pushed)
        grant: AuthorizationCodeGrant = self.get_consent_grant(request)  # type: ignore[no-untyped-call]
        if reference is None and self.par == "required":
            raise InvalidRequestError(
                "This provider takes pushed authorization requests only.",
                redirect_uri=grant.redirect_uri,
                state=request.parameters.get("state"),
            )
        return grant

    def answer_login(self, grant: AuthorizationCodeGrant, user: str | None) -> Answer:
        """Send the browser back with a code for *user*, or with ``access_denied``."""
        return cast(Answer, self.create_authorization_response(grant.request, user, grant))

    def exchange(self, request: Request) -> Answer:
        """RFC 6749 4.1.3: a code for an access token and an ID token."""
        return cast(Answer, self.create_token_response(request))

    def authenticated(self, request: OAuth2Request) -> Client:
        """The client, by exactly one of the methods offered.

        :raises OAuth2Error: it is not.
        """
        ways = request.form.keys() & {"client_secret", "client_assertion"}
        if len(ways) + ("Authorization" in (request.headers or {})) > 1:  # RFC 6749 2.3
            raise InvalidRequestError("The client authenticates in more ways than one.")
        self.authenticate_client(request, self.authentication_methods)
        if request.form.get("client_id", self.client.identifier) != self.client.identifier:
            raise InvalidClientError("The 'client_id' is not that of the client that authenticates.")
        return self.client

    # ---- what Authlib leaves to its user --------------------------------------------------------

    def query_client(self, client_id: str) -> Client | None:  # type: ignore[override]
        return self.client if client_id == self.client.identifier else None

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        code = cast(Code, request.authorization_code)
        code.access_token = token["access_token"]
        self.tokens.keep(code.access_token, _user_info(code.user, code.scope), TOKEN_SECONDS)

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        answer = Answer(status, dict(body or {}), dict(headers))
        location = answer.headers.pop("Location", "")
        if location:
            # RFC 9207 2: in every authorization response, errors included. RFC 9700 4.12: 303.
            answer.location = add_params_to_uri(location, {"iss": self.issuer})
            answer.status = 303
        return answer

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Answer:
        answer = self.handle_response(*error())
        answer.error = error
        return answer


class _CodeGrant(AuthorizationCodeGrant):
    server: AuthorizationServer

    @classmethod
    def check_authorization_endpoint(cls, request: OAuth2Request) -> bool:
        return True  # there is no other grant; who asks and from where is looked at before what for

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: ClientMixin) -> str:
        """RFC 9700 2.1: compared as a string, whole."""
        redirect_uri = request.form.get("redirect_uri", "")
        if not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The 'redirect_uri' is not the registered one.")
        return redirect_uri

    def authenticate_token_endpoint_client(self) -> Client:
        return self.server.authenticated(self.request)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        assert isinstance(request, Request)
        now = self.server.clock()
        kept = Code(request.parameters, request.scope, request.user or "", int(now), now + CODE_SECONDS)
        self.server.codes.keep(code, kept, CODE_SECONDS + TOKEN_SECONDS)
        self.server.nonces.keep(kept.get_nonce(), True, LOGIN_SECONDS)

    def query_authorization_code(self, code: str, client: ClientMixin) -> Code | None:
        """The code's request; whoever presents a code spends it, right or wrong in the rest."""
        found = self.server.codes.get(code)
        if found is None:
            return None
        if found.spent:
            # RFC 6749 4.1.2: what a code has given is taken back when the code comes again.
            self.server.tokens.take(found.access_token)
            raise InvalidGrantError("The 'code' was used before; what it gave is revoked.")
        found.spent = True
        if self.server.clock() >= found.expires:
            raise InvalidGrantError("The 'code' has expired.")
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It stays, spent."""

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.user


class _S256(CodeChallenge):
    """RFC 7636 and RFC 9700 2.1.1: always, and never ``plain``."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: Any) -> None:
        if "code_challenge_method" not in grant.request.parameters:
            raise InvalidRequestError("Missing 'code_challenge_method', which would mean plain")
        super().validate_code_challenge(grant, redirect_uri)


class _OpenID(OpenIDCode):
    """The ID token (OpenID Connect Core 3.1.3.6)."""

    def __init__(self, server: AuthorizationServer) -> None:
        super().__init__(require_nonce=True)
        self.server = server

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return self.server.nonces.get(nonce) is not None

    def resolve_client_private_key(self, client: ClientMixin) -> RSAKey | ECKey:
        return self.server.keys[self.server.signing_algorithm]

    def get_client_algorithm(self, client: ClientMixin) -> str:
        return self.server.signing_algorithm

    def get_encode_header(self, client: ClientMixin) -> dict[str, Any]:
        key = self.resolve_client_private_key(client)
        return {"typ": "JWT", "alg": self.server.signing_algorithm, "kid": key.kid}

    def get_client_claims(self, client: ClientMixin) -> dict[str, Any]:
        now = int(self.server.clock())
        return {
            "iss": self.server.issuer,
            "aud": client.get_client_id(),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        return _user_info(user, scope)


class _PrivateKeyJWT(JWTBearerClientAssertion):
    """RFC 7523 3, with an assertion that is good once. It is dated by the machine's clock."""

    CLIENT_AUTH_METHOD = "private_key_jwt"  # type: ignore[misc]

    def __init__(self, server: AuthorizationServer, jwks: KeySetSerialization) -> None:
        super().__init__()
        self.server, self.keys = server, KeySet.import_key_set(jwks)
        self.seen: Expiring[bool] = Expiring(server.clock)

    def get_audiences(self) -> list[str]:
        """RFC 9126 2: each of them names this provider."""
        return [
            self.server.issuer,
            self.server.token_endpoint,
            self.server.pushed_authorization_request_endpoint,
        ]

    def process_assertion_claims(self, assertion: Any, resolve_key: Any) -> dict[str, Any]:
        try:
            return super().process_assertion_claims(assertion, resolve_key)
        except ValueError as error:  # Authlib's, of an error that quotes what it is about
            raise InvalidClientError("The 'client_assertion' is malformed.") from error

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        if self.seen.get(str(jti)):
            return False
        self.seen.keep(str(jti), True, claims["exp"] - self.server.clock() + self.leeway)
        return True

    def resolve_client_public_key(self, client: ClientMixin) -> KeySet:
        return self.keys


def _client_secret_basic(
    query_client: Callable[[str], Client | None], request: OAuth2Request
) -> Client | None:
    """RFC 6749 2.3.1: both halves are form-encoded, so that a plus sign is a space."""
    scheme, _, credentials = ((request.headers or {}).get("Authorization") or "").partition(" ")
    try:
        user, _, password = b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return None
    client = query_client(unquote_plus(user))
    if scheme.lower() != "basic" or not client or not client.check_client_secret(unquote_plus(password)):
        return None
    return client


def _rules(grant: Any) -> None:
    grant.register_hook("after_validate_authorization_request_payload", _refuse_unsupported)


def _refuse_unsupported(grant: Any, _: Any) -> None:
    """What OpenID Connect Core asks of a request beyond what Authlib checks."""
    parameters: dict[str, str] = grant.request.parameters
    if "response_type" not in parameters:
        raise InvalidRequestError("Missing 'response_type'")
    if parameters["response_type"] != "code":
        # Not Authlib's own error, whose description quotes what may not stand in one.
        raise OAuth2Error("The 'response_type' can only be code.", error="unsupported_response_type")
    if "request" in parameters:
        raise RequestNotSupportedError()
    if "openid" not in parameters.get("scope", "").split():
        raise InvalidScopeError("The 'scope' lacks openid.")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The 'response_mode' can only be query.")
    max_age = parameters.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdigit()):
        raise InvalidRequestError("The 'max_age' is not a number of seconds.")


def _user_info(user: str, scope: str) -> UserInfo:
    """Claims about *user*, whose name is all that is known (OpenID Connect Core 5.4)."""
    claims: dict[str, Any] = {"sub": user}
    if "profile" in scope.split():
        claims["preferred_username"] = user
    if "email" in scope.split() and "@" in user:
        claims.update(email=user, email_verified=True)
    return UserInfo(claims)
