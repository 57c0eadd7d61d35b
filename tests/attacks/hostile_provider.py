"""OpenID providers on real sockets with real keys. Each is honest until a test gives it a lie.

They run in a thread of the tests, under paths of one address. A test controls them as objects:
``provider.lie = Lie(…)``, ``provider.asked``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote_plus, unquote_plus, urlencode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from attacks.malformed_answers import Raw
from attacks.served_extension import CLIENT_ID, CLIENT_SECRET

Json: TypeAlias = Any
Change: TypeAlias = Callable[[Json], Json]
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

USER = "ada"
EMAIL = "ada@bank.example"
ELSEWHERE = "to where an answer led"


@dataclass(frozen=True)
class Key:
    """A signing key, and how a provider announces it."""

    kid: str
    alg: str
    private: PrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        values = jwt.get_algorithm_by_name(self.alg).to_jwk(self.private.public_key(), as_dict=True)
        values.pop("key_ops", None)
        return {**values, "kid": self.kid, "use": "sig", "alg": self.alg}

    @property
    def pem(self) -> bytes:
        """The public key as text: the shared secret of the classic HS256 confusion."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, claims: Json, **header: Any) -> str:
        """A JWS by this key. A header given as None is left out."""
        given = {"typ": "JWT", "kid": self.kid, "alg": self.alg, **header}
        named = {name: value for name, value in given.items() if value is not None}
        return signed(named, claims, self.signature)

    def signature(self, signing_input: bytes) -> bytes:
        return jwt.get_algorithm_by_name(self.alg).sign(signing_input, self.private)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Json, claims: Json, signature: Callable[[bytes], bytes]) -> str:
    """A JWS made by hand: a library would refuse most of what a hostile provider writes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signing_input = ".".join(map(base64url, parts))
    return f"{signing_input}.{base64url(signature(signing_input.encode()))}"


_RSA = rsa.generate_private_key(65537, 2048)
ANOTHER_KEY = Key("another", "RS256", rsa.generate_private_key(65537, 2048))


def honest(answer: Json) -> Json:
    return answer


def _sign(provider: HostileProvider, claims: Json) -> Json:
    return provider.key.sign(claims)


@dataclass(frozen=True)
class Lie:
    """Changes to the right answers of a provider.

    :param lax: take any code, as often as it comes, with any verifier.
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


class HostileProvider:
    """One provider's state, shared by its handlers and the tests.

    :ivar asked: the requests to it, as `POST /token`.
    :ivar secrets: the secrets that it gave out or received. None may be in a log.
    :ivar id_token: the last one that it gave out.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.lie = HONEST
        self.key = Key("first", "RS256", _RSA)
        self.asked: list[str] = []
        self.secrets: set[str] = {CLIENT_SECRET, quote_plus(CLIENT_SECRET)}
        self.id_token: Json = None
        self._pushed: dict[str, dict[str, str]] = {}
        self._codes: dict[str, dict[str, str]] = {}

    def change_keys(self, key: Key | None = None) -> None:
        """Sign by *key* from now on, or by the same key under a new `kid`."""
        self.key = key or Key(secrets.token_hex(4), "RS256", _RSA)

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
            # A client that lets the provider choose the algorithm lets it choose none.
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
        self._hide(reference, request["state"], request["nonce"])
        return {"request_uri": reference, "expires_in": 60}

    def authorize(self, query: dict[str, str]) -> tuple[str, Any]:
        """Log the user in. Returns the redirect URI and its parameters."""
        request = self._pushed.pop(query["request_uri"]) if "request_uri" in query else query
        code = secrets.token_urlsafe()
        self._codes[code] = request
        self._hide(code, request["state"], request["nonce"])
        answer = {"code": code, "state": request["state"], "iss": self.issuer}
        return request["redirect_uri"], self.lie.authorized(answer)

    def exchange(self, form: dict[str, str]) -> Json:
        """Answer a token request.

        :raises HTTPError: something is wrong with the request.
        """
        self._hide(form.get("code_verifier", ""))
        request = self._codes.get(form.get("code", ""))
        if request is None:
            raise HTTPError(400, "no such code")
        if not self.lie.lax:
            del self._codes[form["code"]]
            challenge = base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
            right = ("authorization_code", request["code_challenge"], request["redirect_uri"])
            if (form["grant_type"], challenge, form["redirect_uri"]) != right:
                raise HTTPError(400, "another request's code")
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
        """Check the client secret. Only the certified provider checks an assertion."""
        encoded = header.removeprefix("Basic ")
        self._hide(encoded, form.get("client_assertion", ""))
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        in_form = (form.get("client_id"), form.get("client_secret"))
        pairs = [(unquote_plus(user), unquote_plus(password)), in_form]
        if (CLIENT_ID, CLIENT_SECRET) not in pairs and "client_assertion" not in form:
            raise HTTPError(401)

    def _claims(self, request: dict[str, str]) -> Json:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": USER,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": request["nonce"],
            "email": EMAIL,
            "email_verified": True,
            **({"acr": request["acr_values"].split()[0]} if "acr_values" in request else {}),
        }

    def _hide(self, *values: str) -> None:
        self.secrets.update(value for value in values if len(value) > 20)


class HostileProviders:
    """Independent providers under paths of one address."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.by_name: dict[str, HostileProvider] = {}
        self._numbers = itertools.count()  # threads take one each

    def new(self) -> HostileProvider:
        name = f"p{next(self._numbers)}"
        self.by_name[name] = HostileProvider(f"{self.origin}/{name}")
        return self.by_name[name]


class _Endpoint(RequestHandler):
    def initialize(self, providers: HostileProviders) -> None:
        self.providers = providers

    def prepare(self) -> None:
        name = self.path_args.pop(0) or ""
        self.provider = self.providers.by_name[name]
        self.provider.asked.append(f"{self.request.method} {self.request.path.removeprefix(f'/{name}')}")

    def log_exception(self, *_: Any) -> None:
        """Log nothing: the tests read what the provider refuses."""

    @property
    def form(self) -> dict[str, str]:
        return {name: self.get_argument(name, strip=False) for name in self.request.arguments}

    async def send(self, answer: Json | Raw, status: int = 200) -> None:
        self.set_status(status)
        if isinstance(answer, Raw):
            await answer.write(self)
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(answer))


class _Metadata(_Endpoint):
    async def get(self) -> None:
        await self.send(self.provider.lie.metadata(self.provider.metadata()))


class _Keys(_Endpoint):
    async def get(self) -> None:
        await self.send(self.provider.lie.keys({"keys": [self.provider.key.jwk]}))


class _Pushed(_Endpoint):
    async def post(self) -> None:
        self.provider.authenticate(self.request.headers.get("Authorization", ""), self.form)
        await self.send(self.provider.lie.pushed(self.provider.push(self.form)), 201)


class _Authorize(_Endpoint):
    def get(self) -> None:
        redirect_uri, parameters = self.provider.authorize(self.form)
        self.redirect(f"{redirect_uri}?{urlencode(parameters, doseq=True)}")


class _Token(_Endpoint):
    async def post(self) -> None:
        self.provider.authenticate(self.request.headers.get("Authorization", ""), self.form)
        try:
            answer = self.provider.exchange(self.form)
        except HTTPError:
            await self.send({"error": "invalid_grant"}, 400)
        else:
            await self.send(self.provider.lie.token(answer))


class _Elsewhere(RequestHandler):
    """The target of a redirect or of a `jku`. It cannot tell whose request it is, so every provider records it."""

    def initialize(self, providers: HostileProviders) -> None:
        self.providers = providers

    def get(self) -> None:
        for provider in self.providers.by_name.values():
            provider.asked.append(ELSEWHERE)
        self.finish(json.dumps(self.application.settings["elsewhere"]))

    post = get


@contextlib.contextmanager
def running() -> Iterator[HostileProviders]:
    """Serve providers on a free port of 127.0.0.1 until the block ends."""
    sockets = bind_sockets(0, "127.0.0.1")
    providers = HostileProviders(f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
    given = {"providers": providers}
    routes: list[Any] = [
        (r"/(\w+)/\.well-known/openid-configuration", _Metadata, given),
        (r"/(\w+)/keys", _Keys, given),
        (r"/(\w+)/pushed", _Pushed, given),
        (r"/(\w+)/authorize", _Authorize, given),
        (r"/(\w+)/token", _Token, given),
        (r"/elsewhere", _Elsewhere, given),
    ]
    application = Application(routes, elsewhere={}, log_function=lambda _: None)
    ready = threading.Event()
    end: list[Callable[[], object]] = []

    async def serve() -> None:
        server = HTTPServer(application)
        server.add_sockets(sockets)
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        end.append(lambda: loop.call_soon_threadsafe(ended.set))
        ready.set()
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield providers
    finally:
        end[0]()
        thread.join(timeout=10)
