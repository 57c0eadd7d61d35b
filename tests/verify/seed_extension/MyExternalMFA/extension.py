import os
import uuid

from q2_sdk.core import q2_requests
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler
from q2_sdk.hq.hq_api.q2_api import DisclaimerFormMarkAsAccepted
from q2_sdk.hq.hq_api.wedge_online_banking import AcceptDisclaimer

from .install.db_plan import DbPlan

client_id = os.environ.get("IDP_CLIENT_ID", "")
client_secret = os.environ.get("IDP_CLIENT_SECRET", "")


class MyExternalMFAHandler(Q2TectonClientRequestHandler):
    DB_PLAN = DbPlan()
    FRIENDLY_NAME = "MyExternalMFA"
    CONFIG_FILE_NAME = "MyExternalMFA"

    @property
    def router(self):
        router = super().router
        router.update({"default": self.default, "token_handler": self.token_handler})
        return router

    async def default(self):
        return {}

    async def token_handler(self):
        verify_code = self.request_body.get("code")

        payload = {
            "grant_type": "authorization_code",
            "code": verify_code,
            "redirect_uri": f"{os.path.join(self.base_assets_url, 'verify.html')}",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        response = await q2_requests.post("https://idp.example.com/access_token", data=payload)

        # If successful validation
        token = uuid.uuid4().hex
        return await self.set_external_mfa_token(token)

    async def disclaimer_example_method(self):
        if self.is_authenticated:
            # Use WedgeOnlineBanking
            params_obj = AcceptDisclaimer.ParamsObj(
                self.logger,
                hq_credentials=self.hq_credentials,
                disclaimer_data_id=1234,
            )

            response = await AcceptDisclaimer.execute(params_obj)
        else:
            # Use Q2API
            params_obj = DisclaimerFormMarkAsAccepted.ParamsObj(
                self.logger,
                user_id=22,
                disclaimer_form_data_id=1234,
            )

            response = await AcceptDisclaimer.execute(params_obj)

        return response
