# Made by q2mfa 0.1.0; `q2mfa update` brings fixes.

"""The second factor: a passcode from an authenticator app (TOTP, RFC 6238).

Meant to be replaced by your own: see the README.
"""

import hashlib
import re
import time
from typing import ClassVar

import pyotp

from .customer import Customer, Denied, denying

STEP_SECONDS = 30
MIN_SECRET_BYTES = 16  # RFC 4226, R6
# A code of the step before or after is accepted, too: clocks differ. So it is good for 90 s
# (RFC 6238, 5.2).
WINDOW_STEPS = 1


class Factor:
    """Proves that the customer holds the secret in `registration_value`.

    `handler` is the request's: its `mfa_info`, `cache`, `session_cache`, `config` and `logger`.
    """

    SETTINGS: ClassVar = {}  # what configuration/<Name>.py has to hold
    SECRETS: ClassVar = ["passcode", "registration_value"]  # what stays out of the log

    def __init__(self, handler):
        self.handler = handler

    async def verify(self, body):
        """Return True if `body`, which the page sent, proves the factor; else raise Denied."""
        totp = self._totp()
        # The secret is random, so its hash tells nothing about it.
        digest = hashlib.sha256(totp.byte_secret()).hexdigest()

        def check(state):
            step = self._matching_step(totp, body.get("passcode"))
            if step is None:
                raise Denied("wrong_passcode", "the passcode is wrong")
            # A code proves something once, and no older one does after it (RFC 6238, 5.2).
            if step <= state.get("step", -1):
                raise Denied("used_passcode", "the passcode was used before")
            state["step"] = step

        Customer(self.handler.cache, digest).attempt(check)
        return True

    def _totp(self):
        secret = getattr(self.handler.mfa_info, "registration_value", None)
        with denying("not_registered", "the registration value is missing or no base32 secret"):
            totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
            if len(totp.byte_secret()) >= MIN_SECRET_BYTES:
                return totp
        raise Denied("not_registered", "the registration value is shorter than 128 bits")

    def _matching_step(self, totp, passcode):
        """The time step whose code `passcode` is, within the window; None if it is of none."""
        digits = isinstance(passcode, str) and re.fullmatch("[0-9]{6}", passcode)
        now = int(time.time() // STEP_SECONDS)
        window = range(now - WINDOW_STEPS, now + WINDOW_STEPS + 1) if digits else []
        matching = [n for n in window if totp.verify(passcode, for_time=n * STEP_SECONDS)]
        return max(matching, default=None)
