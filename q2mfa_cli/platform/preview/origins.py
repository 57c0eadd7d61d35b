"""Host and origin checks. Each origin of the preview accepts requests of trusted pages only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler


class OriginGuard(Router):
    """Refuses requests for another host, and requests from pages of untrusted origins.

    The host check prevents DNS rebinding, where a foreign site's name resolves to loopback. The origin check prevents
    cross-site form posts. Requests to ``localhost`` are redirected to *origin*. The application can be replaced while
    the guard serves.

    :param origin: the served origin, such as ``http://127.0.0.1:8642``. :param trusted: other origins that may send requests.
    """

    def __init__(self, origin: str, application: Application, trusted: Collection[str] = ()) -> None:
        self.origin, self.application = origin, application
        self._allowed_origins = {origin, *trusted}
        says = f"q2mfa preview runs on your machine. It answers requests to {origin} only."
        self._refusing = Application([(r".*", _Refused, {"status": 403, "says": says})])
        self._malformed = Application(
            [(r".*", _Refused, {"status": 400, "says": "The path contains a NUL."})]
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
    """Refuses every request."""

    def initialize(self, status: int, says: str) -> None:
        self.status, self.says = status, says

    def prepare(self) -> None:
        self.set_status(self.status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self.says}\n")


class _ToOrigin(RequestHandler):
    """Redirects a browser from ``localhost`` to the served origin."""

    def initialize(self, origin: str) -> None:
        self.origin = origin

    def get(self) -> None:
        self.redirect(f"{self.origin}/{(self.request.uri or '').lstrip('/')}")
