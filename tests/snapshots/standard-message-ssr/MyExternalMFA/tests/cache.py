"""As much of the platform's caches as the extension uses, by the rules of pymemcache."""

import json


class Cache:
    """A cache; `clock.now` is the time.

    `treats_alike`: whether `gets`, `add` and `cas` treat keys and values as `get` and `set` do. Q2
    does not document it.
    """

    def __init__(self, clock, treats_alike=False):
        self.clock, self.treats_alike = clock, treats_alike
        self.items = {}
        self.writes = 0

    def get(self, key, default=None):
        value, _ = self._find("prefix_" + key)
        return default if value is None else json.loads(value)

    def set(self, key, value, expire=0):
        self._write("prefix_" + key, json.dumps(value), expire)

    def gets(self, key):
        value, version = self._find(self._key(key))
        if value is None:
            return None, None
        return (json.loads(value) if self.treats_alike else value.encode()), version

    def add(self, key, value, expire=0, noreply=None):
        if self._find(self._key(key))[0] is not None:
            return noreply is not False  # the truth only if it is asked for
        self._write(self._key(key), self._stored(value), expire)
        return True

    def cas(self, key, value, version, expire=0, noreply=False):
        found, current = self._find(self._key(key))
        if found is None or current != version:
            return True if noreply else None if found is None else False
        self._write(self._key(key), self._stored(value), expire)
        return True

    def _key(self, key):
        assert key.isascii() and " " not in key and len(key) < 200
        return "prefix_" + key if self.treats_alike else key

    def _stored(self, value):
        return json.dumps(value) if self.treats_alike else str(value)

    def _find(self, key):
        value, version, expires = self.items.get(key, (None, None, 0))
        return (value, version) if self.clock.now < expires else (None, None)

    def _write(self, key, value, expire):
        assert type(expire) is int and 0 < expire <= 30 * 24 * 3600
        self.writes += 1
        self.items[key] = value, str(self.writes).encode(), self.clock.now + expire
