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
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

TOKEN_SECONDS = 300  # [guess]

# memcached's own limits: an item's size, and the time to live above which it means a date in the past.
VALUE_BYTES = 1024 * 1024
EXPIRE_SECONDS = 30 * 24 * 60 * 60

# Which attributes of mfa_info there are: in every workflow, and in one of them only [seed].
MFA_INFO = {"mfa_context", "registration_value", "sso_identifier"}
MFA_INFO_OF_TRANSACTION = {"transaction_ids"}
MFA_INFO_OF_PATROL = {"audit_action_id", "audit_action_name"}

# How the session travels is the stand-in's own affair.
SESSION_HEADER = "X-Q2-Session"

# What can be made to go wrong in a session. What an extension sees of a fault is a [guess].
FAULTS = {"hq_rejects", "hq_down", "token_expires", "session_lost"}

# The session whose request is being answered: outbound requests are made on its behalf.
current_session: ContextVar[Session | None] = ContextVar("current_session", default=None)


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
    faults: set[str] = field(default_factory=set)


def _ignore(*_: object) -> None:
    """Nobody watches."""


class HQ:
    """Q2's business-logic server, as far as External MFA concerns it [seed]."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.sessions: dict[str, Session] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        # Told of each token set or verified: the session, what was asked, the token, seconds, why it was refused or "".
        self.watch: Callable[[Session, str, object, float, str], None] = _ignore

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

    def find_session(self, identifier: str) -> Session | None:
        """The session of that id, where there is one and it is not lost."""
        session = self.sessions.get(identifier)
        return None if session is None or "session_lost" in session.faults else session

    def set_token(self, session: Session, token: str) -> None:
        """Keep *token* in the session; a later one replaces it.

        :raises ValueError: it is not a text, or an empty one. :raises ConnectionError: HQ is down.
        """
        started = time.perf_counter()
        why = ""
        if "hq_down" in session.faults:
            why = "HQ is down"
        elif not isinstance(token, str) or not token.strip():
            why = "HQ takes a token that is a text, and not an empty one"
        else:
            lifetime = 0 if "token_expires" in session.faults else TOKEN_SECONDS
            session.tokens.append(Token(token, self.clock() + lifetime))
        self.watch(session, "set", token, time.perf_counter() - started, why)
        if why:
            raise ConnectionError(why) if "hq_down" in session.faults else ValueError(why)

    def verify(self, session: Session, token: object) -> bool:
        """Compare *token* with the one set last; that it is spent whatever the outcome is a [guess]."""
        started = time.perf_counter()
        refused = self._refusal(session, token)
        session.mfa_complete = session.mfa_complete or not refused
        self.watch(session, "verify", token, time.perf_counter() - started, refused)
        return not refused

    def _refusal(self, session: Session, token: object) -> str:
        """Why *token* does not complete MFA; empty where it does."""
        if "session_lost" in session.faults:
            return "HQ does not know the session"
        if "hq_down" in session.faults:
            return "HQ is down"
        current = session.tokens[-1] if session.tokens else None
        if current is None:
            return "no token was set in this session"
        if current.used:
            return "the token was used before"
        if not isinstance(token, str):
            return "the token is not a text"
        current.used = True
        if self.clock() >= current.expires:
            return "the token has expired"
        if not secrets.compare_digest(current.value.encode(), token.encode()):
            return "the token is not the one that was set"
        return "HQ rejects it: the switch is on" if "hq_rejects" in session.faults else ""


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
        # Values that go before those of configuration/<Name>.py: the sandbox's own provider for a redirect.
        self.overrides: dict[str, Any] = {}
        # Told of each outbound request: the session, method, URL, status (0: no answer), seconds, why it failed or "".
        self.watch_outbound: Callable[[Session | None, str, str, int, float, str], None] = _ignore

    def session_of(self, request: HTTPServerRequest) -> Session | None:
        """The session that *request* is made in."""
        return self.hq.find_session(request.headers.get(SESSION_HEADER, ""))

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
        return SimpleNamespace(**{**optional, **values, **self.overrides})


platform = Platform()
