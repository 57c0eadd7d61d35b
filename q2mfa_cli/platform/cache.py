"""The cache client of the fake SDK: pymemcache's client, with Q2's prefix for keys and Q2's types of values."""

from __future__ import annotations

import copy
import json
from collections import deque
from collections.abc import Iterable
from typing import Any, Literal

from pymemcache.client.base import PooledClient

TIMEOUT_SECONDS = 1
RECENT_KEYS = 10_000


class Q2CacheClient(PooledClient):  # type: ignore[misc] # pymemcache ships no types
    """A synchronous client of memcached. If memcached is down, its methods raise OSError or MemcacheError.

    ``get``, ``get_many``, ``set``, ``delete`` and ``delete_many`` are Q2's methods: they add the prefix to keys and convert
    values. All other methods are pymemcache's. Q2 does not document how these methods treat keys and values.

    :param inherited: How ``add``, ``cas``, ``decr``, ``gets``, ``incr`` and ``touch`` treat keys and values: ``raw`` leaves
        them as they are, ``prefixed`` treats them as Q2's own methods do.
    :ivar recent_keys: The keys that were used, with prefix. Operators of the real platform can see them.
    """

    def __init__(self, server: tuple[str, int], inherited: Literal["raw", "prefixed"] = "raw") -> None:
        # Without no_delay, a `set` right after another one can take 40 ms, because pymemcache waits for no reply in between.
        super().__init__(server, connect_timeout=TIMEOUT_SECONDS, timeout=TIMEOUT_SECONDS, no_delay=True)
        self.prefix, self.inherited = "", inherited
        self.recent_keys: deque[str] = deque(maxlen=RECENT_KEYS)

    def with_prefix(self, prefix: str) -> Q2CacheClient:
        """Return a client that adds *prefix* to keys and shares the connections of this client."""
        client = copy.copy(self)
        client.prefix = prefix
        return client

    def get(self, key: str, default: Any = None) -> Any:
        data = super().get(self._prefixed(key))
        return default if data is None else json.loads(data)

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        by_key = {self._prefixed(key): key for key in keys}
        found = super().get_many(list(by_key))
        return {by_key[key]: json.loads(data) for key, data in found.items()}

    def set(self, key: str, value: Any, expire: int = 0, noreply: bool | None = None) -> bool:
        """Store *value* for *expire* seconds. 0 means no expiry. A number over 30 days is a Unix timestamp.

        :raises TypeError: The cache cannot store this type of value.
        """
        stored: bool = super().set(self._prefixed(key), _serialize(value), expire, noreply)
        return stored

    def delete(self, key: str, noreply: bool | None = None) -> bool:
        deleted: bool = super().delete(self._prefixed(key), noreply)
        return deleted

    def delete_many(self, keys: Iterable[str], noreply: bool | None = None) -> bool:
        deleted: bool = super().delete_many([self._prefixed(key) for key in keys], noreply)
        return deleted

    def add(self, key: str, value: Any, *args: Any, **options: Any) -> Any:
        return super().add(self._inherited_key(key), self._inherited_value(value), *args, **options)

    def cas(self, key: str, value: Any, *args: Any, **options: Any) -> Any:
        return super().cas(self._inherited_key(key), self._inherited_value(value), *args, **options)

    def gets(self, key: str) -> tuple[Any, Any]:
        data, version = super().gets(self._inherited_key(key))
        return (json.loads(data) if data and self.inherited == "prefixed" else data), version

    def incr(self, key: str, *args: Any, **options: Any) -> Any:
        return super().incr(self._inherited_key(key), *args, **options)

    def decr(self, key: str, *args: Any, **options: Any) -> Any:
        return super().decr(self._inherited_key(key), *args, **options)

    def touch(self, key: str, *args: Any, **options: Any) -> Any:
        return super().touch(self._inherited_key(key), *args, **options)

    def _prefixed(self, key: str) -> str:
        self.recent_keys.append(self.prefix + key)
        return self.prefix + key

    def _inherited_key(self, key: str) -> str:
        if self.inherited == "prefixed":
            return self._prefixed(key)
        self.recent_keys.append(str(key))
        return key

    def _inherited_value(self, value: Any) -> Any:
        return _serialize(value) if self.inherited == "prefixed" else value


def _serialize(value: Any) -> bytes:
    if type(value) not in (str, int, list, dict):
        raise TypeError(f"the cache keeps str, int, list and dict, not {type(value).__name__}")
    text = json.dumps(value, allow_nan=False)
    if json.loads(text) != value:
        raise TypeError("the cache would change this value: JSON has no tuples and only text as keys")
    return text.encode()
