"""Record the events of HQ, the extension and the identity provider in the trace of their challenge."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from q2mfa_cli.platform.events import (
    Events,
    FormPosted,
    Logged,
    MessageDelivered,
    OutboundRequest,
    OutletAnswered,
    ProviderEvent,
    RouteRaised,
    TokenSet,
    TokenVerified,
)
from q2mfa_cli.platform.failures import failure_of
from q2mfa_cli.platform.hq import HQDown
from q2mfa_cli.platform.preview.challenges import Challenge, Challenges, LogGrew, PhoneChanged

# Browser events at the embedded provider: sender, receiver, label.
AT_PROVIDER = {
    "login_shown": ("page", "idp", "The customer is sent to log in"),
    "approved": ("page", "idp", "The customer approves"),
    "denied": ("page", "idp", "The login is denied"),
    "code_issued": ("idp", "page", "Back to verify.html with a code"),
    "refused": ("idp", "page", "The provider refuses"),
    "down": ("idp", "page", "The provider is down"),
}
# The extension calls the other endpoints, and its requests are recorded elsewhere.
BROWSER_ENDPOINTS = (None, "authorization", "login")


class Recorder:
    """Subscribes to the platform's events.

    :param workspace: the folder of the extension's workspace.
    """

    def __init__(self, events: Events, challenges: Challenges, workspace: Path) -> None:
        self._events, self._challenges, self._workspace = events, challenges, workspace
        # The challenge that last sent a request to the provider, for logins whose start was not recorded.
        self._at_provider: Challenge | None = None
        events.subscribe(FormPosted, self._form_posted)
        events.subscribe(MessageDelivered, self._message_delivered)
        events.subscribe(Logged, self._logged)
        events.subscribe(TokenSet, self._token_set)
        events.subscribe(TokenVerified, self._token_verified)
        events.subscribe(OutboundRequest, self._outbound_request)
        events.subscribe(ProviderEvent, self._provider_event)
        events.subscribe(OutletAnswered, self._outlet_answered)
        events.subscribe(RouteRaised, self._route_raised)

    def _route_raised(self, event: RouteRaised) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is not None:
            failure = failure_of(event.error, self._workspace, f"route {event.route}")
            challenge.raised[event.route] = failure
            if not isinstance(event.error, HQDown):  # a switch caused it, not the extension
                self._challenges.fail(challenge, failure)

    def _outlet_answered(self, event: OutletAnswered) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is None:
            return
        challenge.note_logins(event.body)
        row, challenge.opening = challenge.opening, None
        if row is not None:
            failure = challenge.raised.pop("default", None)
            reason = f"{event.status}: {failure or 'the extension answered with an error'}"
            challenge.trace.end(row, reason if event.status >= 400 else "")

    def _form_posted(self, event: FormPosted) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is not None:
            reason = "the submission replaced the page, which must not submit this form"
            challenge.trace.add("page", "extension", "The page posts the SDK's form", None, None, reason)

    def _message_delivered(self, event: MessageDelivered) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is not None:
            message = {
                "id": event.id,
                "to": event.destination,
                "text": event.text,
                "asks": event.asks,
                "answer": "",
            }
            challenge.messages.append(message)
            self._events.publish(PhoneChanged(challenge.id))
            payload = {"to": event.destination, "text": event.text}
            challenge.trace.add("extension", "page", "A message to the customer's phone", payload)

    def _logged(self, event: Logged) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is not None:
            line = {"level": event.level, "text": event.text}
            challenge.log.append(line)
            self._events.publish(LogGrew(challenge.id, line))

    def _token_set(self, event: TokenSet) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is None:
            return
        if challenge.calls:
            challenge.trace.number(challenge.calls[-1], 1)
        answer = "not kept" if event.reason else "kept"
        _add_call(challenge, "extension", 2, "set_external_mfa_token", answer, event)

    def _token_verified(self, event: TokenVerified) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is not None:
            answer = "not verified" if event.reason else "verified"
            _add_call(challenge, "uux", 6, "verify the token", answer, event)

    def _outbound_request(self, event: OutboundRequest) -> None:
        challenge = self._challenges.of_session(event.session_id)
        if challenge is None:
            return
        self._at_provider = challenge
        reason = event.reason or (f"the provider answered {event.status}" if event.status >= 400 else "")
        address = urlsplit(event.url)
        payload = {"status": event.status, "host": address.netloc}
        what = f"{event.method} {address.path}"
        challenge.trace.add("extension", "idp", what, payload, None, reason, event.seconds)

    def _provider_event(self, event: ProviderEvent) -> None:
        challenge = self._challenges.of_caller(event.caller) or self._at_provider
        if challenge is None or event.what not in AT_PROVIDER:
            return
        if event.payload.get("endpoint") in BROWSER_ENDPOINTS:
            reason = str(event.payload.get("error_description") or "")
            reason = reason or ("it answers 503" if event.what == "down" else "")
            refused = event.what != "down"
            challenge.trace.add(*AT_PROVIDER[event.what], event.payload, None, reason, None, refused)


def _add_call(
    challenge: Challenge, caller: str, step: int, what: str, answer: str, event: TokenSet | TokenVerified
) -> None:
    """Add a call of HQ and, if HQ was reached, its response."""
    not_reached = "" if event.reached else event.reason
    challenge.trace.add(caller, "hq", what, {"token": event.token}, step, not_reached, event.seconds)
    if event.reached:
        refused = isinstance(event, TokenVerified)
        challenge.trace.add("hq", caller, answer, None, step + 1, event.reason, None, refused)
