"""``q2_requests``: the requests library in a thread, with the platform's whitelist, log and events."""

from __future__ import annotations

import asyncio
import http.server
import json
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from q2mfa_cli.platform.events import OutboundRequest
from q2mfa_cli.platform.sessions import SESSION_HEADER

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("fake_sdk")]

LOGGER = logging.getLogger(__name__)


class Upstream(http.server.ThreadingHTTPServer):
    """A server on loopback that answers with the request as JSON.

    ``/redirect`` redirects to ``localhost``, ``/reset`` resets the connection, ``/wait`` waits for :attr:`go_on`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[str] = []
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Upstream

    def answer(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        if self.path == "/wait":
            self.server.go_on.wait()
        answer = {"method": self.command, "headers": dict(self.headers), "body": body.decode()}
        content = b"" if self.command == "HEAD" else json.dumps(answer).encode()
        self.send_response(302 if self.path == "/redirect" else 200)
        self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/redirected")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_HEAD = answer

    def finish(self) -> None:
        if self.connection.fileno() != -1:
            super().finish()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.go_on.set()
        server.shutdown()


@pytest.fixture
def whitelist(fake_sdk: None) -> list[str]:
    from q2_sdk.core import default_settings

    default_settings.OUTBOUND_WHITELIST = ["127.0.0.1"]
    return default_settings.OUTBOUND_WHITELIST


@pytest.fixture
def published(fake_sdk: None) -> list[OutboundRequest]:
    from q2_sdk.context import current

    events: list[OutboundRequest] = []
    current().platform.events.subscribe(OutboundRequest, events.append)
    return events


def fetch(url: str, method: str = "get", **options: Any) -> requests.Response:
    from q2_sdk.core import q2_requests

    response: requests.Response = asyncio.run(getattr(q2_requests, method)(LOGGER, url, **options))
    return response


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options", "patch", "head"])
def test_request_function_sends_its_http_method(
    method: str, upstream: Upstream, whitelist: list[str]
) -> None:
    response = fetch(upstream.url + "/path", method, params={"a": "b c"})
    assert isinstance(response, requests.Response)
    assert response.status_code == 200
    assert upstream.requests == [f"{method.upper()} /path?a=b+c"]


def test_data_and_headers_are_sent_as_requests_sends_them(upstream: Upstream, whitelist: list[str]) -> None:
    answer = fetch(upstream.url, "post", data={"a": "b c"}, headers={"X-Header": "x"}).json()
    assert answer["body"] == "a=b+c"
    assert answer["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert answer["headers"]["X-Header"] == "x"
    assert fetch(upstream.url, "post", json={"a": 1}).json()["body"] == '{"a": 1}'


def test_session_header_is_sent_to_the_embedded_provider_only(
    upstream: Upstream, whitelist: list[str]
) -> None:
    from q2_sdk.context import Context, bind, current

    from q2mfa_cli.platform.platform import Platform

    before, platform = current(), Platform()
    session = platform.hq.open_session()

    async def headers() -> dict[str, str]:
        from q2_sdk.core import q2_requests

        bind(Context(platform, session))
        found: dict[str, str] = (await q2_requests.get(LOGGER, upstream.url)).json()["headers"]
        return found

    assert SESSION_HEADER not in asyncio.run(headers())
    platform.provider = upstream.url.removeprefix("http://")
    assert asyncio.run(headers())[SESSION_HEADER] == session.id
    assert current() is before


def test_request_to_unlisted_host_is_blocked(upstream: Upstream, whitelist: list[str]) -> None:
    from q2_sdk.core import default_settings
    from q2_sdk.core.q2_requests import OutboundBlocked

    whitelist.clear()
    with pytest.raises(OutboundBlocked, match=r"127\.0\.0\.1"):
        fetch(upstream.url)
    assert upstream.requests == []
    default_settings.DEBUG = False
    assert fetch(upstream.url).ok


def test_redirect_to_unlisted_host_is_not_followed(upstream: Upstream, whitelist: list[str]) -> None:
    from q2_sdk.core.q2_requests import OutboundBlocked

    with pytest.raises(OutboundBlocked, match="localhost"):
        fetch(upstream.url + "/redirect")
    assert upstream.requests == ["GET /redirect"]
    assert fetch(upstream.url + "/redirect", allow_redirects=False).status_code == 302
    whitelist.append("localhost")
    assert fetch(upstream.url + "/redirect").url.endswith("/redirected")


def test_request_without_logger_is_refused(upstream: Upstream) -> None:
    from q2_sdk.core import q2_requests

    with pytest.raises(TypeError, match="logger first"):
        asyncio.run(q2_requests.get(upstream.url, LOGGER))


def test_reset_connection_raises_connection_error(
    upstream: Upstream, whitelist: list[str], published: list[OutboundRequest]
) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        fetch(upstream.url + "/reset")
    assert [(event.status, event.reason != "") for event in published] == [(0, True)]


def test_request_after_its_time_limit_raises_timeout(
    upstream: Upstream, whitelist: list[str], published: list[OutboundRequest]
) -> None:
    with pytest.raises(requests.exceptions.Timeout):
        fetch(upstream.url + "/wait", timeout=0.1)
    assert [event.status for event in published] == [0]


def test_request_does_not_block_the_event_loop(upstream: Upstream, whitelist: list[str]) -> None:
    from q2_sdk.core import q2_requests

    async def both() -> requests.Response:
        request = asyncio.create_task(q2_requests.get(LOGGER, upstream.url + "/wait", timeout=20))
        while not upstream.requests:
            await asyncio.sleep(0)
        upstream.go_on.set()
        return await request

    assert asyncio.run(both()).ok


def test_every_request_is_published_on_the_thread_of_the_event_loop(
    upstream: Upstream, whitelist: list[str]
) -> None:
    from q2_sdk.context import current

    seen: list[tuple[int, str, int, str]] = []
    current().platform.events.subscribe(
        OutboundRequest,
        lambda event: seen.append((threading.get_ident(), event.url, event.status, event.reason)),
    )
    whitelist.append("localhost")
    fetch(upstream.url + "/redirect")
    whitelist.clear()
    with pytest.raises(Exception, match="OUTBOUND_WHITELIST"):
        fetch(upstream.url)
    redirected = upstream.url.replace("127.0.0.1", "localhost") + "/redirected"
    assert seen == [
        (threading.get_ident(), upstream.url + "/redirect", 302, ""),
        (threading.get_ident(), redirected, 200, ""),
        (threading.get_ident(), upstream.url + "/", 0, "127.0.0.1 is not in OUTBOUND_WHITELIST"),
    ]


def test_request_and_response_are_logged_at_debug(
    upstream: Upstream, whitelist: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, LOGGER.name)
    fetch(
        upstream.url + "/path", "post", data={"code": "a secret"}, headers={"Authorization": "another secret"}
    )
    sent, received = [record.getMessage() for record in caplog.records if record.name == LOGGER.name]
    for part in ("post", upstream.url + "/path", "'code': 'a secret'", "'Authorization': 'another secret'"):
        assert part in sent
    for part in ("200", "'Content-Type': 'application/json'", "code=a+secret"):
        assert part in received
    assert {record.levelno for record in caplog.records if record.name == LOGGER.name} == {logging.DEBUG}
