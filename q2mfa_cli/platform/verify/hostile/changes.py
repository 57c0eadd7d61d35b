"""Changes to a provider's honest responses. Each takes a response and returns another one."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from q2mfa_cli.platform.verify.hostile.keys import Json

Change: TypeAlias = Callable[[Json], Json]


def honest(answer: Json) -> Json:
    return answer


def without(*names: str) -> Change:
    return lambda given: {name: value for name, value in given.items() if name not in names}


def changed(**values: Any) -> Change:
    return lambda given: {**given, **values}


def listed(name: str) -> Change:
    """Repeat the value in a list, so that a query contains the parameter twice."""
    return lambda given: {**given, name: [given[name], given[name]]}


def longer(name: str, by: str) -> Change:
    return lambda given: {**given, name: given[name] + by}


def after(**seconds: int) -> Change:
    """Set claims to this many seconds from now."""
    return lambda given: {**given, **{name: int(time.time()) + value for name, value in seconds.items()}}


def after_each(*changes: Change) -> Change:
    """Apply *changes* in order."""
    return lambda given: functools.reduce(lambda answer, change: change(answer), changes, given)


def in_place_of(jwk: Json) -> Change:
    """Return a JWKS that contains *jwk* only, under the ``kid`` of the original key."""
    return lambda keys: {"keys": [{**jwk, "kid": keys["keys"][0]["kid"]}]}


def each_key(change: Change) -> Change:
    return lambda given: {"keys": [change(key) for key in given["keys"]]}
