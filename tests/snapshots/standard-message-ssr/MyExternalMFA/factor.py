# Made by q2mfa 0.1.0; `q2mfa update` brings fixes.

"""The second factor: a code that is sent to the customer (out of band, NIST SP 800-63B-4, 3.1.3).

Fill in `deliver`. Until then it denies.
"""

import hmac
import json
import re
import secrets
import time
from typing import ClassVar

from .customer import Customer, Denied, denying

CODE_DIGITS = 6
CODE_SECONDS = 300
RESEND_SECONDS = 30
MAX_SENT = 5  # codes to one customer in SENT_SECONDS
SENT_SECONDS = 3600
MIN_SECRET_CHARACTERS = 32
SALT_KEY = "mfa_salt"


class Factor:
    """Proves that the customer receives messages at the address in `registration_value`.

    `handler` is the request's: its `mfa_info`, `cache`, `session_cache`, `config` and `logger`.
    """

    SETTINGS: ClassVar = {"HASH_SECRET": ""}  # what configuration/<Name>.py has to hold
    # What stays out of the log: of the page's requests, and of those in `deliver`.
    SECRETS: ClassVar = ["passcode", "registration_value", "Authorization", "to", "text"]

    def __init__(self, handler):
        self.handler = handler

    async def deliver(self, code, destination):
        """Send the code. An example for text messages, by the HTTP API of a service:

            response = await q2_requests.post(
                self.handler.logger,
                "https://sms.example.com/messages",
                headers={"Authorization": f"Bearer {self.handler.config.SMS_KEY}"},
                json={"to": destination, "text": self.text(code)},
                timeout=10,
            )
            response.raise_for_status()

        Import `q2_requests` from `q2_sdk.core`, add the host to OUTBOUND_WHITELIST in settings.py,
        and read SMS_KEY from the server's environment, as the configuration reads HASH_SECRET.
        """
        raise Denied("not_configured", "deliver() of factor.py is not filled in")

    def text(self, code):
        """What the message says: the code, and what it confirms."""
        purpose = self.handler.purpose()
        count = len(purpose["transactions"])
        if count:
            what = f"confirm {count} transaction{'s' if count > 1 else ''}"
        elif purpose["action"]:
            what = f"confirm {purpose['action']}"
        else:
            what = "sign in" if purpose["signing_in"] else "confirm it is you"
        minutes = CODE_SECONDS // 60
        return f"{code} is your code to {what}. It expires in {minutes} minutes. Never share it."

    def destination(self):
        """Where codes are sent. `self.handler.online_user.email_address` is another choice."""
        destination = getattr(self.handler.mfa_info, "registration_value", None)
        if isinstance(destination, str) and destination:
            return destination
        raise Denied("not_registered", "the customer has no registration value")

    async def verify(self, body):
        """Send a code, or return True if the passcode is the one that was sent.

        `body` is what the page sent: `{"send": true}` or `{"passcode": …}`.
        """
        destination = self.destination()
        customer = Customer(self.handler.cache, self._digest("customer", destination))
        if body.get("send") is True:
            return await self._send(customer, destination)
        with denying("cache_unavailable", "the session's cache cannot be read"):
            salt = self.handler.session_cache.get(SALT_KEY)
        passcode = body.get("passcode")

        def check(state):
            if not salt or "code" not in state or time.time() >= state["expires"]:
                raise Denied("expired_passcode", "this session has no code to compare with")
            digits = isinstance(passcode, str) and re.fullmatch("[0-9]+", passcode)
            if not digits or not hmac.compare_digest(self._bound(salt, passcode), state["code"]):
                raise Denied("wrong_passcode", "the passcode is wrong")
            del state["code"]

        customer.attempt(check)
        return True

    async def _send(self, customer, destination):
        """Send a new code; those before it are no longer valid."""
        code = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
        salt = secrets.token_hex(16)

        def count(state):
            now = time.time()
            sent = [moment for moment in state.get("sent", []) if moment > now - SENT_SECONDS]
            if sent and now < sent[-1] + RESEND_SECONDS:
                raise Denied("sent_just_now", "a code was sent a moment ago")
            if len(sent) >= MAX_SENT:
                raise Denied("sent_too_often", "too many codes were sent")
            expires = now + CODE_SECONDS
            state.update(sent=[*sent, now], code=self._bound(salt, code), expires=expires)

        customer.change(count)
        with denying("cache_unavailable", "the session's cache cannot be written"):
            self.handler.session_cache.set(SALT_KEY, salt, CODE_SECONDS)
        with denying("not_delivered", "deliver() failed"):
            await self.deliver(code, destination)
        self.handler.logger.info("External MFA: a code was sent")
        name, at, host = destination.rpartition("@")
        masked = f"{name[:1]}•••{at}{host}" if at else f"•••• {destination[-4:]}"
        return {"sent_to": masked, "seconds": CODE_SECONDS, "resend_seconds": RESEND_SECONDS}

    def _bound(self, salt, code):
        """A hash that only this session, which has the salt, and this request for MFA can match."""
        names = ["transaction_ids", "audit_action_id", "audit_action_name"]
        request = [getattr(self.handler.mfa_info, name, None) for name in names]
        return self._digest("code", salt, json.dumps(request, default=str), code)

    def _digest(self, *of):
        """An HMAC: a phone number or a code can be guessed from a hash without a secret."""
        secret = self.handler.config.HASH_SECRET
        if not isinstance(secret, str) or len(secret) < MIN_SECRET_CHARACTERS:
            raise Denied("not_configured", "HASH_SECRET has fewer than 32 characters")
        text = "\n".join([self.handler.CONFIG_FILE_NAME, *of])
        return hmac.digest(secret.encode(), text.encode(), "sha256").hex()
