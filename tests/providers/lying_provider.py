"""A provider on loopback whose metadata and answers a test chooses: over real sockets, with TLS or without."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

METADATA_PATH = "/.well-known/openid-configuration"
REDIRECT_URI = "https://assets.bank.example/verify.html"
LOGIN = b'<form><input type="password" name="p"></form>'
KEY: dict[str, Any] = jwt.get_algorithm_by_name("ES256").to_jwk(
    ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True
)
KEYS = {"keys": [{**{name: KEY[name] for name in ("kty", "crv", "x", "y")}, "kid": "1", "use": "sig"}]}


class LyingProvider(ThreadingHTTPServer):
    """A provider on loopback. A test changes what it announces and answers.

    :param tls: the server's certificate and protocol; None for http.
    :ivar answers: status, headers and body by path. :ivar writers: what writes the body of a path, if it has no end yet.
    :ivar asked: path, header Authorization and form of each request.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
            self.issuer = f"https://localhost:{self.server_port}"
        self.asked: list[tuple[str, str, str]] = []
        self.discovery_headers: dict[str, str] = {}
        self.writers: dict[str, Callable[[Callable[[bytes], Any]], None]] = {}
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "pushed_authorization_request_endpoint": f"{self.issuer}/par",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": ["auth_time"],
            "subject_types_supported": ["public"],
        }
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {
            "/jwks": (200, {}, json.dumps(KEYS).encode()),
            "/par": (201, {}, b'{"request_uri": "urn:example:1", "expires_in": 60}'),
            "/token": (400, {}, b'{"error": "invalid_grant"}'),
            "/authorize": (302, {"Location": "/login"}, b""),
            "/login": (200, {"Content-Type": "text/html"}, LOGIN),
        }


class Handler(BaseHTTPRequestHandler):
    server: LyingProvider

    def do_GET(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = urlsplit(self.path).path
        self.server.asked.append((self.path, self.headers.get("Authorization", ""), form))
        default = (200, self.server.discovery_headers, json.dumps(self.server.metadata).encode())
        status, headers, body = self.server.answers.get(path, default)
        if "Date" in headers:
            self.send_response_only(status)
        else:
            self.send_response(status)
        length = {} if path in self.server.writers else {"Content-Length": str(len(body))}
        for name, value in {**headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may close the connection early
            self.wfile.write(body)
            if path in self.server.writers:
                self.server.writers[path](self.wfile.write)

    do_POST = do_GET

    def log_message(self, *message: Any) -> None:
        """Log nothing."""


@contextlib.contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[LyingProvider]:
    with LyingProvider(tls) as provider:
        thread = threading.Thread(target=provider.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield provider
        provider.shutdown()
        thread.join()
