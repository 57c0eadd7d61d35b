"""What is kept for a while, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Expiring(Generic[Value]):
    """Values by key, each gone after its time.

    :param clock: seconds since 1970, as :func:`time.time`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._items: dict[str, tuple[Value, float]] = {}

    def keep(self, key: str, value: Value, seconds: float) -> None:
        """Keep *value* for *seconds*; a good moment to forget the expired ones."""
        now = self._clock()
        self._items = {name: item for name, item in self._items.items() if now < item[1]}
        self._items[key] = (value, now + seconds)

    def get(self, key: str) -> Value | None:
        value, expires = self._items.get(key, (None, 0.0))
        return value if self._clock() < expires else None

    def take(self, key: str) -> Value | None:
        """The value, which is then gone: for what is good for one use."""
        value = self.get(key)
        self._items.pop(key, None)
        return value
