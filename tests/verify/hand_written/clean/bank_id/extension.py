"""OpenID Connect by hand: functions, and a page of its own for the callback."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

import jwt
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

ISSUER = "https://login.bank.example"
_jwks = jwt.PyJWKClient(f"{ISSUER}/keys")


def challenge_of(verifier):
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class BankIdHandler(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "bank_id"

    @property
    def router(self):
        router = super().router
        router["leave"] = self.leave
        router["came_back"] = self.came_back
        return router

    async def leave(self):
        flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        self.session_cache.set("flow", flow, 600)
        query = {
            "response_type": "code",
            "client_id": self.config.CLIENT_ID,
            "redirect_uri": f"{self.base_assets_url}/back.html",
            "scope": "openid",
            "state": flow["state"],
            "nonce": flow["nonce"],
        }
        query.update(code_challenge=challenge_of(flow["verifier"]), code_challenge_method="S256")
        return {"url": f"{ISSUER}/authorize?{urlencode(query)}"}

    async def came_back(self):
        flow = self.session_cache.get("flow")
        self.session_cache.delete("flow")
        if not flow or not secrets.compare_digest(str(self.request_body.get("state")), flow["state"]):
            raise TectonError("expired", {})
        claims = await self.claims(self.request_body.get("code"), flow)
        if claims["sub"] != self.mfa_info.sso_identifier:
            raise TectonError("wrong_user", {})
        return await self.set_external_mfa_token(secrets.token_hex(16))

    async def claims(self, code, flow):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self.base_assets_url}/back.html",
            "code_verifier": flow["verifier"],
        }
        auth = (self.config.CLIENT_ID, self.config.CLIENT_SECRET)
        response = await q2_requests.post(
            self.logger, f"{ISSUER}/token", data=form, auth=auth, timeout=10, allow_redirects=False
        )
        id_token = response.json()["id_token"]
        key = await self.run_async(_jwks.get_signing_key_from_jwt, id_token)
        options = {"require": ["iss", "aud", "exp", "iat", "nonce"]}
        claims = jwt.decode(
            id_token, key, algorithms=["RS256"], audience=self.config.CLIENT_ID, issuer=ISSUER, options=options
        )
        if not secrets.compare_digest(claims["nonce"], flow["nonce"]):
            raise TectonError("not_trusted", {})
        return claims
