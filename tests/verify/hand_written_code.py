"""An extension in a style of its own: a delivered code, helper functions, routes `begin` and `complete`."""

from __future__ import annotations

from pathlib import Path

from preview_process import make_workspace

NAME = "bank_code"

EXTENSION = """
import hmac
import secrets

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler

from .tickets import mint


def deny(handler, why):
    handler.logger.warning("bank code denied: %s", why)
    raise TectonError("denied", {"code": "denied"})


async def grant(handler):
    handler.logger.info("bank code accepted")
    return await handler.set_external_mfa_token(mint())


class BankCode(Q2TectonClientRequestHandler):
    CONFIG_FILE_NAME = "bank_code"
    REQUIRED_CONFIGURATIONS = {"PEPPER": "", "DIGITS": 8}

    @property
    def router(self):
        return {**super().router, "begin": self.begin, "complete": self.complete}

    def confirms(self):
        return [str(each) for each in getattr(self.mfa_info, "transaction_ids", None) or []]

    def seal(self, code):
        if not self.config.PEPPER:
            deny(self, "PEPPER is empty")
        return hmac.digest(self.config.PEPPER.encode(), code.encode(), "sha256").hex()

    async def begin(self):
        number = getattr(self.mfa_info, "registration_value", None)
        if not number:
            deny(self, "not registered")
        code = "".join(secrets.choice("0123456789") for _ in range(8))
        self.session_cache.set("pending", {"code": self.seal(code), "for": self.confirms()}, 300)
        self.deliver_message(number, f"Your code is {code}.")
        return {"sent": True}

    async def complete(self):
        typed = self.request_body.get("typed")
        if not isinstance(typed, str) or not typed.isascii():
            deny(self, "no code")
        pending = self.session_cache.get("pending")
        if not pending or pending["for"] != self.confirms():
            deny(self, "nothing is pending")
        self.session_cache.delete("pending")
        if not hmac.compare_digest(pending["code"], self.seal(typed)):
            deny(self, "wrong code")
        return await grant(self)
"""

TICKETS = """
import secrets


def mint():
    return secrets.token_urlsafe(32)
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>Code</title>
<script src="https://cdn1.onlineaccess1.com/cdn/base/tecton/v1.62.0/q2-tecton-sdk.js"></script></head>
<body data-tecton-module>
<p id="said">Confirm it is you.</p>
<label for="typed">Code</label><input id="typed" autocomplete="one-time-code" disabled>
<button id="begin">Send a code</button><button id="complete">Confirm</button><button id="leave">Cancel</button>
<script>
  const at = (id) => document.getElementById(id);
  const ask = (route, body) => tecton.sources.requestExtensionData({ route, body });
  const trying = (step) => async () => {
    try {
      at("said").textContent = await step();
    } catch {
      at("said").textContent = "That did not work.";
    }
  };
  at("leave").onclick = () => tecton.actions.verifyMFA({ exit: true }).catch(() => {});
  at("begin").onclick = trying(async () => {
    await ask("begin", {});
    at("typed").disabled = false;
    return "We sent a code to your phone.";
  });
  at("complete").onclick = trying(async () => {
    const { data } = await ask("complete", { typed: at("typed").value });
    await tecton.actions.verifyMFA({ token: data.token });
    return "Confirmed.";
  });
</script>
</body>
</html>
"""

CONFIGURATION = """
PEPPER = "in production, this is read from the environment"
DIGITS = 8

FEATURE = {"modules": {"Main": {"formPostAuth": False, "url": "{BASE_URL}/index.html"}}}
"""

PROVE = """
import re


async def use_page(page, phone):
    await page.get_by_role("button", name="Send a code").click()
    await page.get_by_text("We sent a code").wait_for()
    await page.get_by_label("Code").fill(re.search("[0-9]{8}", phone.messages[-1]["text"])[0])
    await page.get_by_role("button", name="Confirm").click()


async def prove(ask, phone, mfa_info):
    await ask("begin")
    return {"route": "complete", "body": {"typed": re.search("[0-9]{8}", phone.messages[-1]["text"])[0]}}
"""


def make_bank_code(root: Path, prove: bool = True) -> Path:
    """A workspace with the extension, and with a ``prove.py`` unless *prove* is False."""
    workspace = make_workspace(root)
    settings = workspace / "configuration" / "settings.py"
    settings.write_text(settings.read_text().replace("[]", f"['{NAME}']"))
    files = {
        f"configuration/{NAME}.py": CONFIGURATION,
        f"{NAME}/__init__.py": "",
        f"{NAME}/extension.py": EXTENSION,
        f"{NAME}/tickets.py": TICKETS,
        f"{NAME}/urls.py": (
            "from tornado.web import url\n\nfrom .extension import BankCode\n\n"
            rf"URL_PATTERNS = [url(r'/{NAME}(?:/(?P<routing_key>[\w.-]+))?/?', BankCode)]" + "\n"
        ),
        f"{NAME}/frontend/public/index.html": PAGE,
    }
    if prove:
        files[f"{NAME}/tests/prove.py"] = PROVE
    for name, text in files.items():
        file = workspace / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return workspace
