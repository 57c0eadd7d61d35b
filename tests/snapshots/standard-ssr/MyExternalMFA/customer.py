# Made by q2mfa 0.1.0; `q2mfa update` brings fixes.

"""What is remembered of a customer: wrong tries, locks, and what was used.

It is in the cache of the institution, so it holds in all sessions and in all workers.
"""

import json
import time
from contextlib import contextmanager

MAX_WRONG = 5  # tries in a row
LOCK_SECONDS = 300  # the first lock; each further one is twice as long, until a success
MAX_LOCK_SECONDS = 3600
KEEP_SECONDS = 24 * 3600  # after the last try
MAX_WRITES = 50  # another worker can have written meanwhile


class Denied(Exception):
    """MFA is denied. Its arguments: a code for the page, and a reason for the log."""


@contextmanager
def denying(code, reason):
    """Deny if a library raises anything. Its own text stays out of the log: it may hold a secret."""
    try:
        yield
    except Denied:
        raise
    except Exception as error:  # noqa: BLE001
        raise Denied(code, f"{reason}: {type(error).__name__}") from None


class Customer:
    """One customer's state: a dict of what JSON can hold.

    Recent keys are on show on the platform. `digest` identifies the customer and cannot be traced
    back: a hash of a random secret, or an HMAC of what can be guessed.
    """

    def __init__(self, cache, digest):
        self.cache, self.key = cache, f"mfa_customer_{digest}"

    def attempt(self, check):
        """Count a try. `check(state)` raises Denied if it is wrong, and may change the state."""

        def count(state):
            try:
                check(state)
            except Denied as denied:
                state["wrong"], locks = state.get("wrong", 0) + 1, state.get("locks", 0)
                if state["wrong"] == MAX_WRONG:
                    seconds = min(LOCK_SECONDS * 2**locks, MAX_LOCK_SECONDS)
                    state.update(wrong=0, locks=locks + 1, until=time.time() + seconds)
                return denied
            state.update(wrong=0, locks=0)

        if denied := self.change(count):
            raise denied

    def change(self, change):
        """Write what `change(state)` makes of the state, and return what it returns.

        The write is atomic (`cas`). Where another worker was first, `change` runs again. `gets`,
        `add` and `cas` only: whether these treat a key as `get` and `set` do is not documented.
        """
        for _ in range(MAX_WRITES):
            with denying("cache_unavailable", "the cache cannot be read"):
                value, version = self.cache.gets(self.key)
                state = {} if value is None else json.loads(value)
                if time.time() < state.get("until", 0):
                    raise Denied("locked", "too many wrong tries")
            result = change(state)
            with denying("cache_unavailable", "the cache cannot be written"):
                write, last = (self.cache.add, []) if value is None else (self.cache.cas, [version])
                given = [self.key, json.dumps(state), *last]
                if write(*given, expire=KEEP_SECONDS, noreply=False) is True:
                    return result
        raise Denied("cache_unavailable", "the cache keeps no state")
