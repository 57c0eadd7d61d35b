# Made by q2mfa 0.1.0; `q2mfa update` brings fixes.

"""External MFA with a factor of its own: `factor.py` verifies, and only then HQ gets a token."""

import secrets
from typing import ClassVar

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

from .customer import Denied
from .factor import Factor
from .install.db_plan import DbPlan

try:
    from q2_sdk.core.q2_logging.filters import StringSecretsFilter
except ImportError:  # not every version of the SDK has it
    StringSecretsFilter = None

SECRETS = [*Factor.SECRETS, "token"]  # values that stay out of the log


class MyExternalMFAHandler(Q2TectonClientRequestHandler):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "MyExternalMFA"
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = "MyExternalMFA"
    TECTON_URL = "https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"
    DYNAMIC_CORE_SELECTION = False
    LOGGING_FILTERS: ClassVar = [StringSecretsFilter(keys=SECRETS)] if StringSecretsFilter else []
    REQUIRED_CONFIGURATIONS: ClassVar = Factor.SETTINGS

    @property
    def router(self):
        router = super().router
        router.update({"default": self.default, "submit": self.submit})
        return router

    async def default(self):
        """What the page shows above its steps."""
        return {"purpose": self.purpose()}

    async def submit(self):
        """Verify what the page sends. Only then set a token with HQ, for the page's verifyMFA."""
        try:
            step = await Factor(self).verify(self.request_body)
        except Denied as denied:
            code, reason = denied.args
            self.logger.warning("External MFA denied: %s: %s", code, reason)
            raise TectonError(code, {"code": code}) from None  # the page finds the code in either
        if step is not True:
            return dict(step)  # nothing is proven yet: what the page does next
        self.logger.info("External MFA: the factor is proven")
        token = secrets.token_urlsafe(32)
        result = await self.set_external_mfa_token(token)
        # The page finds the token in any dict. A client-side rendered route has to return one.
        return result if isinstance(result, dict) else {"token": token}

    def purpose(self):
        """What the customer is asked to confirm; the page puts it into words."""
        # An attribute that this workflow does not have may be absent or None.
        return {
            "signing_in": not self.is_authenticated,
            "transactions": list(map(str, getattr(self.mfa_info, "transaction_ids", None) or [])),
            "action": getattr(self.mfa_info, "audit_action_name", None),
        }
