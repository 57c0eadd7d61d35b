"""An extension that q2mfa did not generate: it pushes a question to the customer's phone, and has routes of its own."""

from __future__ import annotations

from pathlib import Path

from preview_process import make_workspace

NAME = "push_approval"

EXTENSION = """
import secrets

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler


class PushApprovalHandler(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "push_approval"

    @property
    def router(self):
        router = super().router
        router.update({"ask": self.ask, "check": self.check, "info": self.info})
        return router

    async def info(self):
        return {"info": repr(vars(self.mfa_info))}

    async def ask(self):
        if hasattr(self, "deliver_message"):  # q2mfa preview has a phone
            push = self.deliver_message("Jane's phone", "Approve the payment?", asks=True)
        self.session_cache.set("push", push, 60)
        self.logger.info("asked for approval")
        print("pushed")
        return {"asked": True}

    async def check(self):
        push = self.session_cache.get("push")
        answer = self.phone_answer(push) if push else "denied"
        if answer == "denied":
            raise TectonError("denied", {})
        if not answer:
            return {"pending": True}
        self.session_cache.delete("push")
        return await self.set_external_mfa_token(secrets.token_urlsafe(32))
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>Approve</title>
<script src="https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"></script></head>
<body data-tecton-module>
<main><h1>Approve it on your phone</h1><button id="go" disabled>Send</button><p id="said"></p>
<q2-btn intent="workflow-primary" id="btn">Go on</q2-btn>
<q2-input id="input" label="Name" value="Ada" maxlength="5" errors='["Too short."]' hints='["As in your passport."]'></q2-input>
<q2-otp id="otp" label="Code" length="4"></q2-otp>
<q2-message id="message" type="warning">Careful.</q2-message>
<q2-loading></q2-loading><q2-loc value="hello" substitutions='{"name": "Ada"}'></q2-loc></main>
<script src="./index.js"></script></body></html>
"""

SCRIPT = """tecton.connected.then(async (api) => {
  const call = (route) => api.sources.requestExtensionData({ route, body: {} }).then(({ data }) => data);
  const go = document.querySelector("#go");
  go.disabled = false;
  go.addEventListener("click", async () => {
    await call("ask");
    let data = { pending: true };
    try {
      while (data.pending) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        data = await call("check");
      }
      await api.actions.verifyMFA({ token: data.token });
    } catch {
      document.querySelector("#said").textContent = "Denied.";
    }
  });
});
"""

CONFIGURATION = """
FEATURE = {"core": False, "modules": {"Main": {"formPostAuth": False, "url": "{BASE_URL}/index.html",
    "allowDirectives": ["publickey-credentials-get *", "camera"]}}}
"""

PROVE = """
async def prove(ask, phone, mfa_info):
    await ask("ask")
    phone.approve()
    return {"route": "check", "body": {}}
"""


def make_own_extension(root: Path) -> Path:
    """A workspace with the extension, without a ``prove.py``."""
    workspace = make_workspace(root)
    settings = workspace / "configuration" / "settings.py"
    settings.write_text(settings.read_text().replace("[]", f"['{NAME}']"))
    files = {
        f"configuration/{NAME}.py": CONFIGURATION,
        f"{NAME}/__init__.py": "",
        f"{NAME}/extension.py": EXTENSION,
        f"{NAME}/urls.py": (
            "from tornado.web import url\n\nfrom .extension import PushApprovalHandler\n\n"
            rf"URL_PATTERNS = [url(r'/{NAME}(?:/(?P<routing_key>[\w.-]+))?/?', PushApprovalHandler)]" + "\n"
        ),
        f"{NAME}/frontend/public/index.html": PAGE,
        f"{NAME}/frontend/public/index.js": SCRIPT,
        f"{NAME}/frontend/public/assets/languages/en-US.json": '{"hello": "Hello, {name}."}',
        f"{NAME}/frontend/public/assets/languages/es-MX.json": '{"hello": "Hola, {name}."}',
        f"{NAME}/tests/__init__.py": "",
    }
    for name, text in files.items():
        file = workspace / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return workspace


def prove(workspace: Path, text: str = PROVE) -> None:
    (workspace / NAME / "tests" / "prove.py").write_text(text)
