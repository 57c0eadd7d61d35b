# Made by q2mfa 0.1.0; `q2mfa update` brings fixes.

"""External MFA by OpenID Connect: the page sends the user to the identity provider and back.

`oidc.py` proves who came back. Only then does HQ get a token.
"""

import secrets
from typing import ClassVar

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_server_handler import Q2TectonServerRequestHandler

from .install.db_plan import DbPlan
from .oidc import OidcClient
from .protocol import SETTINGS

try:
    from q2_sdk.core.q2_logging.filters import StringSecretsFilter
except ImportError:  # not every version of the SDK has it
    StringSecretsFilter = None

# Values that stay out of the log.
SECRETS = ["Authorization", "client_secret", "client_assertion", "code", "code_verifier", "state"]
SECRETS += ["nonce", "request_uri", "id_token", "access_token", "refresh_token", "token"]


class MyExternalMFAHandler(Q2TectonServerRequestHandler):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "MyExternalMFA"
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = "MyExternalMFA"
    TECTON_URL = "https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"
    DYNAMIC_CORE_SELECTION = False
    LOGGING_FILTERS: ClassVar = [StringSecretsFilter(keys=SECRETS)] if StringSecretsFilter else []
    # The server does not start without one of these; a wrong value denies, and the log names it.
    REQUIRED_CONFIGURATIONS: ClassVar = dict.fromkeys([*SETTINGS, "CLIENT_SECRET"], "")

    @property
    def router(self):
        router = super().router
        router.update(default=self.default, start=self.start, token_handler=self.token_handler)
        return router

    async def default(self):
        """The page that says what for and where to, and has the address, or why there is none."""
        try:
            start = await self.start()
        except TectonError as error:
            start = error.data
        context = {"purpose": self.purpose(), "provider": self.provider(), "start": start}
        template = self.get_template("index.html.jinja2", context)
        options = {"custom_template": template, "hide_submit_button": True}
        return self.get_tecton_form(self.FRIENDLY_NAME, **options)

    async def start(self):
        """The address at the identity provider, and for how many seconds it is good."""
        # The provider sends the user back to this address. It is registered there exactly like this.
        return await OidcClient(self).start(f"{self.base_assets_url}/verify.html")

    async def token_handler(self):
        """Prove who came back; then set a token with HQ. The page passes it on to verifyMFA."""
        await OidcClient(self).finish(self.request_body)
        self.logger.info("External MFA: the identity provider confirmed the user")
        token = secrets.token_urlsafe(32)
        result = await self.set_external_mfa_token(token)
        # The page finds the token in any dict. A client-side rendered route has to return one.
        return result if isinstance(result, dict) else {"token": token}

    async def client_secret(self):
        """The client's secret, or its private key as a JWK. Override it to read another store."""
        return self.config.CLIENT_SECRET

    def provider(self):
        """The host that the user is sent to, as their browser names it."""
        return self.config.ISSUER.partition("://")[2].partition("/")[0]

    def purpose(self):
        """What the customer is asked to confirm; the page puts it into words."""
        # An attribute that this workflow does not have may be absent or None.
        return {
            "signing_in": not self.is_authenticated,
            "transactions": list(map(str, getattr(self.mfa_info, "transaction_ids", None) or [])),
            "action": getattr(self.mfa_info, "audit_action_name", None),
        }
