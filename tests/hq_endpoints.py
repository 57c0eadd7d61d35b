"""HTTP endpoints for tests to log users in at HQ, hand tokens over as UUX does, and read the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError, RequestHandler

from q2mfa_cli.platform.sessions import Session

if TYPE_CHECKING:
    from q2mfa_cli.platform.platform import Platform


class _Handler(RequestHandler):
    def initialize(self, platform: Platform, lines: Sequence[str]) -> None:
        self.platform, self.hq, self.lines = platform, platform.hq, lines

    def prepare(self) -> None:
        # A form of another site cannot send this type, and its script needs permission first (CORS).
        if self.request.method == "POST" and self.request.headers.get("Content-Type") != "application/json":
            raise HTTPError(415)

    def body(self) -> dict[str, Any]:
        try:
            body = json.loads(self.request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise HTTPError(400, "a JSON object is expected")
        return body

    def session(self, identifier: str) -> Session:
        if identifier not in self.hq.sessions:
            raise HTTPError(404)
        return self.hq.sessions[identifier]


class _Sessions(_Handler):
    def post(self) -> None:
        body = self.body()
        identifier = body.pop("id", None)
        try:
            session = self.hq.open_session(**body)
            if identifier:
                self.hq.sessions[identifier] = self.hq.sessions.pop(session.id)
                session.id = identifier
        except (TypeError, ValueError) as error:
            self.set_status(400)
            self.write({"error": str(error)})
        else:
            self.write({"session": session.id})


class _Session(_Handler):
    def get(self, identifier: str) -> None:
        session = self.session(identifier)
        self.write({"tokens": [token.value for token in session.tokens], "verified": session.mfa_complete})

    def put(self, identifier: str) -> None:
        """Change the session's request for MFA, or let this server know another server's session."""
        mfa_info = self.body()["mfa_info"]
        self.hq.sessions.setdefault(identifier, Session(identifier)).mfa_info = mfa_info


class _Verify(_Handler):
    def post(self, identifier: str) -> None:
        session = self.session(identifier)
        self.write({"verified": self.hq.verify(session, self.body().get("token")).verified})


class _CacheKeys(_Handler):
    def get(self) -> None:
        self.write({"keys": list(self.platform.cache.recent_keys)})


class _Cache(_Handler):
    def delete(self) -> None:
        self.platform.cache.flush_all()
        self.platform.cache.recent_keys.clear()


class _Log(_Handler):
    def get(self) -> None:
        start = int(self.get_query_argument("from", "0"))
        self.write({"lines": self.lines[start:], "count": len(self.lines)})


def handlers(platform: Platform, lines: Sequence[str]) -> list[Any]:
    """Tornado's URL patterns of everything below ``/_hq``."""
    given = {"platform": platform, "lines": lines}
    return [
        (r"/_hq/sessions", _Sessions, given),
        (r"/_hq/sessions/([\w-]+)", _Session, given),
        (r"/_hq/sessions/([\w-]+)/verify", _Verify, given),
        (r"/_hq/cache", _Cache, given),
        (r"/_hq/cache_keys", _CacheKeys, given),
        (r"/_hq/log", _Log, given),
    ]
