"""The second factor: a passcode from an authenticator app (TOTP, RFC 6238). Meant to be replaced by your own."""

import re
import time

import pyotp
from q2_sdk.core.exceptions import TectonError

STEP_SECONDS = 30
MIN_SECRET_BYTES = 10  # what authenticator apps use at least; less can be guessed
WINDOW_STEPS = 1  # a code of the step before or after is accepted: clocks differ (RFC 6238, section 5.2)
MAX_WRONG = 5
LOCK_SECONDS = 300

TRIES_KEY = "mfa_tries"
USED_KEY = "mfa_used_step"


class PasscodeFactor:
    """Proves that the user holds the secret in `registration_value`.

    Tries and used codes are kept in the session's cache. A new session starts with none: how many sessions a user may
    open is limited by HQ, not here.
    """

    def __init__(self, registration_value, session_cache, logger):
        self.secret = registration_value
        self.cache = session_cache
        self.logger = logger

    async def verify(self, passcode):
        """Return if `passcode` proves the factor, raise TectonError on every doubt."""
        now = time.time()
        if not self.secret:
            raise self._denied("not_registered", "the user has no registration value")

        tries = [tried for tried in self.cache.get(TRIES_KEY, []) if tried > now - LOCK_SECONDS]
        if len(tries) >= MAX_WRONG:
            raise self._denied("locked", "too many wrong passcodes")
        # Counted before it is checked: a request that is cut off, or sent twice at once, has been a try too.
        self.cache.set(TRIES_KEY, [*tries, now], LOCK_SECONDS)

        step = self._matching_step(passcode, now)
        if step is None:
            raise self._denied("wrong_passcode", "the passcode is wrong")
        # A code proves something once, and none that is older than the last one used does (RFC 6238, section 5.2).
        if step <= self.cache.get(USED_KEY, -1):
            raise self._denied("used_passcode", "the passcode was used before")
        self.cache.set(USED_KEY, step, (2 * WINDOW_STEPS + 1) * STEP_SECONDS)
        self.cache.delete(TRIES_KEY)

    def _matching_step(self, passcode, now):
        """The time step whose code `passcode` is, within the window."""
        if not isinstance(passcode, str) or not re.fullmatch("[0-9]{6}", passcode):
            return None
        try:
            totp = pyotp.TOTP(self.secret, interval=STEP_SECONDS)
            if len(totp.byte_secret()) < MIN_SECRET_BYTES:
                raise ValueError
            current = int(now // STEP_SECONDS)
            for step in range(current - WINDOW_STEPS, current + WINDOW_STEPS + 1):
                if totp.verify(passcode, for_time=step * STEP_SECONDS, valid_window=0):
                    return step
        except (TypeError, ValueError):
            # Not said as it is: the error's own text may hold the secret.
            raise self._denied("not_registered", "the registration value is not a base32 secret") from None
        return None

    def _denied(self, code, reason):
        self.logger.warning("External MFA denied: %s", reason)
        return TectonError(code, {"code": code})  # the page finds the code in either
