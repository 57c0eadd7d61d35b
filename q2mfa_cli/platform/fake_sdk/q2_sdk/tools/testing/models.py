"""The request for a handler under test."""

from __future__ import annotations

from collections.abc import Callable

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine


class _NoConnection:
    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        pass


class RequestMock(HTTPServerRequest):
    """A request without a connection."""

    def __init__(self) -> None:
        super().__init__(
            start_line=RequestStartLine("POST", "/", "HTTP/1.1"),
            headers=HTTPHeaders({"Host": "localhost"}),
            connection=_NoConnection(),  # type: ignore[arg-type]
        )
