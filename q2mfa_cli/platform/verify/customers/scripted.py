"""A customer of a hand-written extension, whose ``prove.py`` does what the page and the customer do."""

from __future__ import annotations

import inspect
import re
import time
from typing import Any

import pyotp

from q2mfa_cli.platform.failures import failure_of
from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.prove_script import ProveScriptError, load, script_of
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.uux import UUX
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.customers.user_agent import UserAgent

DIGITS = re.compile(r"\d{4,}")
ANOTHER_PERSON = "mallory"


class Phone:
    """The right user's phone, for ``prove``.

    :ivar messages: the messages it received, oldest first, each with ``to`` and ``text``.
    :ivar has_authenticator: whether ``prove`` read a code from the authenticator app.
    """

    def __init__(self, uux: UUX, challenge: Challenge, user_agent: UserAgent) -> None:
        self._uux, self._challenge, self._user_agent = uux, challenge, user_agent
        self.has_authenticator = False

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self._challenge.messages)

    def code(self) -> str:
        """Return the authenticator app's current code. Its secret is the registration value."""
        self.has_authenticator = True
        return pyotp.TOTP(self._challenge.session.mfa_info["registration_value"]).now()

    async def log_in(self, authorization_url: str) -> dict[str, Any]:
        """Log in at the identity provider. Return the parameters of the redirect URI, such as ``code`` and ``state``."""
        return await self._user_agent.log_in(authorization_url)

    def approve(self) -> None:
        """Approve the last message.

        :raises ValueError: the message asks for no answer, or already has one.
        """
        last = self.messages[-1]["id"] if self.messages else ""
        self._uux.answer_on_phone(self._challenge, last, "approved")


class WrongPhone(Phone):
    """Another person's phone. Its codes are wrong, and it denies every request.

    :ivar is_used: whether ``prove`` used the phone.
    """

    is_used = False

    @property
    def messages(self) -> list[dict[str, Any]]:
        self.is_used = True
        return [{**each, "text": DIGITS.sub(_other_digits, each["text"])} for each in super().messages]

    def code(self) -> str:
        self.is_used = True
        # Avoid codes of nearby time steps, which an extension may accept.
        totp = pyotp.TOTP(self._challenge.session.mfa_info["registration_value"])
        right = {totp.at(int(time.time()) + 30 * step) for step in range(-10, 11)}
        return next(code for code in map("{:06}".format, range(100)) if code not in right)

    async def log_in(self, authorization_url: str) -> dict[str, Any]:
        self.is_used = True
        right, self._user_agent.user = self._user_agent.user, ANOTHER_PERSON
        try:
            return await super().log_in(authorization_url)
        finally:
            self._user_agent.user = right

    def approve(self) -> None:
        self.is_used = True
        asking = [each for each in self._challenge.messages if each["asks"] and not each["answer"]]
        if asking:
            self._uux.answer_on_phone(self._challenge, asking[-1]["id"], "denied")


def _other_digits(digits: re.Match[str]) -> str:
    return "".join(str((int(digit) + 1) % 10) for digit in digits[0])


class ScriptedCustomer(Customer):
    """A customer who follows ``prove``.

    :ivar has_authenticator: whether the proof is an authenticator app's code.
    """

    route = ""
    has_authenticator = False

    def __init__(self, preview: Preview, workflow: Workflow) -> None:
        super().__init__(preview, workflow)
        self.user_agent = UserAgent(self.fetch)

    async def find_route(self) -> None:
        extension = self.preview.extension
        if not script_of(extension).is_file():
            raise NotTried(f"q2mfa does not know how to prove; {extension.name}/tests/prove.py would say it")
        await self.proof(await self.open_challenge())
        self.challenges.clear()

    async def proof(self, challenge: Challenge) -> dict[str, Any]:
        return await self._prove(challenge, Phone(self.preview.uux, challenge, self.user_agent))

    async def wrong_proof(self, challenge: Challenge) -> dict[str, Any]:
        phone = WrongPhone(self.preview.uux, challenge, self.user_agent)
        body = await self._prove(challenge, phone)
        if not phone.is_used:
            raise NotTried("prove.py does not use the phone, so q2mfa does not know a wrong proof")
        return body

    async def _prove(self, challenge: Challenge, phone: Phone) -> dict[str, Any]:
        async def ask(route: str, body: dict[str, Any] | None = None) -> Any:
            """Call ``requestExtensionData``, and return the data. :raises Deviation: the response is an error."""
            answer = await self.request_extension_data(challenge, route, body or {})
            if answer["status"] != 200:
                raise Deviation(f"{route} answers {answer['status']}: {answer['error']}")
            return answer["data"]

        try:
            prove = getattr(load(self.preview.extension), "prove", None)
        except ProveScriptError as error:
            raise Deviation(str(error)) from error
        if not inspect.iscoroutinefunction(prove):
            name = self.preview.extension.name
            raise Deviation(f"{name}/tests/prove.py has no async def prove(ask, phone, mfa_info)")
        try:
            sent = await prove(ask, phone, dict(challenge.session.mfa_info))
        except (Deviation, NotTried):
            raise
        except Exception as error:
            raise Deviation(str(failure_of(error, self.preview.extension.workspace, "prove"))) from error
        self.has_authenticator = phone.has_authenticator
        match sent:
            case {"route": str(route), "body": dict(body)}:
                self.route = route
                return body
        raise Deviation('prove returns {"route": …, "body": {…}}, which its page sends')
