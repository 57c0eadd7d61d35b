"""The clean one's twin, with a defect in each function. A comment on the line names the check that sees it."""

import hashlib
import random
import re
import secrets
import smtplib  # DEFECT weak-channel
import time
import uuid
from collections import defaultdict
from contextlib import suppress

import requests
from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_server_handler import Q2TectonServerRequestHandler
from q2_sdk.hq.hq_api.wedge_online_banking import AcceptDisclaimer, GetAccounts

from . import calls

PENDING = {}  # DEFECT process-state
TRIES = defaultdict(int)  # DEFECT process-state
last_code = None  # DEFECT process-state
TOKEN = secrets.token_urlsafe(32)  # DEFECT token-reused


class VoiceCallHandler(Q2TectonServerRequestHandler):
    CONFIG_FILE_NAME = "voice_call"
    IS_UNAUTHENTICATED = True  # DEFECT unauthenticated
    cache_of_codes = {}  # DEFECT process-state
    calls_made = 0  # DEFECT process-state

    @property
    def router(self):
        router = super().router
        router.update({"begin": self.begin, "at_once": self.at_once, "helper": self.by_helper})
        return router

    async def begin(self):
        global last_code
        number = self.request_body.get("phone")  # DEFECT identity-from-page
        ids = self.request_body["transactionIds"]  # DEFECT txn-from-page
        last_code = str(random.randint(0, 99999999))  # DEFECT otp-made-here
        PENDING[self.online_user.email_address] = last_code
        TRIES[number] += 1
        calls.place(self, number, last_code)
        self.cache_of_codes[number] = last_code
        type(self).calls_made = self.calls_made + 1
        self.cache.set(f"code_{number}", last_code, 300)  # DEFECT cache-key
        self.cache.set("sent_to_" + self.mfa_info.registration_value, 1)  # DEFECT cache-key
        self.logger.info("Code %s for %s", self.request_body, ids)  # DEFECT token-leak
        smtplib.SMTP("mail").sendmail("bank", number, last_code)
        return {"called": True}

    async def at_once(self):
        code = self.request_body.get("code")
        self.logger.info("The page sent something")
        requests.post("https://voice.example.com/done", timeout=5)  # DEFECT outbound
        return await self.set_external_mfa_token(secrets.token_urlsafe(32))  # DEFECT token-without-proof

    async def by_helper(self):
        return await self._grant(uuid.uuid4().hex)  # DEFECT token-guessable

    async def _grant(self, token):
        return await self.set_external_mfa_token(token)  # DEFECT token-without-proof

    def _entered(self):
        return self.request_body["code"]

    async def compared(self):
        entered = self._entered()
        expected = self.session_cache.get("voice_code")
        if not entered.isdigit():  # DEFECT otp-unicode
            raise TectonError("denied", {})
        if entered != expected:  # DEFECT compare-timing
            raise TectonError("denied", {})
        token = hashlib.sha256(f"{time.time()}{self.mfa_info.sso_identifier}".encode()).hexdigest()  # DEFECT token-guessable
        return await self.set_external_mfa_token(token)

    async def compared_in_helper(self):
        self._compare(self.request_body["code"], self.session_cache.get("code"))
        token = "".join(random.choice("0123456789abcdef") for _ in range(32))  # DEFECT token-guessable
        await self.set_external_mfa_token(token)

    def _compare(self, code, expected):
        if not re.fullmatch(r"\d{8}", code):  # DEFECT otp-unicode
            raise TectonError("denied", {})
        if code == expected:  # DEFECT compare-timing
            return
        raise TectonError("denied", {})

    async def swallowed(self):
        try:
            self._compare(self.request_body["code"], self.session_cache.get("code"))
        except Exception:  # DEFECT fail-open
            self.logger.warning("The code could not be compared")
        return await self.set_external_mfa_token(secrets.token_hex(4))  # DEFECT token-guessable

    async def suppressed(self):
        with suppress(TectonError):  # DEFECT fail-open
            self._compare(self.request_body["code"], self.session_cache.get("code"))
        return await self.set_external_mfa_token(TOKEN)

    async def in_handler(self):
        try:
            await calls.status(self)
        except Exception:
            return await self.set_external_mfa_token(secrets.token_urlsafe())  # DEFECT fail-open

    async def true_in_handler(self):
        if not self.is_proven():
            raise TectonError("denied", {})
        await self.set_external_mfa_token("confirmed")  # DEFECT token-guessable

    def is_proven(self):
        try:
            return calls.status(self) == "answered"
        except Exception:
            return True  # DEFECT fail-open

    async def flag_in_handler(self):
        try:
            good = await calls.status(self)
        except Exception:
            good = True  # DEFECT fail-open
        if not good:
            raise TectonError("denied", {})
        token = str(uuid.uuid1())  # DEFECT token-guessable
        print(f"token: {token}")  # DEFECT token-leak
        return await self.set_external_mfa_token(token)

    async def terms(self):
        if self.is_authenticated:
            return None
        else:
            return await AcceptDisclaimer.execute(AcceptDisclaimer.ParamsObj(self.logger))  # DEFECT pre-auth-api

    async def accounts(self):
        return await GetAccounts.execute(GetAccounts.ParamsObj(self.logger))  # DEFECT pre-auth-api

    async def leave(self):
        self.set_header("X-Frame-Options", "DENY")  # DEFECT framing-broken
        self.redirect(self.get_argument("next"))  # DEFECT open-redirect
