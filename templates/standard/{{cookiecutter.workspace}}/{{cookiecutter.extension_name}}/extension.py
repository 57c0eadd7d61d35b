"""External MFA with a passcode: the page asks, `factor.py` verifies, HQ gets a token only after that."""

import secrets
from typing import ClassVar

{% if cookiecutter.rendering == "ssr" -%}
from q2_sdk.core.http_handlers.tecton_server_handler import Q2TectonServerRequestHandler
{%- else -%}
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler
{%- endif %}

from .factor import PasscodeFactor
from .install.db_plan import DbPlan

try:
    from q2_sdk.core.q2_logging.filters import StringSecretsFilter
except ImportError:  # not every version of the SDK has it
    StringSecretsFilter = None

# Values that stay out of the log.
SECRETS = ["passcode", "registration_value", "token"]


class {{ cookiecutter.__handler }}({{ "Q2TectonServerRequestHandler" if cookiecutter.rendering == "ssr" else "Q2TectonClientRequestHandler" }}):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "{{ cookiecutter.extension_name }}"
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = "{{ cookiecutter.extension_name }}"
    TECTON_URL = "https://cdn1.onlineaccess1.com/cdn/base/tecton/v{{ cookiecutter.tecton_version }}/q2-tecton-sdk.js"
    DYNAMIC_CORE_SELECTION = False
    LOGGING_FILTERS: ClassVar = [StringSecretsFilter(keys=SECRETS)] if StringSecretsFilter else []

    @property
    def router(self):
        router = super().router
        router.update({"default": self.default, "submit": self.submit})
        return router

    async def default(self):
{%- if cookiecutter.rendering == "ssr" %}
        """The page that asks for the passcode."""
        template = self.get_template("index.html.jinja2", {"purpose": self.purpose()})
        return self.get_tecton_form(self.FRIENDLY_NAME, custom_template=template, hide_submit_button=True)
{%- else %}
        """What the page shows beside the passcode field."""
        return {"purpose": self.purpose()}
{%- endif %}

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
