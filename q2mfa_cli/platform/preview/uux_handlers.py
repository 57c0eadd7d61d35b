"""UUX over HTTP: its page, and the API for the page's script.

====================================== ==============================================================================
``GET /``                              the page; also its scripts and style sheets
``GET /api/platform``                  what is previewed: name, integration, rendering, origins, workflows, switches
``POST /api/challenges``               ``{"workflow", "mfa_info"}`` → ``{"id", "outlet"}``
``POST /api/challenges/ID/outlet``     → how the outlet opens the extension, or why it cannot; starts a new sequence
``POST /api/challenges/ID/close``      the customer closes the extension's page
``POST /api/challenges/ID/failures``   ``{"kind", "message", "url", "line", "frames"}``: something failed in that page
``POST /api/challenges/ID/extension``  ``{"route", "body"}`` → ``{"status", "statusText", "data", "error"}``
``POST /api/challenges/ID/verify``     ``{"token", "exit"}`` → ``{"why", "outcome"}``: why is empty if ``verifyMFA`` resolves
``GET /api/theme``                     the file of ``--theme``
``PUT /api/configuration``             ``{"MAX_AGE": 0}``: all changes to the extension's configuration for this run
``PUT /api/readings``                  ``{"loc": "key", …}``: the assumptions about undocumented behavior
``PUT /api/challenges/ID/switches``    ``{"on": […]}``
``GET /api/challenges/ID/report``      the sequence as JSON, or with ``?as=text`` or ``?as=mermaid`` as text
``GET /api/challenges/ID/passcode``    the standard integration's authenticator app: the current code
``GET /api/challenges/ID/messages``    the messages on the customer's phone
``POST …/ID/messages/answer``          ``{"id", "answer"}``: the customer approves or denies a message
``GET /api/challenges/ID/qr.svg``      the authenticator app's secret as a QR code
``WS /api/challenges/ID/events``       changes of the sequence, the status, failures, and reloads
====================================== ==============================================================================

A challenge's ID identifies its customer. It is random, and an extension's page never receives it.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyotp
import segno
from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from q2mfa_cli.integrations import REDIRECT
from q2mfa_cli.platform import readings
from q2mfa_cli.platform.events import ExtensionLoaded, StylesChanged
from q2mfa_cli.platform.preview import phone, workflows
from q2mfa_cli.platform.preview.challenges import (
    Challenge,
    Ended,
    Failed,
    LogGrew,
    NoSuchChallenge,
    PhoneChanged,
    RowChanged,
    RowGone,
)
from q2mfa_cli.platform.preview.trace import PARTIES, STEPS
from q2mfa_cli.platform.preview.uux import UUX

STATIC = Path(__file__).resolve().parent / "static"
KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
PAGES = {file.name: file for file in STATIC.iterdir() if file.suffix in KINDS}


MAX_DEPTH = 64


def _is_shallow(value: Any) -> bool:
    """Whether the objects and arrays in *value* are nested at most :data:`MAX_DEPTH` levels deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        children = [
            each.values() if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        ]
        level = [item for child in children for item in child]
    return not level


class _Handler(RequestHandler):
    def initialize(self, uux: UUX, about: dict[str, Any]) -> None:
        self.uux, self.about = uux, about

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def prepare(self) -> None:
        # A form of another site cannot send this type, and a script of another site needs permission (CORS).
        if self.request.method in ("POST", "PUT") and not self.request.headers.get(
            "Content-Type", ""
        ).startswith("application/json"):
            raise HTTPError(415, reason="JSON is expected")

    def body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.request.body)
            json.dumps(
                body, ensure_ascii=False
            ).encode()  # refuse lone surrogates, which are not valid Unicode
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict) or not _is_shallow(body):
            raise HTTPError(400, reason="A JSON object is expected")
        return body

    def challenge(self, identifier: str) -> Challenge:
        try:
            return self.uux.challenges.get(identifier)
        except NoSuchChallenge:
            raise HTTPError(404, reason="There is no such challenge") from None

    def write_error(self, status_code: int, **_: Any) -> None:
        self.write({"error": self._reason})


class _Page(_Handler):
    def get(self, name: str) -> None:
        file = PAGES.get(name or "uux.html")
        if file is None:
            raise HTTPError(404)
        frames = " ".join(self.about["frames"])
        self.set_header("Content-Type", f"{KINDS[file.suffix]}; charset=utf-8")
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"frame-src {frames}; form-action {self.uux.extension_origin}; base-uri 'none'; frame-ancestors 'none'",
        )
        self.write(file.read_bytes())


class _Platform(_Handler):
    def get(self) -> None:
        extension = self.uux.extension
        self.write(
            {
                "name": extension.name,
                "integration": extension.integration.id,
                "kind": extension.kind,
                "rendering": "SSR" if extension.feature.get("formPostAuth") else "CSR",
                "phone": phone.sends_messages(extension),
                "theme": self.about["theme"].name if self.about["theme"] else "",
                "settings": extension.settings,
                "changes": self.uux.platform.changes,
                "extension_origin": self.uux.extension_origin,
                "changed_for_this_run": self.about["changed"],
                "steps": STEPS,
                "parties": PARTIES
                if extension.integration is REDIRECT
                else {**PARTIES, "idp": "Another host"},
                "lanes": [party for party in PARTIES if party != "idp" or extension.integration is REDIRECT],
                "workflows": workflows.as_json(self.about["new_customer"]()),
                "readings": readings.as_json(self.uux.platform.readings),
                "switches": [asdict(switch) for switch in self.uux.switches],
            }
        )


class _Theme(_Handler):
    def get(self) -> None:
        theme: Path | None = self.about["theme"]
        if theme is None:
            raise HTTPError(404)
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.write(theme.read_bytes())


class _Readings(_Handler):
    def put(self) -> None:
        try:
            self.uux.use_readings(self.body())
        except ValueError as error:
            self.set_status(400)
            self.write({"error": str(error)})


class _Configuration(_Handler):
    def put(self) -> None:
        try:
            self.uux.configure(self.body())
        except ValueError as error:
            self.set_status(400)
            self.write({"error": str(error)})


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


class _Close(_Handler):
    def post(self, identifier: str) -> None:
        self.uux.close(self.challenge(identifier))


class _Failures(_Handler):
    def post(self, identifier: str) -> None:
        self.uux.page_failed(self.challenge(identifier), self.body())


class _Extension(_Handler):
    async def post(self, identifier: str) -> None:
        challenge, asked = self.challenge(identifier), self.body()
        route, body = asked.get("route") or "default", asked.get("body", {})
        if not isinstance(route, str) or not isinstance(body, dict):
            raise HTTPError(400, reason="route must be a string, and body a plain object")
        self.write(await self.uux.request_extension_data(challenge, route, body))


class _Verify(_Handler):
    def post(self, identifier: str) -> None:
        challenge, body = self.challenge(identifier), self.body()
        token, reason = body.get("token"), ""
        if body.get("exit") is True and not token:
            self.uux.leave_mfa(challenge)
        else:
            reason = self.uux.verify_mfa(challenge, token).reason
        self.write({"why": reason, "outcome": challenge.outcome})


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
        kind = self.get_query_argument("as", "")
        if kind not in ("text", "mermaid"):
            self.write(report)
            return
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if kind == "mermaid":
            self.write(challenge.trace.as_mermaid())
            return
        heads = (f"{key}: {report[key]}" for key in ("extension", "workflow", "started", "outcome"))
        broken = f"simulated faults: {', '.join(report['broken']) or 'none'}"
        self.write("\n".join([*heads, broken, "", *challenge.trace.as_text()]) + "\n")


class _Authenticator(_Handler):
    def authenticator(self, identifier: str) -> Any:
        secret = str(self.challenge(identifier).session.mfa_info.get("registration_value"))
        try:
            totp = pyotp.TOTP(secret, name="preview", issuer=self.uux.extension.name)
            totp.now()
        except ValueError:
            raise HTTPError(404, reason="The registration value is not a base32 secret") from None
        return totp


class _Passcode(_Authenticator):
    def get(self, identifier: str) -> None:
        totp = self.authenticator(identifier)
        self.write({"passcode": totp.now(), "seconds": totp.interval - time.time() % totp.interval})


class _Messages(_Handler):
    def get(self, identifier: str) -> None:
        self.write({"messages": self.challenge(identifier).messages})


class _Answer(_Handler):
    def post(self, identifier: str) -> None:
        challenge, body = self.challenge(identifier), self.body()
        try:
            self.uux.answer_on_phone(challenge, body.get("id"), body.get("answer"))
        except ValueError as error:
            self.set_status(400)
            self.write({"error": str(error)})


class _QrCode(_Authenticator):
    def get(self, identifier: str) -> None:
        drawing = io.BytesIO()
        segno.make(self.authenticator(identifier).provisioning_uri(), error="m").save(
            drawing, kind="svg", border=2, omitsize=True, light="#fff", dark="#000"
        )
        self.set_header("Content-Type", "image/svg+xml")
        self.write(drawing.getvalue())


_Happened = RowChanged | RowGone | Ended | Failed | PhoneChanged | LogGrew


class _Events(WebSocketHandler):
    """Sends the events of one challenge to its page."""

    def initialize(self, uux: UUX, about: dict[str, Any]) -> None:
        self.uux = uux
        self._unsubscribe: list[Callable[[], None]] = []

    def open(self, *path: str, **_: str) -> None:
        try:
            challenge = self.uux.challenges.get(path[0])
        except NoSuchChallenge:
            self.close(4404)
            return
        self._challenge = challenge
        challenge.followers += 1
        self._send(
            {
                "rows": [asdict(row) for row in challenge.trace.rows],
                "status": challenge.status,
                "messages": challenge.messages,
                "log": list(challenge.log),
                "failure": challenge.failure and challenge.failure.as_json(),
            }
        )
        events = self.uux.platform.events
        self._unsubscribe = [
            events.subscribe(RowChanged, self._happened),
            events.subscribe(RowGone, self._happened),
            events.subscribe(Ended, self._happened),
            events.subscribe(Failed, self._happened),
            events.subscribe(PhoneChanged, self._happened),
            events.subscribe(LogGrew, self._happened),
            events.subscribe(StylesChanged, self._styles_changed),
            events.subscribe(ExtensionLoaded, lambda event: self._send({"reload": {"why": event.error}})),
        ]

    def on_message(self, message: str | bytes) -> None:
        """Ignore messages from the page, which uses the HTTP API."""

    def on_close(self) -> None:
        if self._unsubscribe:
            self._challenge.followers -= 1
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    def _styles_changed(self, event: StylesChanged) -> None:
        self._send({"theme": True} if event.of_theme else {"style": str(time.time_ns())})

    def _happened(self, event: _Happened) -> None:
        if event.challenge_id != self._challenge.id:
            return
        message: dict[str, Any] = {"status": self._challenge.status}
        match event:
            case RowChanged():
                message["row"] = asdict(event.row)
            case RowGone(index=None):
                message["rows"] = []
            case RowGone():
                message["gone"] = event.index
            case PhoneChanged():
                message["messages"] = self._challenge.messages
            case LogGrew():
                message["line"] = event.line
            case Failed():
                message["failure"] = event.failure.as_json()
        self._send(message)

    def _send(self, message: dict[str, Any]) -> None:
        # The page may have closed the connection; on_close follows.
        with contextlib.suppress(WebSocketClosedError):
            self.write_message(message)


def handlers(uux: UUX, about: dict[str, Any]) -> list[Any]:
    """Return UUX's URL patterns for Tornado.

    :param about: ``frames``: the CSP sources of the outlet; ``changed``: the changes for this run, as sentences;
        ``new_customer``: returns attributes that every workflow starts with.
    """
    given = {"uux": uux, "about": about}
    one = r"/api/challenges/([\w-]+)"
    return [
        (r"/([a-z.-]*)", _Page, given),
        (r"/api/platform", _Platform, given),
        (r"/api/configuration", _Configuration, given),
        (r"/api/theme", _Theme, given),
        (r"/api/readings", _Readings, given),
        (r"/api/challenges", _Challenges, given),
        (rf"{one}/outlet", _Outlet, given),
        (rf"{one}/close", _Close, given),
        (rf"{one}/failures", _Failures, given),
        (rf"{one}/extension", _Extension, given),
        (rf"{one}/verify", _Verify, given),
        (rf"{one}/switches", _Switches, given),
        (rf"{one}/report", _Report, given),
        (rf"{one}/passcode", _Passcode, given),
        (rf"{one}/messages", _Messages, given),
        (rf"{one}/messages/answer", _Answer, given),
        (rf"{one}/qr.svg", _QrCode, given),
        (rf"{one}/events", _Events, given),
    ]
