"""An identity provider in memory, honest unless a test makes it lie: it answers what `oidc.py` asks of q2_requests."""

import base64
import hashlib
import json
import logging
import time
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://login.bank.example/realms/bank"
CLIENT_ID = "q2-mfa"
CLIENT_SECRET = "p@ss: word/+%"
USER = "ada"
KEYS = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
OTHER_KEY = rsa.generate_private_key(65537, 2048)


def public_jwk(algorithm, kid, **members):
    key = jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm].public_key(), as_dict=True)
    return {**key, "kid": kid, "use": "sig", **members}


class Provider:
    """`requests` lists what was asked; each of the dictionaries and callables below is a place to lie."""

    def __init__(self):
        self.requests = []
        self.metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
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

    def callback(self, authorization_url, **changes):
        """What the browser brings back from `authorization_url`; a change to None leaves a parameter out."""
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
            **{name: value(now) if callable(value) else value for name, value in self.claims.items()},
        }
        payload = json.dumps({name: value for name, value in claims.items() if value is not None})
        return jwt.api_jws.encode(payload.encode(), self.signing_key, self.algorithm, self.header)

    async def get(self, logger, url, **options):
        published = {f"{ISSUER}/.well-known/openid-configuration": self.metadata, f"{ISSUER}/keys": {"keys": self.keys}}
        return self.response(logger, url, options, published)

    async def post(self, logger, url, data=None, **options):
        options["data"] = data
        if url.endswith("/par"):
            self.pushed_form = data
            return self.response(logger, url, options, {f"{ISSUER}/par": self.pushed}, 201)
        verifier = hashlib.sha256(data["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() == self.request["code_challenge"]
        assert data["redirect_uri"] == self.request["redirect_uri"]
        assert (data["grant_type"], data["code"]) == ("authorization_code", "the code")
        answer = {"access_token": "an access token", "id_token": self.id_token(), **self.answer}
        return self.response(logger, url, options, {f"{ISSUER}/token": answer})

    def response(self, logger, url, options, answers, status=200):
        assert options["timeout"] <= 30 and options["allow_redirects"] is False
        assert isinstance(logger, logging.Logger)
        self.requests.append(SimpleNamespace(path=url.removeprefix(ISSUER), **options))
        if self.respond:
            return self.respond(url.removeprefix(ISSUER), answers[url])
        return response(answers[url], status)


def after(seconds):
    """A claim: so many seconds after now."""
    return lambda now: now + seconds


def response(answer, status=200):
    return SimpleNamespace(status_code=status, text=answer if isinstance(answer, str) else json.dumps(answer))
