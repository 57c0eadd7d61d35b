"""UUX over HTTP: its page, and what the page's script asks for.

====================================== ==============================================================================
``GET /``                              the page; its script and style are beside it
``GET /api/platform``                  what is previewed: name, integration, rendering, origins, workflows, switches
``POST /api/challenges``               ``{"workflow", "mfa_info"}`` → ``{"id", "outlet"}``
``POST /api/challenges/ID/outlet``     → how the outlet is opened anew
``POST /api/challenges/ID/extension``  ``{"route", "body"}`` → ``{"status", "statusText", "data", "message"}``
``POST /api/challenges/ID/verify``     ``{"token", "exit"}`` → ``{"why"}``: empty where ``verifyMFA`` resolves
``PUT /api/challenges/ID/switches``    ``{"on": […]}``
``GET /api/challenges/ID/report``      the sequence as JSON; ``?as=text`` as text
``GET /api/challenges/ID/passcode``    the standard integration's authenticator app: the code of now
``GET /api/challenges/ID/qr.svg``      the same secret for a phone
``WS /api/challenges/ID/events``       each row of the sequence as it changes, and reloads of the extension
====================================== ==============================================================================

Whoever knows a challenge's id is its customer: it is random, and never in an extension's page.
"""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any, ClassVar

from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from q2mfa_cli.platform.preview.trace import PARTIES, STEPS
from q2mfa_cli.platform.preview.uux import UUX, Challenge, NoSuchChallenge
from q2mfa_cli.platform.preview.workflows import described

STATIC = Path(__file__).resolve().parent / "static"
PAGES = {
    "": ("uux.html", "text/html"),
    "uux.css": ("uux.css", "text/css"),
    "uux.js": ("uux.js", "text/javascript"),
    "bridge.js": ("bridge.js", "text/javascript"),
    "sequence.js": ("sequence.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}


class _Handler(RequestHandler):
    def initialize(self, uux: UUX, about: dict[str, Any]) -> None:
        self.uux, self.about = uux, about

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def prepare(self) -> None:
        # No form of another site's page can send this type, nor its script without asking first (CORS).
        if self.request.method in ("POST", "PUT") and not self.request.headers.get(
            "Content-Type", ""
        ).startswith("application/json"):
            raise HTTPError(415, reason="JSON is expected")

    def body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise HTTPError(400, reason="A JSON object is expected")
        return body

    def challenge(self, identifier: str) -> Challenge:
        try:
            return self.uux.challenge(identifier)
        except NoSuchChallenge:
            raise HTTPError(404, reason="There is no such challenge") from None

    def write_error(self, status_code: int, **_: Any) -> None:
        self.write({"error": self._reason})


class _Page(_Handler):
    def get(self, name: str) -> None:
        if name not in PAGES:
            raise HTTPError(404)
        file, kind = PAGES[name]
        frames = " ".join(self.about["frames"])
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"frame-src {frames}; form-action {self.uux.extension_origin}; base-uri 'none'; frame-ancestors 'none'",
        )
        self.write((STATIC / file).read_bytes())


class _Platform(_Handler):
    def get(self) -> None:
        extension = self.uux.extension
        self.write(
            {
                "name": extension.name,
                "integration": extension.integration,
                "rendering": "SSR" if extension.feature.get("formPostAuth") else "CSR",
                "extension_origin": self.uux.extension_origin,
                "changed_for_this_run": self.about["changed"],
                "steps": STEPS,
                "parties": {
                    party: label
                    for party, label in PARTIES.items()
                    if party != "idp" or extension.integration == "redirect"
                },
                **described(self.uux.breakable, self.about["mfa_info"]),
            }
        )


class _Challenges(_Handler):
    def post(self) -> None:
        body = self.body()
        try:
            challenge = self.uux.open(body.get("workflow"), dict(body.get("mfa_info") or {}))
        except (TypeError, ValueError) as error:
            self.set_status(400)
            self.write({"error": str(error)})
        else:
            self.write({"id": challenge.id})


class _Outlet(_Handler):
    def post(self, identifier: str) -> None:
        self.write(self.uux.outlet(self.challenge(identifier)))


class _Extension(_Handler):
    async def post(self, identifier: str) -> None:
        challenge, asked = self.challenge(identifier), self.body()
        route, body = asked.get("route") or "default", asked.get("body", {})
        if not isinstance(route, str) or not isinstance(body, dict):
            raise HTTPError(400, reason="route is a text and body a plain object")
        self.write(await self.uux.request_extension_data(challenge, route, body))


class _Verify(_Handler):
    def post(self, identifier: str) -> None:
        challenge, body = self.challenge(identifier), self.body()
        why = self.uux.verify_mfa(challenge, body.get("token"), body.get("exit") is True)
        self.write({"why": why, "outcome": challenge.outcome})


class _Switches(_Handler):
    def put(self, identifier: str) -> None:
        challenge, wanted = self.challenge(identifier), self.body().get("on")
        try:
            self.uux.switch(challenge, {str(name) for name in wanted or []})
        except (TypeError, ValueError) as error:
            self.set_status(400)
            self.write({"error": str(error)})


class _Report(_Handler):
    def get(self, identifier: str) -> None:
        challenge = self.challenge(identifier)
        report = challenge.report(self.uux.extension.name)
        if self.get_query_argument("as", "") != "text":
            self.write(report)
            return
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        heads = (f"{key}: {report[key]}" for key in ("extension", "workflow", "started", "outcome"))
        broken = f"broken on purpose: {', '.join(report['broken']) or 'nothing'}"
        self.write("\n".join([*heads, broken, "", *challenge.trace.as_text()]) + "\n")


class _Authenticator(_Handler):
    def authenticator(self, identifier: str) -> Any:
        import pyotp

        secret = str(self.challenge(identifier).session.mfa_info.get("registration_value"))
        try:
            totp = pyotp.TOTP(secret, name="preview", issuer=self.uux.extension.name)
            totp.now()
        except ValueError:
            raise HTTPError(404, reason="The registration value is no base32 secret") from None
        return totp


class _Passcode(_Authenticator):
    def get(self, identifier: str) -> None:
        totp = self.authenticator(identifier)
        self.write({"passcode": totp.now(), "seconds": totp.interval - time.time() % totp.interval})


class _QrCode(_Authenticator):
    def get(self, identifier: str) -> None:
        import segno

        drawing = io.BytesIO()
        segno.make(self.authenticator(identifier).provisioning_uri(), error="m").save(
            drawing, kind="svg", border=2, omitsize=True, light="#fff", dark="#000"
        )
        self.set_header("Content-Type", "image/svg+xml")
        self.write(drawing.getvalue())


class _Events(WebSocketHandler):
    everybody: ClassVar[set[_Events]] = set()

    def initialize(self, uux: UUX, about: dict[str, Any]) -> None:
        self.uux = uux
        self._listening: Any = None

    def open(self, *path: str, **_: str) -> None:
        try:
            challenge = self.uux.challenge(path[0])
        except NoSuchChallenge:
            self.close(4404)
            return
        self.everybody.add(self)
        self._listening = challenge.trace.listening(lambda row: self.tell({"row": row}))
        self._listening.__enter__()

    def on_message(self, message: str | bytes) -> None:
        """Nothing is expected from the page."""

    def on_close(self) -> None:
        self.everybody.discard(self)
        if self._listening is not None:
            self._listening.__exit__(None, None, None)

    def tell(self, message: dict[str, Any]) -> None:
        try:
            self.write_message(message)
        except WebSocketClosedError:
            self.everybody.discard(self)


def tell_everybody(message: dict[str, Any]) -> None:
    """Tell every open page *message*."""
    for page in list(_Events.everybody):
        page.tell(message)


def handlers(uux: UUX, about: dict[str, Any]) -> list[Any]:
    """Tornado's URL patterns of UUX.

    :param about: ``frames``: what the outlet may show; ``changed``: what the extension was given for this run only;
        ``mfa_info``: attributes that every workflow starts from.
    """
    given = {"uux": uux, "about": about}
    one = r"/api/challenges/([\w-]+)"
    return [
        (r"/([a-z.]*)", _Page, given),
        (r"/api/platform", _Platform, given),
        (r"/api/challenges", _Challenges, given),
        (rf"{one}/outlet", _Outlet, given),
        (rf"{one}/extension", _Extension, given),
        (rf"{one}/verify", _Verify, given),
        (rf"{one}/switches", _Switches, given),
        (rf"{one}/report", _Report, given),
        (rf"{one}/passcode", _Passcode, given),
        (rf"{one}/qr.svg", _QrCode, given),
        (rf"{one}/events", _Events, given),
    ]
