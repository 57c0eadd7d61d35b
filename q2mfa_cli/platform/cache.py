"""One memcached and its clients, as strict as memcached itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

# memcached's own limits. A time to live above EXPIRE_SECONDS would mean a date.
VALUE_BYTES = 1024 * 1024
EXPIRE_SECONDS = 30 * 24 * 60 * 60


class Memcached:
    """The store. Values are JSON and expire."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.items: dict[str, tuple[str, float]] = {}

    def client(self, prefix: str) -> CacheClient:
        return CacheClient(self, prefix)


class CacheClient:
    """A synchronous client whose keys all have one prefix."""

    def __init__(self, memcached: Memcached, prefix: str) -> None:
        self._memcached, self._prefix = memcached, prefix

    def set(self, key: str, value: Any, expire: int) -> bool:
        """Keep *value* for *expire* seconds.

        :raises TypeError: not a JSON value. :raises ValueError: a key, size or time that memcached refuses or
            understands differently.
        """
        text = json.dumps(value, allow_nan=False)
        if json.loads(text) != value:
            raise TypeError("the cache keeps JSON values only; this one would come back changed")
        if len(text) > VALUE_BYTES:
            raise ValueError("memcached keeps values of at most 1 MiB")
        if not isinstance(expire, int) or not 0 < expire <= EXPIRE_SECONDS:
            raise ValueError("a cached value needs a time to live: 1 second to 30 days, in whole seconds")
        self._memcached.items[self._key(key)] = (text, self._memcached.clock() + expire)
        return True

    def get(self, key: str, default: Any = None) -> Any:
        text, expires = self._memcached.items.get(self._key(key), ("", 0.0))
        if self._memcached.clock() >= expires:
            return default
        return json.loads(text)

    def delete(self, key: str) -> bool:
        return self._memcached.items.pop(self._key(key), None) is not None

    def _key(self, key: str) -> str:
        if not isinstance(key, str) or not re.fullmatch(r"[\x21-\x7e]{1,250}", key):
            raise ValueError("memcached takes keys of 1 to 250 visible ASCII characters")
        return f"{self._prefix}:{key}"
