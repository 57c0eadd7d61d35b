"""Codes of an authenticator app, by hand: the arithmetic of RFC 6238, and counters in the cache."""

import base64
import hashlib
import hmac
import re
import secrets
import time

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

LIMIT = 10
WINDOW = (-1, 0, 1)


def hotp(secret, counter):
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return str((int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF) % 10**6).zfill(6)


class AppCodeHandler(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "app_code"

    @property
    def router(self):
        router = super().router
        router.update(what=self.what, enter=self.enter)
        return router

    async def what(self):
        payments = [str(each) for each in getattr(self.mfa_info, "transaction_ids", None) or []]
        return {"payments": payments, "action": getattr(self.mfa_info, "audit_action_name", None) or ""}

    async def enter(self):
        otp = self.request_body.get("otp")
        secret = self.secret()
        account = hashlib.sha256(secret).hexdigest()
        if self.count(account) > LIMIT:
            raise self.denied("locked")
        if not isinstance(otp, str) or not re.fullmatch("[0-9]{6}", otp):
            raise self.denied("no code")
        step = self.step_of(secret, otp)
        if step is None or not self.is_first_use(account, step):
            raise self.denied("wrong code")
        self.cache.touch(f"tries_{account}", -1)
        self.logger.info("External MFA: confirmed")
        return await self.set_external_mfa_token(secrets.token_urlsafe(32))

    def secret(self):
        try:
            text = self.mfa_info.registration_value
            secret = base64.b32decode(text + "=" * (-len(text) % 8))
        except (AttributeError, TypeError, ValueError):
            raise self.denied("not registered") from None
        if len(secret) < 16:
            raise self.denied("short secret")
        return secret

    def step_of(self, secret, otp):
        now = int(time.time() // 30)
        return next((now + n for n in WINDOW if hmac.compare_digest(hotp(secret, now + n), otp)), None)

    def count(self, account):
        key = f"tries_{account}"
        self.cache.add(key, "0", expire=900, noreply=False)
        return self.cache.incr(key, 1, noreply=False)

    def is_first_use(self, account, step):
        return self.cache.add(f"used_{account}_{step}", "1", expire=300, noreply=False)

    def denied(self, why):
        self.logger.warning("External MFA denied: %s", why)
        return TectonError("denied", {"code": "denied"})
