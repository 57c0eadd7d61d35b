"""UUX, the online-banking web app, as far as External MFA needs it: the outlet and the Tecton bridge.

An extension's page talks to the Tecton bridge only, over ``postMessage``. UUX's page passes each request to this server,
which calls the extension with the customer's session. So an extension's page never has the session. How production
does it is not documented.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from q2mfa_cli.platform import hq, idp, readings
from q2mfa_cli.platform.events import ReadingsChanged
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.challenges import Challenge, Challenges
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.providers import Provider
from q2mfa_cli.platform.preview.recording import Recorder
from q2mfa_cli.platform.preview.workflows import workflow_named
from q2mfa_cli.platform.sessions import SESSION_HEADER
from q2mfa_cli.platform.switches import Switch

CALL_SECONDS = 60

# Routes that a page calls before the customer proves anything: their failure is not that of step 1.
OPENING_ROUTES = ("default", "start")


class UUX:
    """Online banking in one run of the preview.

    :param extension_origin: where the extension is served.
    :param provider: the identity provider of a redirect extension.
    """

    def __init__(
        self, platform: Platform, extension: Extension, extension_origin: str, provider: Provider | None
    ) -> None:
        self.platform, self.extension, self.extension_origin = platform, extension, extension_origin
        self.idp = provider.embedded if provider else None
        self.challenges = Challenges(platform.events)
        self._recorder = Recorder(platform.events, self.challenges)

    @property
    def switches(self) -> tuple[Switch, ...]:
        """Everything that can be broken."""
        return (*hq.SWITCHES, *(idp.SWITCHES if self.idp else ()))

    def open(self, workflow: object, mfa_info: dict[str, Any]) -> Challenge:
        """Ask a customer for MFA.

        :raises ValueError: no such workflow, or *mfa_info* does not belong to a single workflow.
        """
        chosen = workflow_named(workflow)
        session = self.platform.hq.open_session(chosen.authenticated, mfa_info)
        if self.idp is not None:
            attribute = getattr(self.extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
            self.idp.expected_user = str(mfa_info.get(attribute, ""))
        return self.challenges.add(chosen, session)

    def outlet(self, challenge: Challenge) -> dict[str, str]:
        """How the outlet opens the extension, by its FEATURE: ``{"method", "url", "ticket"}``.

        With ``formPostAuth`` a form is posted into the outlet. What it carries in production is not documented; here it
        is a ticket that is valid once.
        """
        feature = self.extension.feature
        if feature.get("formPostAuth"):
            challenge.trace.add("uux", "page", "The outlet posts a form to the extension")
            return {
                "method": "post",
                "url": f"{self.extension_origin}/{self.extension.name}",
                "ticket": self.platform.hq.issue_ticket(challenge.session),
            }
        base_url = f"{self.extension_origin}/assets/{self.extension.name}"
        page = str(feature.get("url", "")).replace("{BASE_URL}", base_url)
        challenge.trace.add("uux", "page", f"The outlet opens {page.rpartition('/')[2]}")
        return {"method": "get", "url": page, "ticket": ""}

    async def request_extension_data(self, challenge: Challenge, route: str, body: object) -> dict[str, Any]:
        """``tecton.sources.requestExtensionData``: what it resolves to or, if the status is not 2xx, rejects with.

        ``error`` is not part of either: it is the message for the developer.
        """
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
            return {"status": 504, "statusText": "Gateway Timeout", "data": {}, "error": "No answer"}
        finally:
            challenge.calls.remove(row)
        answer = _json_object(response.body)
        data, message = answer.get("data", {}), answer.get("error", "")
        result = {"status": response.code, "statusText": response.reason, "data": data, "error": message}
        if response.code < 300:
            trace.end(row)
            if row.step == 1:
                trace.add("extension", "page", "answer with the token", data, 4)
            return result
        if route not in OPENING_ROUTES:
            trace.number(row, 1)
        trace.end(row, f"{response.code}: {message or 'the answer is not JSON'}")
        match self.platform.readings.error_data:
            case "nested":
                result["data"] = {"message": message, "data": data}
            case "message":
                result |= {"message": message, "data": {}}
        return result

    def verify_mfa(self, challenge: Challenge, token: object) -> hq.Verdict:
        """``tecton.actions.verifyMFA({token})``: it resolves if HQ verifies the token, and rejects if not."""
        trace = challenge.trace
        row = trace.begin("page", "uux", "verifyMFA", {"token": token}, 5)
        verdict = self.platform.hq.verify(challenge.session, token)
        trace.end(row)
        end = "resolves" if verdict.verified else "rejects"
        trace.add("uux", "page", f"verifyMFA {end}", None, 8, verdict.reason)
        if challenge.outcome != "complete":
            challenge.outcome = "complete" if verdict.verified else "refused"
        return verdict

    def leave_mfa(self, challenge: Challenge) -> None:
        """``tecton.actions.verifyMFA({exit: true})``"""
        challenge.trace.add("page", "uux", "verifyMFA: leave MFA", {"exit": True})
        challenge.outcome = "left"

    def use_readings(self, values: dict[str, Any]) -> None:
        """Change the readings.

        :raises ValueError: see :func:`readings.parse`.
        """
        self.platform.readings = readings.parse(values)
        self.platform.events.publish(ReadingsChanged())

    def switch(self, challenge: Challenge, wanted: set[str]) -> None:
        """Turn on exactly the switches *wanted*. Those of HQ apply to this challenge only.

        :raises ValueError: there is no such switch.
        """
        known = [switch.id for switch in self.switches]
        if not wanted <= set(known):
            raise ValueError(f"the switches are {', '.join(known)}")
        challenge.session.switches = wanted & {switch.id for switch in hq.SWITCHES}
        if self.idp is not None:
            self.idp.switches.clear()
            self.idp.switches.update(wanted - challenge.session.switches)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
