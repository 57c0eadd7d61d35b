"""Codes in text messages, by hand: the code's hash is in the session, the counters are in the cache."""

import hashlib
import hmac
import secrets
import time

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

TRIES, MESSAGES = 5, 3
SECONDS = 300


def hashed(code):
    return hashlib.sha256(b"text_code" + code.encode()).hexdigest()


class TextCodeHandler(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "text_code"

    @property
    def router(self):
        router = super().router
        router.update(text_me=self.text_me, compare=self.compare)
        return router

    async def text_me(self):
        account = self.account()
        if self.count(f"texts_{account}") > MESSAGES:
            raise self.denied("too many messages")
        code = str(secrets.randbelow(10**8)).zfill(8)
        self.session_cache.set("expected", {"hash": hashed(code), "until": time.time() + SECONDS}, SECONDS)
        self.deliver_message(self.mfa_info.registration_value, f"Code: {code}")
        return {"sent": True}

    async def compare(self):
        account, entered = self.account(), self.request_body.get("entered")
        if self.count(f"tries_{account}") > TRIES:
            raise self.denied("locked")
        expected = self.session_cache.get("expected") or {"hash": "", "until": 0}
        if not isinstance(entered, str) or not entered.isascii() or time.time() > expected["until"]:
            raise self.denied("no code")
        if not hmac.compare_digest(hashed(entered), expected["hash"]):
            raise self.denied("wrong code")
        self.session_cache.delete("expected")
        self.cache.touch(f"tries_{account}", -1)
        self.logger.info("External MFA: confirmed")
        return await self.set_external_mfa_token(secrets.token_urlsafe(32))

    def account(self):
        number = getattr(self.mfa_info, "registration_value", None)
        if not number or not isinstance(number, str):
            raise self.denied("not registered")
        return hashlib.sha256(number.encode()).hexdigest()

    def count(self, key):
        self.cache.add(key, "0", expire=900, noreply=False)
        return self.cache.incr(key, 1, noreply=False)

    def denied(self, why):
        self.logger.warning("External MFA denied: %s", why)
        return TectonError("denied", {"code": "denied"})
