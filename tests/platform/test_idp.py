"""The embedded identity provider, over real sockets; its relying party is ``requests`` and PyJWT."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import os
import secrets
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

import jwt
import pytest
import requests
from command import q2mfa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from extension_server import EXTENSION_SERVER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from q2mfa_cli.platform.idp import IdentityProvider
from q2mfa_cli.platform.idp.expiring import Expiring

CLIENT_ID = "q2-mfa"
SECRET = "a secret with / + : and % in it"
REDIRECT_URI = "http://127.0.0.1:9/assets/Foo/verify.html"
CLIENT_KEY = rsa.generate_private_key(65537, 2048)
CLIENT_JWKS: Any = {
    "keys": [{**RSAAlgorithm.to_jwk(CLIENT_KEY.public_key(), as_dict=True), "kid": "client", "use": "sig"}]
}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Happened: TypeAlias = list[tuple[str, Mapping[str, Any]]]


class Clock:
    """The machine's clock, and how far a test has put it forward, in seconds."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def happened() -> Happened:
    """What the provider told, in its order."""
    return []


@pytest.fixture
def start(
    loop: asyncio.AbstractEventLoop, clock: Clock, happened: Happened
) -> Iterator[Callable[..., Party]]:
    """Start a provider and make its relying party; *path* is the issuer's, the rest the provider's options."""
    servers: list[HTTPServer] = []

    def start(path: str = "", sockets: Any = None, redirect_uri: str = REDIRECT_URI, **options: Any) -> Party:
        sockets = sockets or bind_sockets(0, "127.0.0.1")
        provider = IdentityProvider(
            f"http://127.0.0.1:{sockets[0].getsockname()[1]}{path}",
            client_id=CLIENT_ID,
            client_secret=SECRET,
            redirect_uri=redirect_uri,
            record=lambda what, payload: happened.append((what, payload)),
            clock=clock,
            **options,
        )

        async def serve() -> None:
            servers.append(HTTPServer(Application(provider.handlers())))
            servers[-1].add_sockets(sockets)

        asyncio.run_coroutine_threadsafe(serve(), loop).result()
        return Party(provider)

    async def stop() -> None:
        for server in servers:
            server.stop()
            await server.close_all_connections()

    yield start
    asyncio.run_coroutine_threadsafe(stop(), loop).result()


@pytest.fixture
def party(start: Callable[..., Party]) -> Party:
    return start()


class Page(HTMLParser):
    """The fields of a page's form, its text, and the elements on it."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.words: list[str] = []
        self.elements: list[str] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append(tag)
        if tag == "input":
            self.fields[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Party:
    """The relying party, and the person with a browser; what is changed to None is left out."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self.metadata = self.get(provider.issuer + "/.well-known/openid-configuration").json()
        self.renew()

    def renew(self) -> None:
        """The values of a new flow."""
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
        return self.post(
            self.metadata["pushed_authorization_request_endpoint"],
            without_none({**self.request, **changes}),
            headers=basic() if headers is None else headers,
        )

    def visit(self, **changes: Any) -> requests.Response:
        """Bring the authorization request by the browser."""
        return self.get(
            self.metadata["authorization_endpoint"], params=without_none({**self.request, **changes})
        )

    def follow(self, request_uri: str, **more: str) -> requests.Response:
        """Bring a pushed one by reference."""
        return self.get(
            self.metadata["authorization_endpoint"],
            params={"client_id": CLIENT_ID, "request_uri": request_uri, **more},
        )

    def answer(
        self, login_page: requests.Response, *, headers: Mapping[str, str] | None = None, **fields: str
    ) -> requests.Response:
        """Send the login form."""
        assert login_page.status_code == 200, login_page.text
        form = {**Page(login_page).fields, "user": "ada", "decision": "approve", **fields}
        return self.post(self.provider.issuer + "/login", form, headers=headers)

    def code(self, **changes: Any) -> str:
        return callback(self.answer(self.visit(**changes)))["code"]

    def exchange(
        self, code: str, *, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> requests.Response:
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
        """The ID token's claims, once PyJWT has found it right (OpenID Connect Core 3.1.3.7)."""
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


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def basic(identifier: str = CLIENT_ID, secret: str = SECRET) -> dict[str, str]:
    """RFC 6749 2.3.1: both halves form-encoded."""
    credentials = f"{quote_plus(identifier)}:{quote_plus(secret)}"
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def callback(answer: requests.Response) -> dict[str, str]:
    """The authorization response: what the browser is sent back with."""
    assert answer.status_code == 303, answer.text
    address, _, query = answer.headers["Location"].partition("?")
    assert address == REDIRECT_URI
    parameters = parse_qs(query, strict_parsing=True)
    assert all(len(values) == 1 for values in parameters.values())
    return {name: values[0] for name, values in parameters.items()}


def refused(answer: requests.Response, error: str, status: int = 400) -> None:
    """RFC 6749 5.2."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "Location" not in answer.headers


def refused_on_page(answer: requests.Response, error: str) -> None:
    """Told to the person, since nobody knows to whom a redirect would lead."""
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert error in Page(answer).words


# ---- a login that succeeds ------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("pushed", [True, False], ids=["pushed", "plain"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_a_login(method: str, pushed: bool, algorithm: str, start: Callable[..., Party]) -> None:
    party = start(client_jwks=CLIENT_JWKS)
    party.provider.signing_algorithm = algorithm
    assert method in party.metadata["token_endpoint_auth_methods_supported"]

    def credentials() -> dict[str, Any]:
        if method == "client_secret_basic":
            return {"headers": basic()}
        if method == "client_secret_post":
            return {"headers": {}, "client_id": CLIENT_ID, "client_secret": SECRET}
        return {"headers": {}, **party.assertion()}

    if pushed:
        taken = party.push(**credentials())
        assert taken.status_code == 201, taken.text
        assert taken.json()["expires_in"] > 0
        page = party.follow(taken.json()["request_uri"])
    else:
        page = party.visit()
    response = callback(party.answer(page, user="ada"))
    assert response.keys() == {"code", "state", "iss"}
    assert (response["state"], response["iss"]) == (party.request["state"], party.provider.issuer)

    tokens = party.exchange(response["code"], **credentials())
    claims = party.claims(tokens)
    assert claims["sub"] == "ada"
    assert "acr" not in claims
    assert tokens.json()["token_type"] == "Bearer"
    assert party.user_info(tokens.json()["access_token"]).json() == {"sub": "ada"}


def test_an_issuer_with_a_path(start: Callable[..., Party]) -> None:
    party = start("/an.idp")
    assert urlsplit(party.metadata["token_endpoint"]).path == "/an.idp/token"
    page = party.follow(party.push().json()["request_uri"])
    assert 'action="/an.idp/login"' in page.text
    assert party.get(party.provider.issuer + "/idp.css").status_code == 200
    assert party.claims(party.exchange(callback(party.answer(page))["code"]))["sub"] == "ada"


def test_the_id_token_says_when_and_how_the_user_was_authenticated(party: Party, clock: Clock) -> None:
    clock.ahead = -250
    page = party.visit(acr_values="urn:example:strong urn:example:weak")
    clock.ahead = -200
    before = int(clock())
    response = callback(party.answer(page))
    clock.ahead = -170
    claims = party.claims(party.exchange(response["code"]))
    assert before <= claims["auth_time"] <= before + 25
    assert claims["iat"] >= before + 30
    assert claims["acr"] == "urn:example:strong"


def test_claims_of_the_scopes_that_were_asked_for(party: Party) -> None:
    page = party.visit(scope="openid email profile offline_access")
    tokens = party.exchange(callback(party.answer(page, user=" ada@example.com "))["code"])
    claims = party.claims(tokens)
    assert claims["sub"] == claims["preferred_username"] == claims["email"] == "ada@example.com"
    assert claims["email_verified"] is True
    assert tokens.json()["scope"].split() == ["openid", "profile", "email"]


def test_every_login_is_a_fresh_one(party: Party) -> None:
    party.claims(party.exchange(party.code()))
    party.renew()
    assert "user" in Page(party.visit(prompt=None, max_age="3600")).fields


def test_an_authorization_request_may_be_posted_by_the_page_of_the_client(party: Party) -> None:
    page = party.post(
        party.metadata["authorization_endpoint"], party.request, headers={"Origin": "http://127.0.0.1:9"}
    )
    assert callback(party.answer(page))["state"] == party.request["state"]


def test_the_metadata_promises_what_the_extension_needs(start: Callable[..., Party]) -> None:
    party = start()
    assert party.metadata["issuer"] == party.provider.issuer
    assert party.metadata["code_challenge_methods_supported"] == ["S256"]
    assert party.metadata["response_types_supported"] == ["code"]
    assert party.metadata["authorization_response_iss_parameter_supported"] is True
    assert party.metadata["require_pushed_authorization_requests"] is False
    assert party.metadata["request_uri_parameter_supported"] is False
    assert "none" not in party.metadata["token_endpoint_auth_methods_supported"]
    keys = party.get(party.metadata["jwks_uri"]).json()["keys"]
    assert [key["alg"] for key in keys] == party.metadata["id_token_signing_alg_values_supported"]
    assert not any({"d", "p", "q"} & key.keys() for key in keys)
    another = start()
    assert {key["kid"] for key in keys}.isdisjoint(
        key["kid"] for key in another.get(another.metadata["jwks_uri"]).json()["keys"]
    )


# ---- the relying party that it is for -------------------------------------------------------------


class Extension:
    """A generated redirect extension, served, and the session of a user called ada at HQ."""

    def __init__(self, url: str) -> None:
        self.url = url
        answer = self.post("/_hq/sessions", {"mfa_info": {"sso_identifier": "ada"}})
        self.session = str(answer["session"])

    def post(self, path: str, body: Any, session: str = "") -> Any:
        return requests.post(self.url + path, json=body, headers={"X-Q2-Session": session}, timeout=20).json()

    def mfa(self, party: Party, **form: str) -> Any:
        """Start, log in with *form*, come back: True once HQ has verified the token, or the error's code."""
        started = self.post("/Foo/start", {}, self.session)
        if "error" in started:
            return started["data"]["code"]
        back = party.answer(party.get(started["data"]["authorization_url"]), **form)
        response = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
        done = self.post("/Foo/token_handler", response, self.session)
        if "error" in done:
            assert requests.get(f"{self.url}/_hq/sessions/{self.session}", timeout=20).json()["tokens"] == []
            return done["data"]["code"]
        token = done["data"]["token"]
        return self.post(f"/_hq/sessions/{self.session}/verify", {"token": token})["verified"]


@pytest.fixture
def extension(
    workspace: Path, start: Callable[..., Party]
) -> Iterator[Callable[..., tuple[Extension, Party]]]:
    """Generate, configure and serve the extension, with a provider of its own."""
    children: list[subprocess.Popen[str]] = []

    def serve(configuration: str = "", secret: str = SECRET, **options: Any) -> tuple[Extension, Party]:
        sockets = bind_sockets(0, "127.0.0.1")
        issuer = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        settings = workspace / "configuration" / "settings.py"
        settings.write_text(
            "from q2_sdk.core.default_settings import *\n"
            "INSTALLED_EXTENSIONS = []\n"
            "OUTBOUND_WHITELIST.extend(['127.0.0.1'])\n"
        )
        made = q2mfa(
            *("create", "Foo", "--rendering", "csr", "--mfa", "redirect", "--no-input"),
            *("--issuer", issuer, "--client-id", CLIENT_ID),
            cwd=workspace,
        )
        assert made.status == 0, made
        with (workspace / "configuration" / "Foo.py").open("a") as file:
            file.write(configuration)
        child = subprocess.Popen(
            [sys.executable, EXTENSION_SERVER, str(workspace), "Foo"],
            stdout=subprocess.PIPE,
            env={**os.environ, "FOO_CLIENT_SECRET": secret},
            text=True,
        )
        children.append(child)
        assert child.stdout is not None
        url = json.loads(child.stdout.readline())["url"]
        party = start(sockets=sockets, redirect_uri=f"{url}/assets/Foo/verify.html", **options)
        return Extension(url), party

    yield serve
    for child in children:
        child.terminate()
        child.communicate()


CLIENT_JWK = json.dumps({**RSAAlgorithm.to_jwk(CLIENT_KEY, as_dict=True), "kid": "client", "alg": "RS256"})


@pytest.mark.parametrize(
    ("configuration", "secret", "options"),
    [
        ("", SECRET, {"pushed_requests": "off"}),
        ("CLIENT_AUTH_METHOD = 'client_secret_post'\nACR_VALUES = 'strong'\n", SECRET, {}),
        (
            "CLIENT_AUTH_METHOD = 'private_key_jwt'\nREQUIRE_PAR = True\n",
            CLIENT_JWK,
            {"pushed_requests": "required", "client_jwks": CLIENT_JWKS},
        ),
    ],
)
def test_the_generated_extension_completes_mfa_for_the_right_user(
    configuration: str,
    secret: str,
    options: Any,
    extension: Callable[..., tuple[Extension, Party]],
) -> None:
    served, party = extension(configuration, secret, **options)
    assert served.mfa(party, user="ada") is True


def test_the_generated_extension_completes_mfa_for_nobody_else(
    extension: Callable[..., tuple[Extension, Party]],
) -> None:
    served, party = extension()
    assert served.mfa(party, user="bob") == "wrong_user"
    assert served.mfa(party, decision="deny") == "access_denied"
    for switch, code in [
        ("wrong_user", "wrong_user"),
        ("denies", "access_denied"),
        ("down", "provider_unavailable"),
    ]:
        party.provider.switches = {switch}
        assert served.mfa(party, user="ada") == code
    party.provider.switches.clear()
    assert served.mfa(party, user="ada") is True


# ---- pushed authorization requests ----------------------------------------------------------------


def test_a_pushed_request_is_good_once(party: Party) -> None:
    request_uri = party.push().json()["request_uri"]
    party.follow(request_uri)
    refused_on_page(party.follow(request_uri), "invalid_request_uri")


def test_a_pushed_request_expires(party: Party, clock: Clock) -> None:
    taken = party.push().json()
    clock.ahead = taken["expires_in"]
    refused_on_page(party.follow(taken["request_uri"]), "invalid_request_uri")


@pytest.mark.parametrize(
    "changes", [{"client_id": "another"}, {"request_uri": "https://example.com/request"}]
)
def test_a_reference_is_of_a_pushed_request_and_of_its_client(changes: dict[str, str], party: Party) -> None:
    parameters = {"client_id": CLIENT_ID, "request_uri": party.push().json()["request_uri"], **changes}
    refused_on_page(
        party.get(party.metadata["authorization_endpoint"], params=parameters), "invalid_request_uri"
    )


def test_a_reference_cannot_be_pushed(party: Party) -> None:
    refused(party.push(request_uri=party.push().json()["request_uri"]), "invalid_request")


def test_what_the_browser_says_beside_a_reference_does_not_count(party: Party) -> None:
    page = party.follow(
        party.push(acr_values="strong").json()["request_uri"],
        state="another",
        redirect_uri="https://evil.example/",
        acr_values="weak",
    )
    response = callback(party.answer(page))
    assert response["state"] == party.request["state"]
    assert party.claims(party.exchange(response["code"]))["acr"] == "strong"


def test_where_pushing_is_required_a_plain_request_is_sent_back(start: Callable[..., Party]) -> None:
    party = start(pushed_requests="required")
    assert party.metadata["require_pushed_authorization_requests"] is True
    response = callback(party.visit())
    assert response["error"] == "invalid_request"
    assert (response["state"], response["iss"]) == (party.request["state"], party.provider.issuer)
    assert party.follow(party.push().json()["request_uri"]).status_code == 200


def test_where_pushing_is_off_it_is_not_announced_and_not_there(start: Callable[..., Party]) -> None:
    party = start(pushed_requests="off")
    assert "pushed_authorization_request_endpoint" not in party.metadata
    assert party.post(party.provider.issuer + "/par", party.request, headers=basic()).status_code == 404
    assert party.code()


# ---- authorization requests that are refused ------------------------------------------------------

WRONG_REDIRECT_URIS = [
    None,
    "",
    REDIRECT_URI + "/",
    REDIRECT_URI + "?x=1",
    REDIRECT_URI + "#x",
    REDIRECT_URI.upper(),
    REDIRECT_URI.replace("127.0.0.1:9", "127.0.0.1:10"),
    REDIRECT_URI.replace("127.0.0.1", "127.0.0.1:9@evil.example"),
    REDIRECT_URI.replace("Foo/", "Foo/x/../"),
    "https://evil.example/",
    'javascript:alert("x")//é',
]


@pytest.mark.parametrize("redirect_uri", WRONG_REDIRECT_URIS)
def test_nothing_is_sent_to_a_redirect_uri_that_is_not_the_registered_one(
    redirect_uri: str | None, party: Party
) -> None:
    refused_on_page(party.visit(redirect_uri=redirect_uri), "invalid_request")
    assert "Location" not in party.visit(redirect_uri=redirect_uri, response_type="token").headers
    assert "Location" not in party.visit(redirect_uri=redirect_uri, code_challenge=None).headers
    assert "Location" not in party.visit(redirect_uri=redirect_uri, prompt="none").headers
    refused(party.push(redirect_uri=redirect_uri), "invalid_request")


@pytest.mark.parametrize("client_id", [None, "another"])
def test_nothing_is_sent_anywhere_for_a_client_that_is_not_registered(
    client_id: str | None, party: Party
) -> None:
    refused_on_page(party.visit(client_id=client_id), "invalid_client")
    refused_on_page(party.visit(client_id=client_id, response_type="token"), "invalid_client")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "nonce", "code_challenge"])
def test_a_parameter_that_comes_twice(name: str, party: Party) -> None:
    refused_on_page(party.visit(**{name: [party.request[name], "another"]}), "invalid_request")
    refused(party.push(**{name: [party.request[name], "another"]}), "invalid_request")


WRONG_REQUESTS: list[tuple[dict[str, str | None], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"nonce": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"request": "e30.e30."}, "request_not_supported"),
]


@pytest.mark.parametrize(("changes", "error"), WRONG_REQUESTS)
def test_a_request_that_is_wrong_is_refused(changes: dict[str, str | None], error: str, party: Party) -> None:
    response = callback(party.visit(**changes))
    assert response["error"] == error
    assert (response["state"], response["iss"]) == (party.request["state"], party.provider.issuer)
    assert "code" not in response
    refused(party.push(**changes), error)


def test_an_empty_parameter_is_none(party: Party) -> None:
    assert "user" in Page(party.visit(max_age="", response_mode="", acr_values="")).fields
    assert callback(party.visit(code_challenge_method=""))["error"] == "invalid_request"


def test_characters_that_no_parameter_has(party: Party) -> None:
    assert callback(party.visit(response_type='"'))["error"] == "unsupported_response_type"
    refused_on_page(party.visit(client_id="\x00"), "invalid_client")
    refused_on_page(
        party.get(
            party.metadata["authorization_endpoint"] + "?" + urlencode(party.request) + "&login_hint=%ff"
        ),
        "invalid_request",
    )


def test_a_nonce_that_was_used(party: Party, happened: Happened) -> None:
    pages = party.visit(), party.visit()
    assert "code" in callback(party.answer(pages[0]))
    assert callback(party.answer(pages[1]))["error"] == "invalid_request"
    assert callback(party.visit())["error"] == "invalid_request"
    assert [what for what, _ in happened].count("code_issued") == 1
    assert [what for what, _ in happened].count("refused") == 2


@pytest.mark.parametrize(("prompt", "error"), [("none", "login_required"), ("none login", "invalid_request")])
def test_nobody_is_logged_in_without_being_asked(prompt: str, error: str, party: Party) -> None:
    response = callback(party.visit(prompt=prompt))
    assert (response["error"], response["state"]) == (error, party.request["state"])
    response = callback(party.follow(party.push(prompt=prompt).json()["request_uri"]))
    assert (response["error"], response["iss"]) == (error, party.provider.issuer)


# ---- the login page -------------------------------------------------------------------------------


def test_the_user_name_is_filled_in(party: Party) -> None:
    assert Page(party.visit()).fields["user"] == ""
    party.provider.expected_user = "ada"
    assert Page(party.visit()).fields["user"] == "ada"
    assert Page(party.visit(login_hint='"><b>bob')).fields["user"] == '"><b>bob'


def test_deny(party: Party) -> None:
    response = callback(party.answer(party.visit(), decision="deny"))
    assert response["error"] == "access_denied"
    assert (response["state"], response["iss"]) == (party.request["state"], party.provider.issuer)


def test_the_page_says_what_it_is_for(party: Party) -> None:
    page = Page(party.visit(acr_values="urn:example:strong"))
    assert "Local stand-in for an identity provider" in page.text
    assert "q2-mfa wants to know who you are. It asks for the assurance urn:example:strong ." in page.text


@pytest.mark.parametrize("user", ["", "   ", "x" * 256])
def test_a_user_name_that_cannot_be_is_asked_for_again(user: str, party: Party) -> None:
    again = party.answer(party.visit(), user=user)
    assert again.status_code == 200
    assert "Type a user name" in Page(again).text
    assert "code" in callback(party.answer(again, user="ada"))


def test_a_login_is_answered_once(party: Party) -> None:
    page = party.visit()
    callback(party.answer(page, decision="deny"))
    refused_on_page(party.answer(page), "invalid_request")


def test_a_login_expires(party: Party, clock: Clock) -> None:
    page = party.visit()
    clock.ahead = 3600
    refused_on_page(party.answer(page), "invalid_request")


@pytest.mark.parametrize("fields", [{"ticket": ""}, {"ticket": "guessed"}, {"decision": "perhaps"}])
def test_a_form_that_did_not_come_from_the_page(fields: dict[str, str], party: Party) -> None:
    refused_on_page(party.answer(party.visit(), **fields), "invalid_request")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9", "null"])
def test_another_origin_cannot_send_the_form(origin: str, party: Party) -> None:
    page = party.visit()
    answer = party.answer(page, headers={"Origin": origin})
    assert (answer.status_code, "Location" in answer.headers) == (403, False)
    own = party.provider.issuer
    assert "code" in callback(party.answer(page, headers={"Origin": own}))


def test_the_page_runs_no_script_and_is_framed_on_loopback_only(party: Party) -> None:
    for answer in (party.visit(), party.visit(client_id="another")):
        directives = dict(
            directive.partition(" ")[::2]
            for directive in answer.headers["Content-Security-Policy"].split("; ")
        )
        assert directives == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'self' http://127.0.0.1:9",
            "frame-ancestors": "http://127.0.0.1:* http://localhost:*",
        }
        assert "X-Frame-Options" not in answer.headers
        assert not {"script", "style"} & set(Page(answer).elements)


# ---- codes and tokens -----------------------------------------------------------------------------


def test_a_code_that_comes_again_is_refused_and_what_it_gave_is_revoked(party: Party) -> None:
    code = party.code()
    access_token = party.exchange(code).json()["access_token"]
    assert party.user_info(access_token).status_code == 200
    refused(party.exchange(code), "invalid_grant")
    answer = party.user_info(access_token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_code_expires(party: Party, clock: Clock) -> None:
    code = party.code()
    clock.ahead = 61
    refused(party.exchange(code), "invalid_grant")


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer guessed", "Basic {}", "{}"])
def test_an_access_token_is_a_bearer_token(authorization: str, party: Party) -> None:
    token = party.exchange(party.code()).json()["access_token"]
    endpoint = party.metadata["userinfo_endpoint"]
    answer = party.get(endpoint, headers={"Authorization": authorization.format(token)})
    assert (answer.status_code, answer.content) == (401, b"")
    assert party.user_info(token).status_code == 200


def test_an_access_token_expires(party: Party, clock: Clock) -> None:
    tokens = party.exchange(party.code()).json()
    clock.ahead = tokens["expires_in"]
    assert party.user_info(tokens["access_token"]).status_code == 401


WRONG_EXCHANGES: list[tuple[dict[str, str | None], str]] = [
    ({"code": "guessed"}, "invalid_grant"),
    ({"code": None}, "invalid_request"),
    ({"code_verifier": "x" * 43}, "invalid_grant"),
    ({"code_verifier": "short"}, "invalid_request"),
    ({"code_verifier": None}, "invalid_request"),
    ({"redirect_uri": REDIRECT_URI + "?"}, "invalid_grant"),
    ({"redirect_uri": None}, "invalid_grant"),
    ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
    ({"grant_type": None}, "unsupported_grant_type"),
    ({"client_id": "another"}, "invalid_client"),
]


@pytest.mark.parametrize(("changes", "error"), WRONG_EXCHANGES)
def test_an_exchange_that_is_wrong_is_refused(
    changes: dict[str, str | None], error: str, party: Party
) -> None:
    code = party.code()
    answer = party.exchange(**{"code": code, **changes})
    refused(answer, error)
    assert not {"id_token", "access_token"} & answer.json().keys()


@pytest.mark.parametrize("changes", [{"code_verifier": "x" * 43}, {"redirect_uri": "https://evil.example/"}])
def test_whoever_presents_a_code_wrongly_has_spent_it(changes: dict[str, str], party: Party) -> None:
    code = party.code()
    refused(party.exchange(code, **changes), "invalid_grant")
    refused(party.exchange(code), "invalid_grant")


def test_the_verifier_is_that_of_the_code_and_not_of_another(party: Party) -> None:
    first = party.code()
    party.renew()
    party.code()
    refused(party.exchange(first), "invalid_grant")


def test_a_back_channel_takes_forms_only(party: Party) -> None:
    code, endpoint = party.code(), party.metadata["token_endpoint"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": party.verifier,
    }
    refused(
        requests.post(endpoint, json=form, headers=basic(), timeout=20),
        "invalid_request",
    )
    refused(requests.post(endpoint, params=form, headers=basic(), timeout=20), "invalid_request")
    refused(
        requests.post(
            endpoint, files={name: (None, value) for name, value in form.items()}, headers=basic(), timeout=20
        ),
        "invalid_request",
    )
    refused(party.exchange(code, nonsense=["a", "b"]), "invalid_request")
    assert party.get(endpoint, params=form, headers=basic()).status_code == 405
    assert party.exchange(code).status_code == 200


# ---- client authentication ------------------------------------------------------------------------

UNENCODED = {"Authorization": "Basic " + base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()}

WRONG_CREDENTIALS: list[dict[str, Any]] = [
    {"headers": {}},
    {"headers": {}, "client_id": CLIENT_ID},
    {"headers": basic(secret="wrong")},
    {"headers": basic(secret="")},
    {"headers": basic(identifier="another")},
    {"headers": UNENCODED},
    {"headers": {"Authorization": "Basic ###"}},
    {"headers": {"Authorization": "Basic " + base64.b64encode(b"\xff\xff").decode()}},
    {"headers": {"Authorization": basic()["Authorization"].replace("Basic", "Bearer")}},
    {"headers": {}, "client_id": CLIENT_ID, "client_secret": "wrong"},
]


@pytest.mark.parametrize("credentials", WRONG_CREDENTIALS)
def test_a_client_that_does_not_authenticate(credentials: dict[str, Any], party: Party) -> None:
    code = party.code()
    for answer in (party.push(**credentials), party.exchange(code, **credentials)):
        refused(answer, "invalid_client", 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert party.exchange(code).status_code == 200  # what a stranger does to a code costs its owner nothing


def test_a_client_that_is_not_registered(party: Party) -> None:
    refused(party.push(headers={}, client_id="another", client_secret=SECRET), "invalid_client")


def test_one_client_authenticates_in_one_way(party: Party) -> None:
    for answer in (party.push(client_secret=SECRET), party.exchange(party.code(), client_secret=SECRET)):
        refused(answer, "invalid_request")


def test_an_assertion_is_good_once(start: Callable[..., Party]) -> None:
    party = start(client_jwks=CLIENT_JWKS)
    assertion = party.assertion(aud=party.metadata["token_endpoint"])
    assert party.push(headers={}, **assertion).status_code == 201
    refused(party.push(headers={}, **assertion), "invalid_client")


PUBLIC_PEM = CLIENT_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def by_hand(header: Any, claims: Any, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


WRONG_ASSERTIONS: list[Callable[[Party], dict[str, str]]] = [
    lambda party: party.assertion(aud="https://another.example"),
    lambda party: party.assertion(aud=None),
    lambda party: party.assertion(exp=int(time.time()) - 300),
    lambda party: party.assertion(exp=None),
    lambda party: party.assertion(jti=None),
    lambda party: party.assertion(iss="another"),
    lambda party: party.assertion(sub="another"),
    lambda party: party.assertion(sub=None),
    lambda party: party.assertion(rsa.generate_private_key(65537, 2048)),
    lambda party: forged(party, {"alg": "none"}),
    lambda party: forged(party, {"alg": "HS256"}),
    lambda party: forged(party, {"alg": 'a"b'}),
    lambda party: forged(party, []),
    lambda party: {"client_assertion_type": JWT_BEARER, "client_assertion": "nonsense"},
    lambda party: {**party.assertion(), "client_assertion_type": "another"},
]


def forged(party: Party, header: Any) -> dict[str, str]:
    """A right assertion's claims under *header*, signed with what everybody knows."""
    right = party.assertion()
    claims = jwt.decode(right["client_assertion"], options={"verify_signature": False})
    unsigned = by_hand(header, claims)
    signature = hashlib.sha256(PUBLIC_PEM + unsigned.encode()).digest()
    return {**right, "client_assertion": by_hand(header, claims, signature)}


@pytest.mark.parametrize("wrong", WRONG_ASSERTIONS)
def test_an_assertion_that_is_wrong(
    wrong: Callable[[Party], dict[str, str]], start: Callable[..., Party]
) -> None:
    party = start(client_jwks=CLIENT_JWKS)
    answer = party.push(headers={}, **wrong(party))
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == "invalid_client"


def test_without_the_keys_of_the_client_it_cannot_authenticate_by_one(party: Party) -> None:
    assert "private_key_jwt" not in party.metadata["token_endpoint_auth_methods_supported"]
    refused(party.push(headers={}, **party.assertion()), "invalid_client", 401)


VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["code", "openid", REDIRECT_URI, CLIENT_ID, "authorization_code", JWT_BEARER, "e30.e30.", "S256"]
    ),
)
NAMES = st.sampled_from(
    [
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
        *(
            "max_age",
            "code_challenge",
            "code_challenge_method",
            "request_uri",
            "grant_type",
            "code",
            "ticket",
        ),
        *("code_verifier", "client_secret", "client_assertion", "client_assertion_type", "decision", "user"),
    ]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(NAMES, st.one_of(st.none(), VALUES), max_size=4), authenticated=st.booleans())
def test_whatever_it_is_sent_it_answers(changes: Any, authenticated: bool, patient: Party) -> None:
    headers = basic() if authenticated else {}
    for answer in (
        patient.visit(**changes),
        patient.push(headers=headers, **changes),
        patient.exchange(**{"code": "x", **changes}, headers=headers),
        patient.post(patient.provider.issuer + "/login", without_none(changes)),
        patient.get(patient.metadata["userinfo_endpoint"], headers=headers),
    ):
        assert answer.status_code < 500, answer.text


@pytest.fixture
def patient(start: Callable[..., Party]) -> Party:
    return start(client_jwks=CLIENT_JWKS)


# ---- what goes wrong on request -------------------------------------------------------------------


def test_switched_to_deny(party: Party) -> None:
    party.provider.switches.add("denies")
    response = callback(party.answer(party.visit()))
    assert (response["error"], response["state"]) == ("access_denied", party.request["state"])
    party.provider.switches.clear()
    assert party.code()


def test_switched_to_the_wrong_user(party: Party) -> None:
    party.provider.switches.add("wrong_user")
    tokens = party.exchange(party.code())
    assert party.claims(tokens)["sub"] == "not-ada"
    assert party.user_info(tokens.json()["access_token"]).json() == {"sub": "not-ada"}


def test_switched_down(party: Party) -> None:
    code = party.code()
    party.provider.switches.add("down")
    party.renew()
    answers = [
        party.get(party.provider.issuer + "/.well-known/openid-configuration"),
        party.get(party.metadata["jwks_uri"]),
        party.visit(),
        party.push(),
        party.exchange(code),
    ]
    assert [answer.status_code for answer in answers] == [503] * 5
    party.provider.switches.clear()
    assert party.visit().status_code == 200


def test_switched_slow(party: Party, happened: Happened) -> None:
    party.provider.switches.add("slow")
    party.provider.slow_seconds = 600
    happened.clear()
    with pytest.raises(requests.Timeout):
        requests.post(
            party.metadata["pushed_authorization_request_endpoint"],
            data=party.request,
            headers=basic(),
            timeout=0.5,
        )
    party.provider.slow_seconds = 0.01
    assert party.push().status_code == 201
    assert [what for what, _ in happened] == ["slowed", "slowed", "pushed"]


# ---- what it tells, and to whom -------------------------------------------------------------------


def test_it_tells_what_happened_and_no_secret(
    start: Callable[..., Party],
    happened: Happened,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    party = start(client_jwks=CLIENT_JWKS)
    assertion = party.assertion()
    request_uri = party.push(headers={}, **assertion).json()["request_uri"]
    page = party.follow(request_uri)
    code = callback(party.answer(page))["code"]
    tokens = party.exchange(code, headers={}, client_id=CLIENT_ID, client_secret=SECRET)
    party.claims(tokens)
    party.user_info(tokens.json()["access_token"])
    party.exchange(code)
    party.renew()
    callback(party.answer(party.visit(), decision="deny"))
    party.visit(redirect_uri="https://evil.example/")

    told = dict(reversed(happened))  # of each its first
    assert [what for what, _ in happened] == [
        *("metadata", "pushed", "login_shown", "approved", "code_issued", "code_exchanged", "jwks"),
        *("userinfo", "refused", "login_shown", "denied", "refused"),
    ]
    assert told["pushed"]["client_authentication"] == "private_key_jwt"
    assert told["pushed"]["request"]["redirect_uri"] == REDIRECT_URI
    assert told["login_shown"]["pushed"] is True
    assert "client_assertion" not in told["login_shown"]["request"]
    assert told["approved"] == {"user": "ada", "typed": "ada"}
    assert told["code_issued"]["response"] == {"code": "***", "state": "***", "iss": party.provider.issuer}
    assert told["code_exchanged"]["claims"]["sub"] == "ada"
    assert told["denied"] == {"by": "the user"}
    assert told["refused"] == {
        "endpoint": "token",
        "error": "invalid_grant",
        "error_description": "The 'code' was used before; what it gave is revoked.",
        "request": {
            "grant_type": "authorization_code",
            "redirect_uri": REDIRECT_URI,
            **dict.fromkeys(("code", "code_verifier"), "***"),
        },
    }
    seen = json.dumps(happened) + "".join(
        line
        for line in caplog.text.splitlines()
        if "urllib3" not in line  # the client's own
    )
    for secret in [
        *(SECRET, assertion["client_assertion"], request_uri, Page(page).fields["ticket"], code),
        *(tokens.json()["access_token"], tokens.json()["id_token"], party.verifier),
        *(party.request["state"], party.request["nonce"]),
    ]:
        assert secret not in seen


def test_what_has_expired_is_forgotten(clock: Clock) -> None:
    class Secret: ...

    kept: Expiring[Secret] = Expiring(clock)
    secret = Secret()
    forgotten = weakref.ref(secret)
    kept.keep("old", secret, 60)
    del secret
    clock.ahead = 60
    kept.keep("new", Secret(), 60)
    assert forgotten() is None


PATHS = [
    *("/.well-known/openid-configuration", "/jwks", "/par", "/authorize", "/login", "/token", "/userinfo"),
    "/idp.css",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_host_that_is_not_its_own_is_not_served(path: str, party: Party) -> None:
    port = urlsplit(party.provider.issuer).port
    for host in ("evil.example", f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
        for answer in (
            party.get(party.provider.issuer + path, headers={"Host": host}),
            party.post(party.provider.issuer + path, party.request, headers={"Host": host, **basic()}),
        ):
            assert answer.status_code == 421


def test_nothing_of_it_is_kept(party: Party) -> None:
    page = party.visit()
    code = callback(party.answer(page))["code"]
    answers = [
        *(party.get(party.metadata[name]) for name in ("jwks_uri", "userinfo_endpoint")),
        *(page, party.push(), party.exchange(code), party.exchange(code)),
        party.get(party.provider.issuer + "/.well-known/openid-configuration"),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Etag" not in answer.headers


@pytest.mark.parametrize(
    ("issuer", "redirect_uri"),
    [
        ("http://idp.example", REDIRECT_URI),
        ("http://127.0.0.1.evil.example:80", REDIRECT_URI),
        ("https://127.0.0.1:8443", REDIRECT_URI),
        ("http://127.0.0.1:8080/", REDIRECT_URI),
        ("http://127.0.0.1:8080?x", REDIRECT_URI),
        ("http://127.0.0.1:8080", "/verify.html"),
        ("http://127.0.0.1:8080", "http:verify.html"),
        ("http://127.0.0.1:8080", "javascript://x/"),
        ("http://127.0.0.1:8080", REDIRECT_URI + "#fragment"),
    ],
)
def test_what_it_is_not_started_with(issuer: str, redirect_uri: str) -> None:
    with pytest.raises(ValueError, match=r"issuer|redirect URI"):
        IdentityProvider(issuer, client_id=CLIENT_ID, client_secret=SECRET, redirect_uri=redirect_uri)
