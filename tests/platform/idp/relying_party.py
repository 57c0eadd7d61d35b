"""A relying party of the embedded identity provider, made of ``requests`` and PyJWT."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any, TypeAlias
from urllib.parse import parse_qs, quote_plus, urljoin, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from q2mfa_cli.platform.idp import IdentityProvider

CLIENT_ID = "q2-mfa"
SECRET = "a secret with / + : and % in it"
REDIRECT_URI = "http://127.0.0.1:9/assets/Foo/verify.html"
CLIENT_KEY = rsa.generate_private_key(65537, 2048)
CLIENT_JWKS: Any = {
    "keys": [{**RSAAlgorithm.to_jwk(CLIENT_KEY.public_key(), as_dict=True), "kid": "client", "use": "sig"}]
}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Published: TypeAlias = list[tuple[str, Mapping[str, Any]]]


class Clock:
    """The machine's clock plus an offset in seconds, which a test sets."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Page(HTMLParser):
    """The form fields, the text and the elements of a page."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.words: list[str] = []
        self.elements: list[str] = []
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append(tag)
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Client:
    """The client and the customer's browser. Set a parameter to None to leave it out."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self.metadata = self.get(provider.issuer + "/.well-known/openid-configuration").json()
        self.start_new_flow()

    def start_new_flow(self) -> None:
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.request = {
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(),
            "nonce": secrets.token_urlsafe(),
            "prompt": "login",
            "max_age": "0",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }

    def get(self, url: str, **options: Any) -> requests.Response:
        return requests.get(url, timeout=20, allow_redirects=False, **options)

    def post(self, url: str, form: Any, **options: Any) -> requests.Response:
        return requests.post(url, data=form, timeout=20, allow_redirects=False, **options)

    def push(self, *, headers: Mapping[str, str] | None = None, **changes: Any) -> requests.Response:
        """Push the authorization request."""
        return self.post(
            self.metadata["pushed_authorization_request_endpoint"],
            without_none({**self.request, **changes}),
            headers=basic() if headers is None else headers,
        )

    def visit(self, **changes: Any) -> requests.Response:
        """Visit the authorization endpoint with the whole request."""
        return self.authorize(without_none({**self.request, **changes}))

    def follow(self, request_uri: str, **more: str) -> requests.Response:
        """Visit the authorization endpoint with a reference to a pushed request."""
        return self.authorize({"client_id": CLIENT_ID, "request_uri": request_uri, **more})

    def authorize(self, parameters: Mapping[str, str]) -> requests.Response:
        """Visit the authorization endpoint, and follow its redirect to the login page."""
        return self.shown(self.get(self.metadata["authorization_endpoint"], params=parameters))

    def shown(self, answer: requests.Response) -> requests.Response:
        """The login page, if *answer* redirects there; otherwise *answer*."""
        location = answer.headers.get("Location", "")
        is_login = location.startswith(f"{urlsplit(self.provider.issuer).path}/login?")
        return self.get(urljoin(self.provider.issuer, location)) if is_login else answer

    def log_in(
        self, login_page: requests.Response, *, headers: Mapping[str, str] | None = None, **fields: str
    ) -> requests.Response:
        """Submit the login form."""
        login_page = self.shown(login_page)
        assert login_page.status_code == 200, login_page.text
        form = {**Page(login_page).fields, "user": "ada", "decision": "approve", **fields}
        return self.post(self.provider.issuer + "/login", form, headers=headers)

    def code(self, **changes: Any) -> str:
        return authorization_response(self.log_in(self.visit(**changes)))["code"]

    def exchange(
        self, code: str, *, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> requests.Response:
        """Send a token request."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.post(
            self.metadata["token_endpoint"],
            without_none(form),
            headers=basic() if headers is None else headers,
        )

    def claims(self, tokens: requests.Response) -> dict[str, Any]:
        """Return the claims of the ID token, validated by PyJWT (OpenID Connect Core 3.1.3.7)."""
        assert tokens.status_code == 200, tokens.text
        id_token = tokens.json()["id_token"]
        keys = jwt.PyJWKSet.from_dict(self.get(self.metadata["jwks_uri"]).json())
        header = jwt.get_unverified_header(id_token)
        claims: dict[str, Any] = jwt.decode(
            id_token,
            keys[header["kid"]],
            algorithms=[self.provider.signing_algorithm],
            audience=CLIENT_ID,
            issuer=self.provider.issuer,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time"]},
        )
        assert claims["nonce"] == self.request["nonce"]
        return claims

    def user_info(self, access_token: str) -> requests.Response:
        return self.get(
            self.metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {access_token}"}
        )

    def assertion(self, key: Any = CLIENT_KEY, algorithm: str = "RS256", **changes: Any) -> dict[str, str]:
        """RFC 7523 2.2."""
        claims = {
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": self.provider.issuer,
            "jti": secrets.token_urlsafe(),
            "exp": int(time.time()) + 60,
            **changes,
        }
        return {
            "client_assertion_type": JWT_BEARER,
            "client_assertion": jwt.encode(without_none(claims), key, algorithm, {"kid": "client"}),
        }


StartProvider: TypeAlias = Callable[..., Client]


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def basic(identifier: str = CLIENT_ID, secret: str = SECRET) -> dict[str, str]:
    """RFC 6749 2.3.1: both halves form-encoded."""
    credentials = f"{quote_plus(identifier)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def authorization_response(redirect: requests.Response) -> dict[str, str]:
    """Return the parameters of the redirect to the client."""
    assert redirect.status_code == 303, redirect.text
    address, _, query = redirect.headers["Location"].partition("?")
    assert address == REDIRECT_URI
    parameters = parse_qs(query, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    return {name: values[0] for name, values in parameters.items()}


def assert_error(response: requests.Response, error: str, status: int = 400) -> None:
    """RFC 6749 5.2."""
    assert (response.status_code, response.json()["error"]) == (status, error), response.text
    assert response.headers["Content-Type"].startswith("application/json")
    assert "Location" not in response.headers


def assert_refusal_page(response: requests.Response, error: str) -> None:
    """The error is shown on a page and not sent to a redirect URI."""
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert error in Page(response).words
