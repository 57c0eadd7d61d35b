"""OpenID Connect by hand: a class that keeps what the provider publishes, and helper functions around it."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlencode

import jwt
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

PAR = "pushed_authorization_request_endpoint"
PATIENCE = 3
LIMIT = 50_000
MAX_AGE = 300
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce"]
ALGORITHMS = ["RS256", "PS256"]


def read(response):
    body, until = b"", time.monotonic() + PATIENCE
    with response:
        for part in response.iter_content(64):
            body += part
            if len(body) > LIMIT or time.monotonic() > until:
                raise ValueError("too much")
    return json.loads(body)


async def ask(handler, url, form=None):
    method = q2_requests.get if form is None else q2_requests.post
    options = {"timeout": PATIENCE, "allow_redirects": False, "stream": True}
    if form is not None:
        options["data"] = form
        options["auth"] = (handler.config.OIDC_CLIENT, handler.config.OIDC_SECRET)
    response = await method(handler.logger, url, **options)
    if response.status_code not in (200, 201):
        raise ValueError(response.status_code)
    return await handler.run_async(read, response)


class Published:
    """What the provider publishes, kept in the class."""

    documents = {}  # noqa: RUF012

    @classmethod
    async def get(cls, handler, url, again=False):
        if again or url not in cls.documents:
            cls.documents[url] = await ask(handler, url)
        return cls.documents[url]

    @classmethod
    async def metadata(cls, handler):
        issuer = handler.config.OIDC_URL
        found = await cls.get(handler, f"{issuer}/.well-known/openid-configuration")
        if found["issuer"] != issuer:
            raise ValueError("another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", PAR):
            if not found[name].startswith(("https://", "http://127.0.0.1:")):
                raise ValueError(name)
        return found

    @classmethod
    async def key(cls, handler, url, header):
        for again in (False, True):
            keys = (await cls.get(handler, url, again))["keys"]
            for each in keys:
                if each["kid"] == header["kid"] and each.get("use") == "sig":
                    return jwt.PyJWK(each, header["alg"])
        raise ValueError("no key")


def same(given, expected):
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())


class CityLoginHandler(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "city_login"

    @property
    def router(self):
        router = super().router
        router.update({"what": self.what, "leave": self.leave, "came_back": self.came_back})
        return router

    async def what(self):
        return {"payments": list(getattr(self.mfa_info, "transaction_ids", None) or [])}

    async def leave(self):
        flow = {name: secrets.token_hex(32) for name in ("state", "nonce", "verifier")}
        self.session_cache.set("city_flow", flow, 600)
        digest = hashlib.sha256(flow["verifier"].encode()).digest()
        query = {
            "client_id": self.config.OIDC_CLIENT,
            "response_type": "code",
            "scope": "openid email",
            "redirect_uri": f"{self.base_assets_url}/back.html",
            "state": flow["state"],
            "nonce": flow["nonce"],
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "max_age": MAX_AGE,
        }
        try:
            metadata = await Published.metadata(self)
            pushed = await ask(self, metadata[PAR], query)
            query = {"client_id": self.config.OIDC_CLIENT, "request_uri": pushed["request_uri"]}
        except Exception as error:
            raise self.denied(error) from None
        return {"go_to": f"{metadata['authorization_endpoint']}?{urlencode(query)}"}

    async def came_back(self):
        flow = self.session_cache.get("city_flow")
        self.session_cache.delete("city_flow")
        try:
            metadata = await Published.metadata(self)
            self.check_answer(self.request_body, flow)
            claims = await self.redeem(metadata, self.request_body["code"], flow)
            self.check_claims(claims, flow)
        except Exception as error:
            raise self.denied(error) from None
        self.logger.info("External MFA: confirmed")
        return await self.set_external_mfa_token(secrets.token_urlsafe(32))

    def check_answer(self, answer, flow):
        if not same(answer.get("state"), flow["state"]):
            raise ValueError("state")
        if answer.get("iss") != self.config.OIDC_URL:
            raise ValueError("iss")
        if not isinstance(answer["code"], str):
            raise ValueError("code")

    async def redeem(self, metadata, code, flow):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self.base_assets_url}/back.html",
            "code_verifier": flow["verifier"],
        }
        answer = await ask(self, metadata["token_endpoint"], form)
        token = answer["id_token"]
        header = jwt.get_unverified_header(token)
        key = await Published.key(self, metadata["jwks_uri"], header)
        expected = {"audience": self.config.OIDC_CLIENT, "issuer": self.config.OIDC_URL}
        options = {"require": REQUIRED, "enforce_minimum_key_length": True, "strict_aud": True}
        return jwt.decode(token, key, ALGORITHMS, options=options, **expected)

    def check_claims(self, claims, flow):
        if not same(claims["nonce"], flow["nonce"]):
            raise ValueError("nonce")
        if claims.get("azp", self.config.OIDC_CLIENT) != self.config.OIDC_CLIENT:
            raise ValueError("azp")
        if time.time() - claims["auth_time"] > MAX_AGE:
            raise ValueError("auth_time")
        if not claims["sub"] or claims["sub"] != getattr(self.mfa_info, "sso_identifier", None):
            raise ValueError("sub")

    def denied(self, error):
        self.logger.warning("External MFA denied: %s", type(error).__name__)
        return TectonError("denied", {"code": "denied"})
