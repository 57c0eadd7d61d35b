import base64
import json
from urllib.parse import urlencode

import jwt
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

ISSUER = "https://login.bank.example"


class BankIdHandler(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "bank_id"

    async def leave(self):
        query = {  # DEFECT rp-state rp-nonce rp-pkce
            "response_type": "code",
            "client_id": self.config.CLIENT_ID,
            "redirect_uri": f"{self.base_assets_url}/back.html",
        }
        return {"url": f"{ISSUER}/authorize?{urlencode(query)}"}

    async def leave_at_once(self):
        client = self.config.CLIENT_ID
        return f"{ISSUER}/authorize?response_type=id_token&client_id={client}&state=1&nonce=2"  # DEFECT rp-flow rp-pkce

    async def came_back(self):
        form = dict(grant_type="authorization_code", code=self.request_body["code"])  # DEFECT rp-pkce rp-right-user
        answer = await q2_requests.post(self.logger, f"{ISSUER}/token", data=form)  # DEFECT rp-bounds
        return answer.json()["id_token"]

    async def with_password(self):
        return {"grant_type": "password", "username": "u"}  # DEFECT rp-flow

    def unsigned(self, id_token):
        return jwt.decode(id_token, options={"verify_signature": False})  # DEFECT rp-signature

    def any_algorithm(self, id_token, key):
        return jwt.decode(id_token, key, audience=self.config.CLIENT_ID)  # DEFECT rp-signature

    def shared(self, id_token, key):
        return jwt.decode(id_token, key, algorithms=["RS256", "HS256"])  # DEFECT rp-signature

    def by_hand(self, id_token):
        payload = id_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))  # DEFECT rp-signature
        if claims["nonce"] != self.session_cache.get("nonce"):  # DEFECT compare-timing
            raise TectonError("denied", {})
        return claims
