"""Record one run in the preview as ``prove.py``: see :mod:`~q2mfa_cli.platform.preview.proof_source`.

The values of the run are in memory only, until the script is written.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyotp

from q2mfa_cli.platform.events import (
    AuthorizationResponse,
    MessageDelivered,
    PageAnswered,
    PageAsked,
    TokenVerified,
)
from q2mfa_cli.platform.preview.challenges import Challenge, Forgotten, PhoneChanged, RowGone
from q2mfa_cli.platform.preview.extension import SECRET_NAME
from q2mfa_cli.platform.preview.proof_source import Approval, NotRecordable, Request, Run, source_of
from q2mfa_cli.platform.preview.prove_script import script_of
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.sessions import ALL_MFA_INFO
from q2mfa_cli.platform.verify.customers.customer import Deviation, NotTried
from q2mfa_cli.platform.verify.customers.scripted import DIGITS, ScriptedCustomer

# A shorter value may be an ordinary word of the script.
LEAST_SECRET = 8
# Possible codes and tokens in a message.
WORDS, HAS_DIGIT = re.compile(r"[\w-]{4,}"), re.compile(r"\d")
# A code may change while the customer types it, and extensions accept codes of nearby time steps.
CODE_STEPS = range(-2, 3)


@dataclass
class _Recording:
    """The record of one challenge since its page opened.

    :param first_message: how many messages the phone had then. :param asked: the requests by number.
    :param approved: the messages that were approved before. :param returned: what the provider sent back last.
    """

    challenge: Challenge
    first_message: int = 0
    steps: list[Request | Approval] = field(default_factory=list)
    asked: dict[int, Request] = field(default_factory=dict)
    approved: set[str] = field(default_factory=set)
    returned: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    @property
    def messages(self) -> list[str]:
        return [str(each["text"]) for each in self.challenge.messages[self.first_message :]]


class RunRecorder:
    """Writes the script when MFA completes for the first time.

    :param say: prints a line. :ivar note: the developer's next step, in one sentence.
    """

    def __init__(self, preview: Preview, say: Callable[[str], None]) -> None:
        self._preview, self._say = preview, say
        self._script = script_of(preview.extension)
        self._name = f"{preview.extension.name}/tests/{self._script.name}"
        self.note = f"Complete MFA once: {self._name} is written from that run."
        self._recordings: dict[str, _Recording] = {}
        self._replay: asyncio.Task[None] | None = None
        events = preview.uux.platform.events
        self._unsubscribe = [
            events.subscribe(PageAsked, self._page_asked),
            events.subscribe(PageAnswered, self._page_answered),
            events.subscribe(MessageDelivered, self._message_delivered),
            events.subscribe(PhoneChanged, self._phone_changed),
            events.subscribe(AuthorizationResponse, self._authorization_response),
            events.subscribe(RowGone, self._page_opened_again),
            events.subscribe(TokenVerified, self._token_verified),
            events.subscribe(Forgotten, self._forgotten),
        ]

    def _of(self, challenge: Challenge | None) -> _Recording | None:
        """Return the recording of *challenge*, which starts with the first call."""
        if challenge is None:
            return None
        return self._recordings.setdefault(challenge.id, _Recording(challenge))

    def _of_session(self, session_id: str) -> _Recording | None:
        return self._of(self._preview.uux.challenges.of_session(session_id))

    def _page_asked(self, event: PageAsked) -> None:
        if recording := self._of_session(event.session_id):
            codes = _codes(recording.challenge)
            recording.secrets.update(codes)
            request = Request(
                event.route,
                dict(event.body),
                codes,
                recording.messages,
                dict(recording.returned),
                succeeded=False,
            )
            recording.asked[event.number] = request
            recording.steps.append(request)

    def _page_answered(self, event: PageAnswered) -> None:
        if recording := self._of_session(event.session_id):
            # A page that was reloaded no longer waits for its requests.
            request = recording.asked.pop(event.number, None)
            if request is not None:
                request.data, request.succeeded = event.data, event.status == 200

    def _message_delivered(self, event: MessageDelivered) -> None:
        if recording := self._of_session(event.session_id):
            recording.secrets.update(DIGITS.findall(event.text))
            recording.secrets.update(word for word in WORDS.findall(event.text) if HAS_DIGIT.search(word))
            for request in recording.asked.values():
                request.sent_message = True

    def _phone_changed(self, event: PhoneChanged) -> None:
        recording = self._recordings.get(event.challenge_id)
        if recording is None:
            return
        for place, message in enumerate(recording.challenge.messages[recording.first_message :]):
            if message["answer"] == "approved" and message["id"] not in recording.approved:
                recording.approved.add(message["id"])
                # A request that waits for this approval was sent after the message.
                waiting = (each for each in recording.asked.values() if len(each.messages) > place)
                request = next(waiting, None)
                steps = recording.steps
                at = len(steps) if request is None else next(i for i, s in enumerate(steps) if s is request)
                steps.insert(at, Approval())

    def _authorization_response(self, event: AuthorizationResponse) -> None:
        if recording := self._of(self._preview.uux.challenges.of_caller(event.caller)):
            recording.returned = dict(event.parameters)
            recording.secrets.update(value for name, value in event.parameters.items() if name != "iss")

    def _page_opened_again(self, event: RowGone) -> None:
        recording = self._recordings.get(event.challenge_id)
        if recording is not None and event.index is None:
            secrets, challenge = recording.secrets, recording.challenge
            self._recordings[event.challenge_id] = _Recording(
                challenge, len(challenge.messages), secrets=secrets
            )

    def _forgotten(self, event: Forgotten) -> None:
        self._recordings.pop(event.challenge.id, None)

    def _token_verified(self, event: TokenVerified) -> None:
        recording = self._of_session(event.session_id)
        if recording is None or event.reason:
            return
        name = self._name
        try:
            source = source_of(self._run(recording, str(event.token)))
            _write_new(self._script, source)
        except NotRecordable as error:
            self._say(
                f"Did not write {name}: {error}. Complete MFA again, or write it: see docs/how-to/preview.md."
            )
            return
        except FileExistsError:
            self._say(f"Did not write {name}: it exists now. Rename it, and complete MFA again.")
            return
        except OSError as error:
            self._say(f"Did not write {name}: {error.strerror}. Correct that, and complete MFA again.")
            return
        self._replay = asyncio.create_task(self._try(recording.challenge.workflow))
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._recordings.clear()

    def _run(self, recording: _Recording, token: str) -> Run:
        session, extension = recording.challenge.session, self._preview.extension
        secrets = {token, session.id, session.form_token, *recording.secrets}
        configured = (
            value for name, value in vars(extension.configuration).items() if SECRET_NAME.search(name)
        )
        for value in (session.mfa_info.get("registration_value"), *configured):
            if isinstance(value, str) and len(value) >= LEAST_SECRET and value not in ALL_MFA_INFO:
                secrets.add(value)
        return Run(
            extension.name, recording.steps, token, session.mfa_info, secrets, self._preview.own_provider
        )

    async def _try(self, workflow: Workflow) -> None:
        """Run the script as the right user of another challenge, and print the result."""
        customer = ScriptedCustomer(self._preview, workflow)
        try:
            challenge = await customer.open_challenge()
            token = await customer.get_token(challenge, await customer.proof(challenge))
            reason = await customer.verify_mfa(challenge, token)
        except (Deviation, NotTried) as error:
            reason = str(error)
        if reason:
            self._say(
                f"Wrote {self._name} from this run, but it does not complete MFA: {reason}. Next: edit it."
            )
        else:
            self._say(f"Wrote {self._name} from this run. Next: q2mfa verify {self._preview.extension.name}")


def _codes(challenge: Challenge) -> list[str]:
    """Return the authenticator app's codes of nearby time steps; none if the registration value is not a secret."""
    try:
        totp = pyotp.TOTP(str(challenge.session.mfa_info.get("registration_value")))
        now = int(time.time())
        return [totp.at(now + step * totp.interval) for step in CODE_STEPS]
    except ValueError:
        return []


def _write_new(file: Path, text: str) -> None:
    """Write *text* to the new *file*, completely or not at all.

    :raises FileExistsError: *file* exists. :raises OSError: *file* cannot be written.
    """
    file.parent.mkdir(exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(text, "utf-8", newline="\n")
        try:
            os.link(part, file)
        except FileExistsError:
            raise
        except OSError:  # the file system has no links
            if os.path.lexists(file):
                raise FileExistsError(str(file)) from None
            part.rename(file)
    finally:
        part.unlink(missing_ok=True)
