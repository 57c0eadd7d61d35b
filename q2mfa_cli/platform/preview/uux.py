"""UUX, the online-banking web app, as far as External MFA concerns it: challenges, the outlet, the Tecton bridge.

An extension's page talks to the Tecton bridge only, over ``postMessage``; UUX's page hands what it asks to this server,
which calls the extension with the customer's session. So no session is ever in an extension's page. How production
does it is a [guess].
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from q2mfa_cli.platform.events import ProviderEvent
from q2mfa_cli.platform.preview.providers import Provider
from q2mfa_cli.platform.preview.trace import Row, Trace
from q2mfa_cli.platform.preview.workflows import SWITCHES, Workflow, workflow_named

if TYPE_CHECKING:
    from q2_sdk._platform import Platform, Session
    from tornado.httputil import HTTPServerRequest

    from q2mfa_cli.platform.preview.extension import Extension

TICKET_FIELD = "q2_ticket"
TICKET_SECONDS = 60
CALL_SECONDS = 60

# Routes that a page calls before anybody proved anything: their failure is not that of step 1.
OPENING_ROUTES = ("default", "start")


class NoSuchChallenge(Exception):
    """There is no challenge of that id."""


@dataclass
class Challenge:
    """One request for MFA, of one customer in one workflow.

    :param id: what the customer's page knows it by; the id of the session at HQ stays on the server.
    :param outcome: open, complete, refused (the page may try again) or left.
    """

    id: str
    workflow: Workflow
    session: Session
    started: float
    trace: Trace = field(default_factory=Trace)
    tickets: dict[str, float] = field(default_factory=dict)
    calls: list[Row] = field(default_factory=list)
    outcome: str = "open"

    def report(self, name: str) -> dict[str, Any]:
        """What a bug report needs, without a secret."""
        return {
            "extension": name,
            "workflow": self.workflow.id,
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(self.started)),
            "outcome": self.outcome,
            "broken": sorted(self.session.faults),
            "sequence": self.trace.as_json(),
        }


class UUX:
    """The challenges of one run of the preview.

    :param extension_origin: where the extension is served. :param platform: what is behind the SDK.
    :param login: the identity provider of a redirect extension.
    """

    def __init__(
        self, platform: Platform, extension: Extension, extension_origin: str, login: Provider | None = None
    ) -> None:
        self.platform, self.extension, self.extension_origin = platform, extension, extension_origin
        self.idp = login.embedded if login else None
        self.challenges: dict[str, Challenge] = {}
        self._at_provider: Challenge | None = None
        self._by_header = platform.session_of
        platform.session_of = self.session_of  # type: ignore[method-assign]
        platform.hq.watch = self._hq_was_asked
        platform.watch_outbound = self._provider_was_asked
        if self.idp is not None:
            self.idp.events.subscribe(ProviderEvent, self._customer_was_at_provider)

    @property
    def breakable(self) -> set[str]:
        """Where something can be broken."""
        return {"hq", "idp"} if self.idp is not None else {"hq"}

    def open(self, workflow: object, mfa_info: dict[str, Any]) -> Challenge:
        """Ask a customer for MFA.

        :raises ValueError: no such workflow, or *mfa_info* is not one of a single workflow.
        """
        chosen = workflow_named(workflow)
        session = self.platform.hq.open_session(chosen.authenticated, mfa_info)
        challenge = Challenge(secrets.token_urlsafe(16), chosen, session, time.time())
        self.challenges[challenge.id] = challenge
        if self.idp is not None:
            attribute = getattr(self.extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
            self.idp.expected_user = str(mfa_info.get(attribute, ""))
        return challenge

    def challenge(self, identifier: str) -> Challenge:
        """:raises NoSuchChallenge: there is none of that id."""
        if identifier not in self.challenges:
            raise NoSuchChallenge
        return self.challenges[identifier]

    def outlet(self, challenge: Challenge) -> dict[str, str]:
        """How the outlet opens the extension, by its FEATURE: ``{"method", "url", "ticket"}``.

        With ``formPostAuth`` a form is posted into the outlet. What it carries in production is a [guess]; here, a
        ticket that is good once.
        """
        feature = self.extension.feature
        if feature.get("formPostAuth"):
            ticket = secrets.token_urlsafe(16)
            challenge.tickets[ticket] = time.monotonic() + TICKET_SECONDS
            challenge.trace.add("uux", "page", "The outlet posts a form to the extension")
            return {
                "method": "post",
                "url": f"{self.extension_origin}/{self.extension.name}",
                "ticket": ticket,
            }
        page = str(feature.get("url", "")).replace("{BASE_URL}", self.base_url)
        challenge.trace.add("uux", "page", f"The outlet opens {page.rpartition('/')[2]}")
        return {"method": "get", "url": page, "ticket": ""}

    @property
    def base_url(self) -> str:
        return f"{self.extension_origin}/assets/{self.extension.name}"

    def session_of(self, request: HTTPServerRequest) -> Session | None:
        """The session by the header, which only this server sends, or by the ticket of a posted form."""
        for ticket in request.body_arguments.pop(TICKET_FIELD, []):
            for challenge in self.challenges.values():
                good_until = challenge.tickets.pop(ticket.decode("latin-1"), 0.0)
                if time.monotonic() < good_until:
                    return self.platform.hq.find_session(challenge.session.id)
        return self._by_header(request)

    async def request_extension_data(self, challenge: Challenge, route: str, body: object) -> dict[str, Any]:
        """``tecton.sources.requestExtensionData``: what it resolves to, or with a status outside 2xx rejects with.

        What a rejection holds is a [guess].
        """
        from q2_sdk._platform import SESSION_HEADER

        trace = challenge.trace
        row = trace.begin("page", "extension", f"requestExtensionData: {route}", body)
        challenge.calls.append(row)
        try:
            response = await AsyncHTTPClient().fetch(
                HTTPRequest(
                    f"{self.extension_origin}/{self.extension.name}/{quote(route, safe='')}",
                    "POST",
                    headers={"Content-Type": "application/json", SESSION_HEADER: challenge.session.id},
                    body=json.dumps(body),
                    request_timeout=CALL_SECONDS,
                ),
                raise_error=False,
            )
        except (HTTPClientError, OSError):
            trace.end(row, f"no answer within {CALL_SECONDS} s")
            return {"status": 504, "statusText": "Gateway Timeout", "data": {}, "message": "No answer"}
        finally:
            challenge.calls.remove(row)
        answer = _json_object(response.body)
        if response.code < 300:
            trace.end(row)
            if row.step == 1:
                trace.add("extension", "page", "answer with the token", answer.get("data"), 4)
        else:
            if route not in OPENING_ROUTES:
                trace.number(row, 1)
            trace.end(row, f"{response.code}: {answer.get('error') or 'no answer that is JSON'}")
        return {
            "status": response.code,
            "statusText": response.reason,
            "data": answer.get("data", {}),
            "message": answer.get("error", ""),
        }

    def verify_mfa(self, challenge: Challenge, token: object, leave: bool = False) -> str:
        """``tecton.actions.verifyMFA``: why it rejects; empty where it resolves."""
        trace = challenge.trace
        if leave and not token:
            trace.add("page", "uux", "verifyMFA: leave MFA", {"exit": True})
            challenge.outcome = "left"
            return ""
        row = trace.begin("page", "uux", "verifyMFA", {"token": token}, 5)
        verified = self.platform.hq.verify(challenge.session, token)
        why = "" if verified else trace.rows[-1].why
        trace.end(row)
        trace.add("uux", "page", f"verifyMFA {'resolves' if verified else 'rejects'}", None, 8, why)
        if challenge.outcome != "complete":
            challenge.outcome = "complete" if verified else "refused"
        return why

    def switch(self, challenge: Challenge, wanted: set[str]) -> None:
        """Break exactly what *wanted* names; what is at HQ for this challenge only.

        :raises ValueError: there is no such switch.
        """
        at = {switch.id: switch.at for switch in SWITCHES if switch.at in self.breakable}
        unknown = wanted - set(at)
        if unknown:
            raise ValueError(f"the switches are {', '.join(at)}")
        challenge.session.faults = {name for name in wanted if at[name] == "hq"}
        if self.idp is not None:
            self.idp.switches.clear()
            self.idp.switches.update(name for name in wanted if at[name] == "idp")

    def _hq_was_asked(self, session: Session, asked: str, token: object, took: float, why: str) -> None:
        challenge = self._challenge_of(session)
        if challenge is None:
            return
        asker, step = ("extension", 2) if asked == "set" else ("uux", 6)
        if step == 2 and challenge.calls:
            challenge.trace.number(challenge.calls[-1], 1)
        what = "set_external_mfa_token" if step == 2 else "verify the token"
        down = "hq_down" in session.faults
        challenge.trace.add(asker, "hq", what, {"token": token}, step, why if down else "", took)
        if not down:
            answers = ("kept", "not kept") if step == 2 else ("verified", "not verified")
            challenge.trace.add("hq", asker, answers[bool(why)], None, step + 1, why)

    def _provider_was_asked(
        self, session: Session | None, method: str, url: str, status: int, took: float, why: str
    ) -> None:
        challenge = self._challenge_of(session)
        if challenge is not None:
            self._at_provider = challenge
            why = why or (f"the provider answered {status}" if status >= 400 else "")
            address = urlsplit(url)
            payload = {"status": status, "host": address.netloc}
            challenge.trace.add("extension", "idp", f"{method} {address.path}", payload, None, why, took)

    def _customer_was_at_provider(self, event: ProviderEvent) -> None:
        """What the embedded provider saw of the browser, which comes without a session.

        It is told in the challenge whose extension last asked the provider for something.
        """
        seen = {
            "login_shown": ("page", "idp", "The customer is sent to log in"),
            "approved": ("page", "idp", "The customer approves"),
            "denied": ("page", "idp", "The login is denied"),
            "code_issued": ("idp", "page", "Back to verify.html with a code"),
            "refused": ("idp", "page", "The provider refuses"),
            "down": ("idp", "page", "The provider is down"),
        }.get(event.what)
        payload = event.payload
        browser = payload.get("endpoint") in (None, "authorization", "login")
        if seen and browser and self._at_provider is not None:
            why = str(payload.get("error_description") or "") or (
                "it answers 503" if event.what == "down" else ""
            )
            self._at_provider.trace.add(*seen, payload, None, why)

    def _challenge_of(self, session: Session | None) -> Challenge | None:
        return next((each for each in self.challenges.values() if each.session is session), None)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
