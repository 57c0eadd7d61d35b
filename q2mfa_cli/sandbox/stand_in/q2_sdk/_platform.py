"""What is behind the SDK: HQ with its sessions and tokens, memcached, the workspace's settings.

Private to the stand-in. Generated code and its tests never import this: they have to run on the real SDK too.
"""

from __future__ import annotations

import importlib
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

TOKEN_SECONDS = 300  # [guess]

# memcached's own limits: an item's size, and the time to live above which it means a date in the past.
VALUE_BYTES = 1024 * 1024
EXPIRE_SECONDS = 30 * 24 * 60 * 60

# Which attributes of mfa_info there are: in every workflow, and in one of them only [seed].
MFA_INFO = {"mfa_context", "registration_value", "sso_identifier"}
MFA_INFO_OF_TRANSACTION = {"transaction_ids"}
MFA_INFO_OF_PATROL = {"audit_action_id", "audit_action_name"}


class OutboundBlocked(Exception):
    """An outbound request to a host that OUTBOUND_WHITELIST does not list [docs]."""


class ConfigurationMissing(Exception):
    """A value of REQUIRED_CONFIGURATIONS that the extension's configuration does not have [docs]."""


@dataclass
class Token:
    """An External MFA token as HQ keeps it in the session: single use, expiring."""

    value: str
    expires: float
    used: bool = False


@dataclass
class Session:
    """A user's session at HQ."""

    id: str
    authenticated: bool = False
    mfa_info: dict[str, Any] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    mfa_complete: bool = False


class HQ:
    """Q2's business-logic server, as far as External MFA concerns it [seed]."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.sessions: dict[str, Session] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def open_session(self, authenticated: bool = False, mfa_info: dict[str, Any] | None = None) -> Session:
        """A new session; *mfa_info* has the attributes of its workflow and no others.

        :raises ValueError: an attribute that ``mfa_info`` does not have, or not in one workflow with the others.
        """
        given = set(mfa_info or {})
        unknown = given - MFA_INFO - MFA_INFO_OF_TRANSACTION - MFA_INFO_OF_PATROL
        if unknown:
            raise ValueError(f"mfa_info has no {', '.join(sorted(unknown))}")
        if given & MFA_INFO_OF_TRANSACTION and given & MFA_INFO_OF_PATROL:
            raise ValueError("one request for MFA is of a transaction or of Patrol, not of both")
        session = Session(secrets.token_urlsafe(16), authenticated, dict(mfa_info or {}))
        self.sessions[session.id] = session
        return session

    def set_token(self, session: Session, token: str) -> None:
        """Keep *token* in the session; a later one replaces it.

        :raises ValueError: it is not a text, or an empty one.
        """
        if not isinstance(token, str) or not token.strip():
            raise ValueError("HQ takes a token that is a text, and not an empty one")
        session.tokens.append(Token(token, self.clock() + TOKEN_SECONDS))

    def verify(self, session: Session, token: object) -> bool:
        """Compare *token* with the one set last; that it is spent whatever the outcome is a [guess]."""
        current = session.tokens[-1] if session.tokens else None
        if current is None or current.used or not isinstance(token, str):
            return False
        current.used = True
        if self.clock() >= current.expires or not secrets.compare_digest(
            current.value.encode(), token.encode()
        ):
            return False
        session.mfa_complete = True
        return True


class Memcache:
    """One memcached, reached synchronously as pymemcache's client is; values are JSON and expire [docs]."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.items: dict[str, tuple[str, float]] = {}

    def client(self, prefix: str) -> MemcacheClient:
        return MemcacheClient(self, prefix)


class MemcacheClient:
    """``self.cache``, or ``self.session_cache`` with a prefix of the user's session."""

    def __init__(self, memcache: Memcache, prefix: str) -> None:
        self._memcache, self._prefix = memcache, prefix

    def set(self, key: str, value: Any, expire: int) -> bool:
        """Keep *value* for *expire* seconds.

        :raises TypeError: not a JSON value. :raises ValueError: neither, or a key, size or time that memcached
            refuses or takes for another.
        """
        text = json.dumps(value, allow_nan=False)
        if json.loads(text) != value:
            raise TypeError("the cache keeps JSON values only; this one would come back changed")
        if len(text) > VALUE_BYTES:
            raise ValueError("memcached keeps values of at most 1 MiB")
        if not isinstance(expire, int) or not 0 < expire <= EXPIRE_SECONDS:
            raise ValueError("a cached value needs a time to live: 1 second to 30 days, in whole seconds")
        self._memcache.items[self._key(key)] = (text, self._memcache.clock() + expire)
        return True

    def get(self, key: str, default: Any = None) -> Any:
        text, expires = self._memcache.items.get(self._key(key), ("", 0.0))
        if self._memcache.clock() >= expires:
            return default
        return json.loads(text)

    def delete(self, key: str) -> bool:
        return self._memcache.items.pop(self._key(key), None) is not None

    def _key(self, key: str) -> str:
        if not isinstance(key, str) or not re.fullmatch(r"[\x21-\x7e]{1,250}", key):
            raise ValueError("memcached takes keys of 1 to 250 visible ASCII characters")
        return f"{self._prefix}:{key}"


class Platform:
    """Everything behind the SDK in one process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.hq = HQ(clock)
        self.memcache = Memcache(clock)
        self.assets_url = "https://assets.example.com"

    @property
    def settings(self) -> Any:
        """The workspace's ``configuration/settings.py``; the SDK's defaults outside of a workspace."""
        try:
            return importlib.import_module("configuration.settings")
        except ModuleNotFoundError as error:
            if error.name not in ("configuration", "configuration.settings"):
                raise
            return importlib.import_module("q2_sdk.core.default_settings")

    def extension_config(
        self, name: str, required: dict[str, Any], optional: dict[str, Any]
    ) -> SimpleNamespace:
        """The values of ``configuration/<name>.py``, completed by the optional defaults [docs].

        :raises ConfigurationMissing: a required one; the server must not start.
        """
        try:
            module = importlib.import_module(f"configuration.{name}")
        except ModuleNotFoundError as error:
            if error.name not in ("configuration", f"configuration.{name}"):
                raise
            values: dict[str, Any] = {}
        else:
            values = {key: value for key, value in vars(module).items() if not key.startswith("__")}
        missing = sorted(set(required) - set(values))
        if missing:
            raise ConfigurationMissing(f"configuration/{name}.py lacks required {', '.join(missing)}")
        return SimpleNamespace(**{**optional, **values})


platform = Platform()
