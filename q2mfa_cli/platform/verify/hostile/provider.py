"""An OpenID provider. It is honest unless :attr:`HostileProvider.lie` is set."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from tornado.web import HTTPError

from q2mfa_cli.platform.verify.hostile.changes import Change, honest
from q2mfa_cli.platform.verify.hostile.keys import Json, Key, base64url, rsa_key

USER = "ada"
EMAIL = "ada@bank.example"
ELSEWHERE = "the target of a redirect or of a jku"


@dataclass(frozen=True)
class Client:
    """The client registered at a provider: the extension.

    :param is_checked: whether the provider refuses a client that does not authenticate.
    """

    id: str
    secret: str
    is_checked: bool = True


def _sign(provider: HostileProvider, claims: Json) -> Json:
    return provider.key.sign(claims)


@dataclass(frozen=True)
class Lie:
    """Changes to a provider's honest responses.

    :param lax: whether to accept used codes, and any code verifier and redirect URI.
    """

    metadata: Change = honest
    keys: Change = honest
    pushed: Change = honest
    authorized: Callable[[dict[str, str]], Any] = honest
    claims: Change = honest
    sign: Callable[[HostileProvider, Json], Json] = _sign
    token: Change = honest
    lax: bool = False


HONEST = Lie()


@dataclass(frozen=True)
class AuthorizationRequest:
    """A client's authorization request.

    :param parameters: all parameters, including pushed ones. :param in_browser: those in the browser's URL.
    """

    parameters: dict[str, str]
    in_browser: dict[str, str]

    @property
    def is_pushed(self) -> bool:
        return "request_uri" in self.in_browser


class HostileProvider:
    """The state of one provider, shared by its handlers and the tests that control it.

    :ivar user: the ``sub`` of the user who logs in. :ivar email: their email address. :ivar more_claims: further claims.
    :ivar asked: the received requests, such as ``POST /token``.
    :ivar authorizations: the authorization requests. :ivar exchanges: the forms of the token requests.
    :ivar client_authentications: the method of each client authentication; ``"none"`` if there was none.
    :ivar outwaited: the endpoints where a client waited longer than :data:`answers.PATIENCE`.
    :ivar secrets: the secrets that it issued or received. None may appear in a log.
    :ivar id_token: the last one that it issued.
    """

    def __init__(self, issuer: str, client: Client) -> None:
        self.issuer, self.client = issuer, client
        self.user, self.email = USER, EMAIL
        self.more_claims: dict[str, Any] = {}
        self.lie = HONEST
        self.key = Key("first", "RS256", rsa_key())
        self.asked: list[str] = []
        self.authorizations: list[AuthorizationRequest] = []
        self.exchanges: list[dict[str, str]] = []
        self.client_authentications: list[str] = []
        self.outwaited: list[str] = []
        self.secrets: set[str] = {client.secret, quote_plus(client.secret)}
        self.id_token: Json = None
        self._pushed: dict[str, dict[str, str]] = {}
        self._codes: dict[str, dict[str, str]] = {}

    def change_keys(self, key: Key | None = None) -> None:
        """Sign with *key* from now on; by default with the same key under a new ``kid``."""
        self.key = key or Key(secrets.token_hex(4), "RS256", rsa_key())

    def metadata(self) -> Json:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "pushed_authorization_request_endpoint": f"{self.issuer}/pushed",
            "authorization_response_iss_parameter_supported": True,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            # "none" tests whether the client lets the provider choose the algorithm.
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
            ],
            "code_challenge_methods_supported": ["S256"],
        }

    def push(self, request: dict[str, str]) -> Json:
        reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe()}"
        self._pushed[reference] = request
        self._hide(reference, request.get("state", ""), request.get("nonce", ""))
        return {"request_uri": reference, "expires_in": 60}

    def authorize(self, query: dict[str, str]) -> tuple[str, Any]:
        """Log the user in. Return the redirect URI and its parameters."""
        request = self._pushed.pop(query["request_uri"]) if "request_uri" in query else query
        self.authorizations.append(AuthorizationRequest(request, query))
        code = secrets.token_urlsafe()
        self._codes[code] = request
        self._hide(code, request.get("state", ""), request.get("nonce", ""))
        state = {"state": request["state"]} if "state" in request else {}
        return request["redirect_uri"], self.lie.authorized({"code": code, **state, "iss": self.issuer})

    def exchange(self, form: dict[str, str]) -> Json:
        """Return the response to a token request.

        :raises HTTPError: the request is not valid.
        """
        self.exchanges.append(form)
        self._hide(form.get("code_verifier", ""))
        request = self._codes.get(form.get("code", ""))
        if request is None:
            raise HTTPError(400, "unknown code")
        if not self.lie.lax:
            del self._codes[form["code"]]
            right = ("authorization_code", request["redirect_uri"])
            if (form.get("grant_type"), form.get("redirect_uri")) != right or not _is_verified(request, form):
                raise HTTPError(400, "the code belongs to another request")
        answer = {
            "access_token": secrets.token_urlsafe(),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.lie.sign(self, self.lie.claims(self._claims(request))),
        }
        self.id_token = answer["id_token"]
        self._hide(answer["access_token"], *str(answer["id_token"]).split("."))
        return answer

    def authenticate(self, header: str, form: dict[str, str]) -> None:
        """Check the client secret. A client assertion is not checked here; the tests use a certified provider for it."""
        encoded = header.removeprefix("Basic ")
        self._hide(encoded, form.get("client_assertion", ""))
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        right = (self.client.id, self.client.secret)
        if (unquote_plus(user), unquote_plus(password)) == right:
            method = "client_secret_basic"
        elif (form.get("client_id"), form.get("client_secret")) == right:
            method = "client_secret_post"
        else:
            method = "private_key_jwt" if "client_assertion" in form else "none"
        self.client_authentications.append(method)
        if method == "none" and self.client.is_checked:
            raise HTTPError(401)

    def _claims(self, request: dict[str, str]) -> Json:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": self.user,
            "aud": self.client.id,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            **({"nonce": request["nonce"]} if "nonce" in request else {}),
            "email": self.email,
            "email_verified": True,
            **({"acr": request["acr_values"].split()[0]} if "acr_values" in request else {}),
            **self.more_claims,
        }

    def _hide(self, *values: str) -> None:
        self.secrets.update(value for value in values if len(value) > 20)


def _is_verified(request: dict[str, str], form: dict[str, str]) -> bool:
    """Whether the code verifier matches the request's challenge (RFC 7636, 4.6). A request without a challenge needs none."""
    challenge, verifier = request.get("code_challenge"), form.get("code_verifier", "")
    if challenge is None:
        return True
    if request.get("code_challenge_method") == "S256":
        verifier = base64url(hashlib.sha256(verifier.encode()).digest())
    return challenge == verifier


def claims_of(assertion: str) -> dict[str, Any]:
    """Return the unverified claims of a client assertion; empty if it is not a JWT."""
    try:
        payload = json.loads(base64.urlsafe_b64decode(assertion.split(".")[1] + "=="))
    except (ValueError, IndexError):
        return {}
    return payload if isinstance(payload, dict) else {}
