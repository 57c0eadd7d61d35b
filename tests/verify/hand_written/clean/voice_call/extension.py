"""A call reads a code to the customer. Written by hand: helpers, a module for the calls, a jQuery page."""

import hashlib
import hmac
import re
import secrets

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_server_handler import Q2TectonServerRequestHandler
from q2_sdk.hq.hq_api.q2_api import DisclaimerFormMarkAsAccepted
from q2_sdk.hq.hq_api.wedge_online_banking import AcceptDisclaimer, GetAccounts

from . import calls

TEXTS = {"denied": "denied", "expired": "expired"}
_settings_seen = {}


def only_digits(entered):
    return isinstance(entered, str) and re.fullmatch("[0-9]{8}", entered)


class VoiceCallHandler(Q2TectonServerRequestHandler):
    CONFIG_FILE_NAME = "voice_call"
    ROUTES = ("begin", "finish")

    @property
    def router(self):
        router = super().router
        router.update({"default": self.default, "begin": self.begin, "finish": self.finish, "skip": self.skip})
        return router

    async def default(self):
        page = self.get_template("index.html.jinja2", {"name": self.online_user.first_name})
        return self.get_tecton_form("Voice call", custom_template=page, hide_submit_button=True)

    async def begin(self):
        code = "".join(secrets.choice("0123456789") for _ in range(8))
        try:
            await calls.place(self, self._number(), code)
        except Exception as error:
            self.logger.warning("The call failed: %s", type(error).__name__)
            raise TectonError("not_called", {"code": "not_called"}) from None
        self.session_cache.set("voice_code", code, 300)
        _settings_seen["voice_call"] = True
        return {"called": True}

    async def finish(self):
        code = "denied"
        try:
            proven = self._is_right(self.request_body.get("code"))
        except Exception:
            proven = False
        if not proven:
            self.logger.warning("External MFA denied: %s", code)
            raise TectonError(TEXTS["denied"], {"code": code})
        return await self._grant()

    async def skip(self):
        if self.is_locked():
            raise TectonError("locked", {})
        try:
            expected = self.session_cache.get("voice_code")
            if not expected:
                raise TectonError("expired", {})
        except TectonError:
            raise
        except Exception:
            raise TectonError("failed", {}) from None
        self._check(self.request_body["code"], expected)
        try:
            await self._accept_terms()
        except Exception:
            self.logger.exception("The terms could not be accepted")
        return await self._grant()

    def is_locked(self):
        try:
            return bool(self.session_cache.get("locked"))
        except Exception:
            return True

    def _is_right(self, entered):
        expected = self.session_cache.get("voice_code")
        return bool(only_digits(entered) and expected and hmac.compare_digest(entered, expected))

    def _check(self, entered, expected):
        if not only_digits(entered) or not hmac.compare_digest(entered, expected):
            raise TectonError("denied", {})

    async def _grant(self):
        token = secrets.token_urlsafe()
        self.logger.info("MFA is complete, and the token is set")
        answer = await self.set_external_mfa_token(token)
        return {"token": token, "answer": answer}

    async def _accept_terms(self):
        key = f"terms_{hashlib.sha256(self.mfa_info.sso_identifier.encode()).hexdigest()}"
        if self.cache.get(key):
            return
        if self.is_authenticated:
            params = AcceptDisclaimer.ParamsObj(self.logger, hq_credentials=self.hq_credentials)
            await AcceptDisclaimer.execute(params)
        else:
            params = DisclaimerFormMarkAsAccepted.ParamsObj(self.logger, user_id=22)
            await DisclaimerFormMarkAsAccepted.execute(params)
        self.cache.set(key, True, 3600)

    async def _accounts(self):
        if not self.is_authenticated:
            return []
        return await self._read_accounts()

    async def _read_accounts(self):
        return await GetAccounts.execute(GetAccounts.ParamsObj(self.logger))

    def _number(self):
        return getattr(self.mfa_info, "registration_value", None)
