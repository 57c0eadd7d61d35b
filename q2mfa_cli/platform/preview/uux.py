"""UUX, the online-banking web app: the parts that External MFA needs, which are the outlet and the Tecton bridge.

An extension's page talks to the Tecton bridge only, over ``postMessage``. UUX's page passes each request to this server,
which calls the extension with the customer's session. So an extension's page never has the session. Q2 does not
document how production does this.
"""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any
from urllib.parse import quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from q2mfa_cli.platform import hq, idp, readings
from q2mfa_cli.platform.events import PageAnswered, PageAsked, ReadingsChanged
from q2mfa_cli.platform.failures import Failure
from q2mfa_cli.platform.idp import Visitor
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.challenges import (
    CLOSED,
    COMPLETE,
    LEFT,
    Challenge,
    Challenges,
    Ended,
    Forgotten,
    PhoneChanged,
)
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.page_failures import page_failure
from q2mfa_cli.platform.preview.providers import Provider
from q2mfa_cli.platform.preview.recording import Recorder
from q2mfa_cli.platform.preview.workflows import workflow_named
from q2mfa_cli.platform.sessions import SESSION_HEADER
from q2mfa_cli.platform.switches import Switch

log = logging.getLogger("q2mfa preview")

CALL_SECONDS = 60

# The names of the settings' types in error messages.
KINDS = {str: "a string", bool: "true or false", int: "an integer", float: "a number", list: "a list"}

# Routes that a page calls before the customer proves anything. Their failure does not belong to step 1.
OPENING_ROUTES = ("default", "start")


class UUX:
    """Online banking in one run of the preview.

    :param extension_origin: the origin that serves the extension.
    :param provider: the identity provider of a redirect extension.
    """

    def __init__(
        self, platform: Platform, extension: Extension, extension_origin: str, provider: Provider | None
    ) -> None:
        self.platform, self.extension, self.extension_origin = platform, extension, extension_origin
        self.idp = provider.embedded if provider else None
        self.challenges = Challenges(platform.hq, platform.events)
        self._calls = itertools.count()
        self._recorder = Recorder(platform.events, self.challenges, extension.workspace)
        if self.idp is not None:
            self.idp.visitor_of = self._visitor
        platform.events.subscribe(Forgotten, self._forget_answers)

    @property
    def switches(self) -> tuple[Switch, ...]:
        """The switches of HQ and, for a redirect extension, of the identity provider."""
        return (*hq.SWITCHES, *(idp.SWITCHES if self.idp else ()))

    def open(self, workflow: object, mfa_info: dict[str, Any]) -> Challenge:
        """Start a challenge for a customer.

        :raises ValueError: there is no such workflow, or *mfa_info* does not belong to a single workflow.
        """
        chosen = workflow_named(workflow)
        session = self.platform.hq.open_session(chosen.authenticated, mfa_info)
        return self.challenges.add(chosen, session)

    def _visitor(self, caller: str) -> Visitor | None:
        """Return the customer who sends a request to the provider, with the faults that are on for them."""
        challenge = self.challenges.of_caller(caller)
        if challenge is None:
            return None
        attribute = getattr(self.extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
        user = str(challenge.session.mfa_info.get(attribute, ""))
        return Visitor(user, challenge.provider_switches)

    def outlet(self, challenge: Challenge) -> dict[str, Any]:
        """Return how the outlet opens the extension, by its FEATURE: ``{"method", "url", "ticket", "allow", "failure"}``.

        With ``formPostAuth``, the outlet posts a form that contains a ticket. Q2 does not document the form's content in
        production. ``failure`` says why the extension cannot be opened; it is None if it can.
        """
        challenge.restart()
        challenge.session.mfa_complete = False
        failure = self.extension.failure
        opened = {"method": "get", "url": f"{self.extension_origin}/", "ticket": ""}
        if failure is not None:
            challenge.trace.add("uux", "page", "The outlet opens the extension", why=str(failure))
        elif self.extension.feature.get("formPostAuth"):
            challenge.opening = challenge.trace.begin(
                "uux", "page", "The outlet posts a form to the extension"
            )
            opened = {
                "method": "post",
                "url": f"{self.extension_origin}/{self.extension.name}",
                "ticket": self.platform.hq.issue_ticket(challenge.session),
            }
        else:
            base_url = f"{self.extension_origin}/assets/{self.extension.name}"
            opened["url"] = self.extension.page.replace("{BASE_URL}", base_url)
            what = f"The outlet opens {opened['url'].rpartition('/')[2]}"
            failure = self._missing_page(opened["url"].removeprefix(base_url))
            challenge.trace.add("uux", "page", what, why=str(failure or ""))
        if failure is not None:
            self.challenges.fail(challenge, failure)
        return {**opened, "allow": self.extension.allow, "failure": failure and failure.as_json()}

    def _missing_page(self, path: str) -> Failure | None:
        """Return the failure if the page of a client-side rendered extension does not exist."""
        file = self.extension.assets.joinpath(urlsplit(path).path.lstrip("/"))
        if not path.startswith("/") or file.is_file():
            return None
        name = file.relative_to(self.extension.workspace).as_posix()
        return Failure("FEATURE", "", f"The page that FEATURE opens does not exist: {name}", name)

    async def request_extension_data(
        self, challenge: Challenge, route: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what ``tecton.sources.requestExtensionData`` resolves to or, if the status is not 2xx, rejects with.

        The page does not receive ``error``, which is the message for the developer.
        """
        trace = challenge.trace
        row = trace.begin("page", "extension", f"requestExtensionData: {route}", body)
        challenge.calls.append(row)
        number, session_id = next(self._calls), challenge.session.id
        self.platform.events.publish(PageAsked(session_id, number, route, body))
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
        self.platform.events.publish(PageAnswered(session_id, number, response.code, data))
        if response.code < 300:
            trace.end(row, answer=None if row.step == 1 else data)
            challenge.note_logins(json.dumps(data))
            if row.step == 1:
                trace.add("extension", "page", "answer with the token", data, 4)
            return result
        if route not in OPENING_ROUTES:
            trace.number(row, 1)
        raised = challenge.raised.pop(route, None)
        reason = f"{response.code}: {raised or message or 'the answer is not JSON'}"
        trace.end(row, reason, data, refused=response.code < 500)
        match self.platform.readings.error_data:
            case "nested":
                result["data"] = {"message": message, "data": data}
            case "message":
                result |= {"message": message, "data": {}}
        return result

    def verify_mfa(self, challenge: Challenge, token: object) -> hq.Verdict:
        """Handle ``tecton.actions.verifyMFA({token})``. It resolves if HQ verifies the token, and rejects if not."""
        trace = challenge.trace
        row = trace.begin("page", "uux", "verifyMFA", {"token": token}, 5)
        verdict = self.platform.hq.verify(challenge.session, token)
        trace.end(row)
        end = "resolves" if verdict.verified else "rejects"
        trace.add("uux", "page", f"verifyMFA {end}", None, 8, verdict.reason, None, verdict.reached)
        if verdict.verified:
            self._end(challenge, COMPLETE)
        return verdict

    def leave_mfa(self, challenge: Challenge) -> None:
        """Handle ``tecton.actions.verifyMFA({exit: true})``."""
        challenge.trace.add("page", "uux", "verifyMFA: leave MFA", {"exit": True})
        self._end(challenge, LEFT)

    def close(self, challenge: Challenge) -> None:
        """Record that the customer closes the extension's page."""
        self._end(challenge, CLOSED)

    def _end(self, challenge: Challenge, how: str) -> None:
        challenge.end = challenge.end or how
        self.platform.events.publish(Ended(challenge.id))

    def answer_on_phone(self, challenge: Challenge, message: object, answer: object) -> None:
        """Record the customer's answer to a message that asks for one.

        :raises ValueError: no such message waits for an answer, or *answer* is neither "approved" nor "denied".
        """
        asking = [
            each
            for each in challenge.messages
            if each["id"] == message and each["asks"] and not each["answer"]
        ]
        if not asking or answer not in ("approved", "denied"):
            raise ValueError("a message that asks takes one answer: approved or denied")
        asking[0]["answer"] = self.platform.phone_answers[str(message)] = answer
        self.platform.events.publish(PhoneChanged(challenge.id))

    def _forget_answers(self, event: Forgotten) -> None:
        for message in event.challenge.messages:
            self.platform.phone_answers.pop(message["id"], None)

    def page_failed(self, challenge: Challenge, report: dict[str, Any]) -> None:
        """Record a failure in the extension's page, which it reports over the bridge: see static/report.js."""
        failure = page_failure(report, self.extension, f"{self.extension_origin}/")
        challenge.trace.add("page", "uux", "The page fails", why=str(failure))
        log.error("%s", failure)
        self.challenges.fail(challenge, failure)

    def use_readings(self, values: dict[str, Any]) -> None:
        """Change the readings of this run.

        :raises ValueError: see :func:`readings.parse`.
        """
        wanted = readings.parse(values)
        if wanted != self.platform.readings:
            self.platform.readings = wanted
            self.platform.events.publish(ReadingsChanged())

    def configure(self, values: dict[str, Any]) -> None:
        """Change these values of the extension's configuration for this run. The other values come from the file.

        :raises ValueError: there is no such setting, or a value has the wrong type.
        """
        known = self.extension.settings
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"{self.extension.name} has no setting {name}")
            kind = list if isinstance(known[name], tuple) else type(known[name])
            if type(value) is not kind:
                raise ValueError(f"{name} must be {KINDS[kind]}")
        if values != self.platform.changes:
            self.platform.changes = values
            self.platform.events.publish(ReadingsChanged())

    def switch(self, challenge: Challenge, wanted: set[str]) -> None:
        """Turn on exactly the switches *wanted*, for this challenge only.

        :raises ValueError: there is no such switch.
        """
        known = [switch.id for switch in self.switches]
        if not wanted <= set(known):
            raise ValueError(f"the switches are {', '.join(known)}")
        challenge.session.switches = wanted & {switch.id for switch in hq.SWITCHES}
        challenge.provider_switches = wanted - challenge.session.switches


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
