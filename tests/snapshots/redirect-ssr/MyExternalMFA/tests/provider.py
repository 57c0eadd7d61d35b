"""An identity provider in memory, and the parts of the platform that `oidc.py` uses.

The provider is honest until a test changes one of its values.
"""

import base64
import hashlib
import json
import logging
import re
import time
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://login.bank.example/realms/bank"
CLIENT_ID = "q2-mfa"
CLIENT_SECRET = "p@ss: word/+%"
USER = "ada"
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
OTHER_KEY = rsa.generate_private_key(65537, 2048)


def jwk(algorithm, key, **members):
    """A key as JWK; a member that is None is left out."""
    members = {**jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True), **members}
    return {name: value for name, value in members.items() if value is not None}


def public_jwk(algorithm, kid, **members):
    return jwk(algorithm, KEYS[algorithm].public_key(), **{"kid": kid, "use": "sig", **members})


class Cache:
    """A cache with the rules of pymemcache. Whether `add` shares keys with `set` is unknown."""

    def __init__(self):
        self.values, self.added, self.seconds = {}, {}, {}

    def get(self, key, default=None):
        return self.values.get(self.checked(key, self.added), default)

    def set(self, key, value, expire=0):
        assert type(value) in (str, int, list, dict)
        self.values[self.checked(key, self.added)] = json.loads(json.dumps(value, allow_nan=False))
        self.seconds[key] = expire

    def delete(self, key):
        self.values.pop(self.checked(key, self.added), None)

    def add(self, key, value, expire=0, noreply=None):
        assert type(value) is str
        is_first = self.checked(key, self.values) not in self.added
        self.added.setdefault(key, value)
        self.seconds[key] = expire
        return is_first if noreply is False else True

    def checked(self, key, others):
        assert re.fullmatch("[!-~]{1,200}", key) and key not in others
        return key


class BrokenCache(Cache):
    """A cache whose method `broken` fails."""

    def __init__(self, broken):
        super().__init__()

        def fail(*_, **__):
            raise ConnectionRefusedError("10.0.0.1")

        setattr(self, broken, fail)


class Provider:
    """`requests` lists what was asked. Tests change the other attributes."""

    def __init__(self):
        self.requests = []
        self.metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
            ],
        }
        self.keys = [public_jwk("RS256", "first")]
        self.pushed = {"request_uri": "urn:example:pushed", "expires_in": 90}
        self.algorithm = "RS256"
        self.header = {"kid": "first"}
        self.claims = {}
        self.signing_key = KEYS["RS256"]
        self.answer = {}
        self.respond = None

    def with_par(self):
        self.metadata["pushed_authorization_request_endpoint"] = f"{ISSUER}/par"
        return self

    def signing_with(self, algorithm, *keys):
        """Sign with this algorithm from now on, and publish these keys."""
        self.algorithm, self.keys = algorithm, list(keys)
        self.signing_key = KEYS[algorithm.replace("PS", "RS")]
        return self

    @property
    def paths(self):
        return [request.path for request in self.requests]

    def callback(self, authorization_url, **changes):
        """What the browser brings back. A parameter that is changed to None is left out."""
        query = dict(parse_qsl(urlsplit(authorization_url).query))
        self.request = self.pushed_form if "request_uri" in query else query
        answer = {"code": "the code", "state": self.request["state"], "iss": ISSUER, **changes}
        return {name: value for name, value in answer.items() if value is not None}

    def id_token(self):
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": USER,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": self.request["nonce"],
            "acr": self.request.get("acr_values", "").split(" ")[0],
        }
        for name, value in self.claims.items():
            claims[name] = value(now) if callable(value) else value
        claims = {name: value for name, value in claims.items() if value is not None}
        payload = json.dumps(claims).encode()
        return jwt.api_jws.encode(payload, self.signing_key, self.algorithm, self.header)

    async def get(self, logger, url, **options):
        published = {
            f"{ISSUER}/.well-known/openid-configuration": self.metadata,
            f"{ISSUER}/keys": {"keys": self.keys},
        }
        return self.response(logger, url, options, published)

    async def post(self, logger, url, data=None, **options):
        options["data"] = data
        if url.endswith("/par"):
            self.pushed_form = data
            return self.response(logger, url, options, {f"{ISSUER}/par": self.pushed}, 201)
        verifier = hashlib.sha256(data["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        assert challenge == self.request["code_challenge"]
        assert data["redirect_uri"] == self.request["redirect_uri"]
        assert (data["grant_type"], data["code"]) == ("authorization_code", "the code")
        tokens = {"access_token": "an access token", "id_token": self.id_token(), **self.answer}
        return self.response(logger, url, options, {f"{ISSUER}/token": tokens})

    def response(self, logger, url, options, answers, status=200):
        assert options["timeout"] <= 30 and options["allow_redirects"] is False
        assert options["stream"] is True
        assert isinstance(logger, logging.Logger)
        path = url.removeprefix(ISSUER)
        self.requests.append(SimpleNamespace(path=path, **options))
        if self.respond:
            return self.respond(path, answers[url])
        return Response(answers[url], status)


class Response:
    """As much of `requests.Response` as `oidc.py` uses. `read` counts the bytes that were read."""

    def __init__(self, answer, status=200):
        self.status_code = status
        self.body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.read, self.closed = 0, False

    def iter_content(self, chunk_size):
        while self.read < len(self.body) and not self.closed:
            self.read += chunk_size
            yield self.body[self.read - chunk_size : self.read]

    def close(self):
        self.closed = True


def after(seconds):
    """A claim: this many seconds after now."""
    return lambda now: now + seconds
