"""External MFA with a passcode: the page asks, `factor.py` verifies, HQ gets a token only after that."""

import secrets
from typing import ClassVar

from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

from .factor import PasscodeFactor
from .install.db_plan import DbPlan

try:
    from q2_sdk.core.q2_logging.filters import StringSecretsFilter
except ImportError:  # not every version of the SDK has it
    StringSecretsFilter = None

# Values that stay out of the log.
SECRETS = ["passcode", "registration_value", "token"]


class MyExternalMFAHandler(Q2TectonClientRequestHandler):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "MyExternalMFA"
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = "MyExternalMFA"
    TECTON_URL = "https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"
    DYNAMIC_CORE_SELECTION = False
    LOGGING_FILTERS: ClassVar = [StringSecretsFilter(keys=SECRETS)] if StringSecretsFilter else []

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
        result = await self.set_external_mfa_token(token)
        # The page finds the token in any dict; a route of the client-side handler has to return a dict.
        return result if isinstance(result, dict) else {"token": token}

    def purpose(self):
        """What the customer is asked to confirm; the page puts it into words."""
        # An attribute that this workflow does not have may be absent or None.
        return {
            "signing_in": not self.is_authenticated,
            "transactions": [str(number) for number in getattr(self.mfa_info, "transaction_ids", None) or []],
            "action": getattr(self.mfa_info, "audit_action_name", None),
        }
