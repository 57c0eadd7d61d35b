"""What is behind the SDK in one process: HQ, the cache, the event stream, and this run's settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from q2mfa_cli.platform.cache import Memcached
from q2mfa_cli.platform.events import Events
from q2mfa_cli.platform.hq import HQ


class Platform:
    """A local platform. A server passes it to the fake SDK as ``Application(…, platform=platform)``.

    :ivar assets_url: where the extensions' assets are served.
    :ivar overrides: values that replace those of ``configuration/<Name>.py`` in this run.
    :ivar allowed_hosts: hosts that extensions may send requests to, beside OUTBOUND_WHITELIST.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.events = Events()
        self.hq = HQ(clock, self.events)
        self.memcached = Memcached(clock)
        self.assets_url = "https://assets.example.com"
        self.overrides: dict[str, Any] = {}
        self.allowed_hosts: set[str] = set()
