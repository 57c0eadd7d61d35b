"""The platform behind the fake SDK: HQ, the cache, the event stream, and the settings of this run."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from q2mfa_cli.platform.cache import Q2CacheClient
from q2mfa_cli.platform.events import Events
from q2mfa_cli.platform.hq import HQ
from q2mfa_cli.platform.memcached import Memcached
from q2mfa_cli.platform.readings import Readings


class Platform:
    """A local platform. A server passes it to the fake SDK as ``Application(…, platform=platform)``.

    :param memcached: The host and port of a memcached to share with other processes; ``None`` starts an embedded one.
    :ivar readings: The assumptions about what Q2 does not document.
    :ivar assets_url: The base URL of the extensions' assets.
    :ivar phone_answers: The customer's answers, ``"approved"`` or ``"denied"``, by the message's ID.
    :ivar overrides: Values that replace those of ``configuration/<Name>.py`` in this run.
    :ivar changes: Values that the developer changed for this run. They take precedence over ``overrides``.
    :ivar provider: The host and port of the embedded identity provider; empty if there is none. Requests to it have a
        header with the session's ID.
    :ivar allowed_hosts: Hosts that extensions may send requests to, in addition to OUTBOUND_WHITELIST.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        memcached: tuple[str, int] | None = None,
        readings: Readings | None = None,
    ) -> None:
        self.readings = readings or Readings()
        self.events = Events()
        self.hq = HQ(clock, self.events)
        self.memcached = Memcached(clock)
        self._memcached_address = memcached
        self.assets_url = "https://assets.example.com"
        self.phone_answers: dict[str, str] = {}
        self.overrides: dict[str, Any] = {}
        self.changes: dict[str, Any] = {}
        self.provider = ""
        self.allowed_hosts: set[str] = set()

    @property
    def replaced(self) -> dict[str, Any]:
        """All values that replace those of ``configuration/<Name>.py``."""
        return {**self.overrides, **self.changes}

    @cached_property
    def cache(self) -> Q2CacheClient:
        """A cache client without a prefix."""
        address = self._memcached_address or self.memcached.address
        return Q2CacheClient(address, self.readings.cache_inherited)
