"""The origins that the preview serves, each of which answers its own pages only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler


class Door(Router):
    """What stands before an application: it refuses whatever names another host or comes from a foreign origin.

    The host, because a foreign site can have its own name resolve to loopback (DNS rebinding); the origin, because a
    foreign site can post a form across. The application behind it can be exchanged while it stands.

    :param origin: what it serves, as ``http://127.0.0.1:8642``. :param friends: further origins it takes requests from.
    """

    def __init__(self, origin: str, application: Application, friends: Collection[str] = ()) -> None:
        self.origin, self.application = origin, application
        self.welcome = {origin, *friends}
        self._refusing = Application([(r".*", _Refused, {"origin": origin})])

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        at_home = f"{request.protocol}://{request.host}" == self.origin
        origins = request.headers.get_list("Origin")
        behind = (
            self.application if at_home and all(each in self.welcome for each in origins) else self._refusing
        )
        return behind.find_handler(request, **kwargs)


class _Refused(RequestHandler):
    def initialize(self, origin: str) -> None:
        self.origin = origin

    def prepare(self) -> None:
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(
            f"q2mfa preview, a local stand-in: this is not for you. Its own address is {self.origin}\n"
        )
