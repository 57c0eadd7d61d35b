"""The origins that the preview serves. Each answers its own pages only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler


class OriginGuard(Router):
    """Refuses requests that name another host, or come from a page of an origin that is not trusted.

    The host matters because a foreign site can have its own name resolve to loopback (DNS rebinding). The origin matters
    because a foreign site can post a form across. A browser that comes to ``localhost`` is sent to the address. The application behind the guard can be replaced while it serves.

    :param origin: what it serves, as ``http://127.0.0.1:8642``. :param trusted: other origins whose requests it accepts.
    """

    def __init__(self, origin: str, application: Application, trusted: Collection[str] = ()) -> None:
        self.origin, self.application = origin, application
        self._allowed_origins = {origin, *trusted}
        says = f"q2mfa preview runs on your machine. It answers requests to {origin} only."
        self._refusing = Application([(r".*", _Refused, {"status": 403, "says": says})])
        self._malformed = Application(
            [(r".*", _Refused, {"status": 400, "says": "The path has a NUL in it."})]
        )
        self._redirecting = Application([(r".*", _ToOrigin, {"origin": origin})])

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        host = f"{request.protocol}://{request.host}"
        origins = request.headers.get_list("Origin")
        if request.method == "GET" and not origins and host == self.origin.replace("127.0.0.1", "localhost"):
            application = self._redirecting
        elif host != self.origin or not all(each in self._allowed_origins for each in origins):
            application = self._refusing
        elif "\0" in unquote(request.path):
            application = self._malformed
        else:
            application = self.application
        return application.find_handler(request, **kwargs)


class _Refused(RequestHandler):
    """Refuses any request."""

    def initialize(self, status: int, says: str) -> None:
        self.status, self.says = status, says

    def prepare(self) -> None:
        self.set_status(self.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self.says}\n")


class _ToOrigin(RequestHandler):
    """Sends a browser that came to ``localhost`` to the address, which has the right origin."""

    def initialize(self, origin: str) -> None:
        self.origin = origin

    def get(self) -> None:
        self.redirect(f"{self.origin}/{(self.request.uri or '').lstrip('/')}")
