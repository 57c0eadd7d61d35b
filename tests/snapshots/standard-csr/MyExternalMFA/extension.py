"""External MFA with a passcode: the page asks, `factor.py` verifies, HQ gets a token only after that."""

import secrets

from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

from .factor import PasscodeFactor
from .install.db_plan import DbPlan


class MyExternalMFAHandler(Q2TectonClientRequestHandler):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "MyExternalMFA"
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = "MyExternalMFA"
    TECTON_URL = "https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.40.0/q2-tecton-sdk.js"
    DYNAMIC_CORE_SELECTION = False

    @property
    def router(self):
        router = super().router
        router.update({"default": self.default, "submit": self.submit})
        return router

    async def default(self):
        """What the page shows beside the passcode field."""
        return {"purpose": self.purpose()}

    async def submit(self):
        """Verify the passcode; only then set a token with HQ, which the page passes on to verifyMFA."""
        registration_value = getattr(self.mfa_info, "registration_value", None)
        factor = PasscodeFactor(registration_value, self.session_cache, self.logger)
        await factor.verify(self.request_body.get("passcode"))
        self.logger.info("External MFA: the passcode was right")
        token = secrets.token_urlsafe(32)
        return await self.set_external_mfa_token(token)

    def purpose(self):
        """What the user is asked to confirm, as lines of text."""
        # [guess] Whether an attribute that its workflow lacks is absent or None, and how mfa_context is spelt.
        info = self.mfa_info
        lines = [
            ("Request", getattr(info, "mfa_context", None)),
            ("Transaction", ", ".join(str(number) for number in getattr(info, "transaction_ids", None) or [])),
            ("Action", getattr(info, "audit_action_name", None) or getattr(info, "audit_action_id", None)),
        ]
        return [f"{label}: {value}" for label, value in lines if value]
