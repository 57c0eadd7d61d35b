"""An OpenID provider on real sockets with real keys: honest until it is told a lie to tell.

It runs in a thread of the tests and is read and steered as an object: `provider.lie = Lie(...)`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import json
import secrets
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote_plus, urlencode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

Json: TypeAlias = Any
Claims: TypeAlias = dict[str, Any]
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CLIENT_ID = "q2-mfa"
CLIENT_SECRET = "a secret of the tests with / + and % in it"
USER = "ada"
BIG = 20_000_000


class Key:
    """A signing key and how a provider announces it."""

    def __init__(self, kid: str, private: PrivateKey) -> None:
        self.kid, self.private = kid, private
        self.alg = "RS256" if isinstance(private, rsa.RSAPrivateKey) else "ES256"

    @property
    def jwk(self) -> Json:
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            values = RSAAlgorithm.to_jwk(public, as_dict=True)
        else:
            values = ECAlgorithm.to_jwk(public, as_dict=True)
        values.pop("key_ops", None)
        return {**values, "kid": self.kid, "use": "sig", "alg": self.alg}

    @property
    def pem(self) -> bytes:
        """The public key as text: what the classic HS256 confusion takes for a shared secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, claims: Json, **header: Any) -> str:
        """A JWS by this key. A header given as None is left out."""
        all_headers = {"typ": "JWT", "kid": self.kid, "alg": self.alg, **header}
        return signed(
            {name: value for name, value in all_headers.items() if value is not None}, claims, self.signature
        )

    def signature(self, signing_input: bytes) -> bytes:
        return jwt.get_algorithm_by_name(self.alg).sign(signing_input, self.private)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Json, claims: Json, signature: Callable[[bytes], bytes]) -> str:
    """A JWS made by hand: a library would refuse most of what a hostile provider writes."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signing_input = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}".encode()
    return f"{signing_input.decode()}.{base64url(signature(signing_input))}"


class Raw:
    """An answer that is not simply JSON: writes itself to the connection."""

    def __init__(self, write: Callable[[RequestHandler], Awaitable[None]]) -> None:
        self.write = write


def honest(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Lie:
    """What is wrong, as a change to the right answer of one place or another."""

    metadata: Callable[[Json], Json | Raw] = honest
    keys: Callable[[list[Json]], Json | Raw] = honest
    pushed: Callable[[Json], Json | Raw] = honest
    callback: Callable[[dict[str, str]], dict[str, str]] = honest
    claims: Callable[[Claims], Json] = honest
    sign: Callable[[HostileProvider, Json], Json] = lambda provider, claims: provider.key.sign(claims)
    token: Callable[[Json], Json | Raw] = honest


HONEST = Lie()


class HostileProvider:
    """The provider's state, shared by its handlers and the tests.

    :param port: where it listens on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = Key("first", rsa.generate_private_key(65537, 2048))
        self.other_key = Key("second", rsa.generate_private_key(65537, 2048))
        self.ec_key = Key("elliptic", ec.generate_private_key(ec.SECP256R1()))
        self.start_over()

    def start_over(self, lie: Lie = HONEST) -> None:
        """Forget everything but the keys, and tell *lie* from now on."""
        self.lie = lie
        self.user = USER
        self.announced: list[Key] = [self.key]
        self.asked: list[str] = []
        self.secrets: set[str] = {CLIENT_SECRET}
        self.pushed: dict[str, dict[str, str]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.elsewhere: Json = None

    def secret(self, *values: str) -> None:
        """Remember what may stand in no log and no answer."""
        self.secrets.update(value for value in values if value)

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
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }

    def push(self, request: dict[str, str]) -> Json:
        reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe()}"
        self.pushed[reference] = request
        self.secret(reference)
        return {"request_uri": reference, "expires_in": 60}

    def authorize(self, query: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Log the user in without asking; the redirect URI and the parameters for it."""
        request = self.pushed.pop(query["request_uri"]) if "request_uri" in query else query
        code = secrets.token_urlsafe()
        self.codes[code] = request
        self.secret(code, request["state"], request["nonce"])
        answer = {"code": code, "state": request["state"], "iss": self.issuer}
        return request["redirect_uri"], self.lie.callback(answer)

    def exchange(self, form: dict[str, str]) -> Json:
        """An answer of the token endpoint to a request that is right in everything, else HTTPError."""
        request = self.codes.pop(form.get("code", ""), None)
        self.secret(form.get("code_verifier", ""), form.get("client_assertion", ""))
        if request is None:
            raise HTTPError(400, "no such code")
        challenge = base64url(hashlib.sha256(form["code_verifier"].encode()).digest())
        if challenge != request["code_challenge"] or form["redirect_uri"] != request["redirect_uri"]:
            raise HTTPError(400, "another request's code")
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.user,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": request["nonce"],
        }
        if request.get("acr_values"):
            claims["acr"] = request["acr_values"].split()[0]
        answer = {
            "access_token": secrets.token_urlsafe(),
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self.lie.sign(self, self.lie.claims(claims)),
        }
        self.secret(answer["access_token"], str(answer["id_token"]))
        return answer


class _Endpoint(RequestHandler):
    def initialize(self, provider: HostileProvider) -> None:
        self.provider = provider

    def prepare(self) -> None:
        self.provider.asked.append(f"{self.request.method} {self.request.path}")

    def log_exception(self, *_: Any) -> None:
        """Say nothing: what this provider refuses is the tests' affair."""

    @property
    def form(self) -> dict[str, str]:
        return {name: self.get_argument(name, strip=False) for name in self.request.arguments}

    def authenticate(self) -> None:
        """RFC 6749 2.3.1: client_secret_basic, both halves form-encoded."""
        _, _, encoded = self.request.headers.get("Authorization", "").partition(" ")
        self.provider.secret(encoded)
        user, _, password = base64.b64decode(encoded).decode().partition(":")
        if (unquote_plus(user), unquote_plus(password)) != (CLIENT_ID, CLIENT_SECRET):
            raise HTTPError(401)

    async def send(self, answer: Json | Raw, status: int = 200) -> None:
        self.set_status(status)
        if isinstance(answer, Raw):
            await answer.write(self)
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(answer if isinstance(answer, str) else json.dumps(answer))


class _Metadata(_Endpoint):
    async def get(self) -> None:
        await self.send(self.provider.lie.metadata(self.provider.metadata()))


class _Keys(_Endpoint):
    async def get(self) -> None:
        await self.send(self.provider.lie.keys({"keys": [key.jwk for key in self.provider.announced]}))


class _Pushed(_Endpoint):
    async def post(self) -> None:
        self.authenticate()
        await self.send(self.provider.lie.pushed(self.provider.push(self.form)), 201)


class _Authorize(_Endpoint):
    def get(self) -> None:
        redirect_uri, parameters = self.provider.authorize(self.form)
        self.redirect(f"{redirect_uri}?{urlencode(parameters)}")


class _Token(_Endpoint):
    async def post(self) -> None:
        self.authenticate()
        try:
            answer = self.provider.exchange(self.form)
        except HTTPError:
            await self.send({"error": "invalid_grant"}, 400)
        else:
            await self.send(self.provider.lie.token(answer))


class _Elsewhere(_Endpoint):
    """Where a redirect of this provider leads: an honest answer, from a place that nobody configured."""

    async def get(self) -> None:
        await self.send(self.provider.elsewhere)

    post = get


# ---- answers that are wrong as HTTP -------------------------------------------------------------


def status(code: int, body: Json = "Internal Server Error") -> Raw:
    async def write(handler: RequestHandler) -> None:
        handler.set_status(code)
        handler.finish(body if isinstance(body, str) else json.dumps(body))

    return Raw(write)


def body(content: bytes, content_type: str = "application/json", **headers: str) -> Raw:
    async def write(handler: RequestHandler) -> None:
        handler.set_header("Content-Type", content_type)
        for name, value in headers.items():
            handler.set_header(name.replace("_", "-"), value)
        with contextlib.suppress(StreamClosedError):
            await handler.finish(content)

    return Raw(write)


def big(answer: Json) -> Raw:
    """*answer*, right as it is, in 20 MB."""
    return body(json.dumps(answer).encode() + b" " * BIG)


def bomb(answer: Json) -> Raw:
    """*answer* as 20 KB that unpack to 20 MB."""
    return body(gzip.compress(json.dumps(answer).encode() + b" " * BIG), Content_Encoding="gzip")


def redirect(answer: Json, code: int = 307) -> Raw:
    """Send whoever asks, with what they posted, to another path that answers *answer*."""

    async def write(handler: RequestHandler) -> None:
        handler.application.settings["provider"].elsewhere = answer
        handler.redirect("/elsewhere", status=code)

    return Raw(write)


def slow(answer: Json) -> Raw:
    """*answer* a byte at a time, for as long as somebody listens."""

    async def write(handler: RequestHandler) -> None:
        handler.set_header("Content-Type", "application/json")
        handler.set_header("Content-Length", str(BIG))
        with contextlib.suppress(StreamClosedError):
            while True:
                handler.write(" ")
                await handler.flush()
                await asyncio.sleep(0.05)

    return Raw(write)


def silence(answer: Json) -> Raw:
    """Take the request and never answer."""

    async def write(handler: RequestHandler) -> None:
        gone = asyncio.Event()
        handler.request.connection.set_close_callback(gone.set)  # type: ignore[attr-defined]
        await gone.wait()

    return Raw(write)


def reset(answer: Json) -> Raw:
    """End the connection as a crash does: RST instead of an answer."""

    async def write(handler: RequestHandler) -> None:
        stream = handler.detach()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    return Raw(write)


def cut(answer: Json) -> Raw:
    """Promise more than is sent."""

    async def write(handler: RequestHandler) -> None:
        stream = handler.detach()
        await stream.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"id_token"')
        stream.close()

    return Raw(write)


@contextlib.contextmanager
def running() -> Iterator[HostileProvider]:
    """Start the provider on a free port of 127.0.0.1, in a thread that ends with the block."""
    sockets = bind_sockets(0, "127.0.0.1")
    provider = HostileProvider(sockets[0].getsockname()[1])
    given = {"provider": provider}
    routes = [
        (r"/\.well-known/openid-configuration", _Metadata, given),
        (r"/keys", _Keys, given),
        (r"/pushed", _Pushed, given),
        (r"/authorize", _Authorize, given),
        (r"/token", _Token, given),
        (r"/elsewhere", _Elsewhere, given),
    ]
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        server = HTTPServer(Application(routes, provider=provider, log_function=lambda _: None))
        server.add_sockets(sockets)
        ended = asyncio.Event()
        loops.append((asyncio.get_running_loop(), ended))
        ready.set()
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield provider
    finally:
        loop, ended = loops[0]
        loop.call_soon_threadsafe(ended.set)
        thread.join(timeout=10)
