"""External MFA by OpenID Connect: the page sends the user away, `oidc.py` proves who came back, then HQ gets a token."""

import secrets
from typing import ClassVar
from urllib.parse import urlsplit

from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

from .install.db_plan import DbPlan
from .oidc import OidcClient

try:
    from q2_sdk.core.q2_logging.filters import StringSecretsFilter
except ImportError:  # not every version of the SDK has it
    StringSecretsFilter = None

# Values that stay out of the log.
SECRETS = ["Authorization", "client_secret", "client_assertion", "code", "code_verifier", "state", "nonce"]
SECRETS += ["id_token", "access_token", "refresh_token", "token"]


class MyExternalMFAHandler(Q2TectonClientRequestHandler):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "MyExternalMFA"
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = "MyExternalMFA"
    TECTON_URL = "https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"
    DYNAMIC_CORE_SELECTION = False
    LOGGING_FILTERS: ClassVar = [StringSecretsFilter(keys=SECRETS)] if StringSecretsFilter else []
    # Without one of these the server does not start: no check is switched off by a line that is missing.
    REQUIRED_CONFIGURATIONS: ClassVar = {
        "ISSUER": "",
        "CLIENT_ID": "",
        "CLIENT_SECRET": "",
        "CLIENT_AUTH_METHOD": "",
        "SCOPES": "openid",
        "REQUIRE_PAR": False,
        "MAX_AGE": 0,
        "ACR_VALUES": "",
        "IDENTITY_CLAIM": "sub",
        "IDENTITY_ATTRIBUTE": "sso_identifier",
    }

    @property
    def router(self):
        router = super().router
        router.update({"default": self.default, "start": self.start, "token_handler": self.token_handler})
        return router

    async def default(self):
        """What the page shows before the user leaves."""
        return {"purpose": self.purpose(), "provider": self.provider()}

    async def start(self):
        """The address at the identity provider that the page sends the user to, and for how long it is good."""
        return await self.oidc.start(getattr(self.mfa_info, "sso_identifier", None))

    async def token_handler(self):
        """Prove who came back; only then set a token with HQ, which the page passes on to verifyMFA."""
        await self.oidc.finish(self.request_body, self.q2_identity())
        self.logger.info("External MFA: the identity provider confirmed the user")
        token = secrets.token_urlsafe(32)
        result = await self.set_external_mfa_token(token)
        # The page finds the token in any dict; a route of the client-side handler has to return a dict.
        return result if isinstance(result, dict) else {"token": token}

    async def client_secret(self):
        """The client's secret, or its private key as a JWK; empty denies. Override it to read another store."""
        return self.config.CLIENT_SECRET

    @property
    def redirect_uri(self):
        """Where the provider sends the user back to; registered there to the letter."""
        return f"{self.base_assets_url}/verify.html"

    @property
    def oidc(self):
        return OidcClient(self.config, self.client_secret, self.redirect_uri, self.cache, self.session_cache, self.logger)

    def q2_identity(self):
        """Who the user is to Q2, as the identity provider would say it; None if that is not known."""
        if self.config.IDENTITY_ATTRIBUTE == "registration_value":
            return getattr(self.mfa_info, "registration_value", None)
        return getattr(self.mfa_info, "sso_identifier", None)

    def provider(self):
        """The host that the user is sent to, as they should see it in its address."""
        return urlsplit(self.config.ISSUER).hostname

    def purpose(self):
        """What the customer is asked to confirm; the page puts it into words."""
        # An attribute that this workflow does not have may be absent or None.
        return {
            "signing_in": not self.is_authenticated,
            "transactions": [str(number) for number in getattr(self.mfa_info, "transaction_ids", None) or []],
            "action": getattr(self.mfa_info, "audit_action_name", None),
        }
