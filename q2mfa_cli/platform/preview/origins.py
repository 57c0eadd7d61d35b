"""The origins that the preview serves. Each answers its own pages only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler


class OriginGuard(Router):
    """Refuses requests that name another host, or come from a page of an origin that is not trusted.

    The host matters because a foreign site can have its own name resolve to loopback (DNS rebinding). The origin matters
    because a foreign site can post a form across. The application behind the guard can be replaced while it serves.

    :param origin: what it serves, as ``http://127.0.0.1:8642``. :param trusted: other origins whose requests it accepts.
    """

    def __init__(self, origin: str, application: Application, trusted: Collection[str] = ()) -> None:
        self.origin, self.application = origin, application
        self._allowed_origins = {origin, *trusted}
        self._refusing = Application([(r".*", _Refused, {"origin": origin})])

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        is_host = f"{request.protocol}://{request.host}" == self.origin
        origins = request.headers.get_list("Origin")
        allowed = is_host and all(each in self._allowed_origins for each in origins)
        return (self.application if allowed else self._refusing).find_handler(request, **kwargs)


class _Refused(RequestHandler):
    def initialize(self, origin: str) -> None:
        self.origin = origin

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"q2mfa preview runs on your machine. It answers requests to {self.origin} only.\n")
