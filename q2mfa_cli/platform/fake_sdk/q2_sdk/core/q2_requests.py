"""Outbound HTTP for extensions: the logger first, then as in the ``requests`` library [docs].

Keyword arguments beyond ``params``, ``data`` and ``headers`` are a [guess].
"""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Mapping
from logging import Logger
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse

from q2_sdk.context import current
from q2_sdk.core import default_settings
from q2mfa_cli.platform.configuration import workspace_settings
from q2mfa_cli.platform.events import OutboundRequest

REDIRECTS = 5


class OutboundBlocked(Exception):
    """OUTBOUND_WHITELIST does not list the host."""


class Response:
    """An answer, like that of the ``requests`` library."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status_code = response.code
        self.headers = response.headers
        self.url = response.effective_url
        self.content: bytes = response.body

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """:raises ValueError: the body is not JSON."""
        return json_module.loads(self.content)


async def get(logger: Logger, url: str, **options: Any) -> Response:
    """GET *url*.

    :raises OutboundBlocked: its host is not in OUTBOUND_WHITELIST. :raises OSError: no answer.
    """
    return await _request(logger, "GET", url, **options)


async def post(logger: Logger, url: str, **options: Any) -> Response:
    """POST to *url*.

    :raises OutboundBlocked: its host is not in OUTBOUND_WHITELIST. :raises OSError: no answer.
    """
    return await _request(logger, "POST", url, **options)


async def _request(
    logger: Logger,
    method: str,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    data: Mapping[str, str] | str | bytes | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
    allow_redirects: bool = True,
) -> Response:
    if not isinstance(logger, Logger):
        raise TypeError("q2_requests takes the logger first")
    all_headers = dict(headers or {})
    body: str | bytes | None = None
    if json is not None:
        body = json_module.dumps(json)
        all_headers.setdefault("Content-Type", "application/json")
    elif isinstance(data, Mapping):
        body = urlencode(data)
        all_headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif data is not None:
        body = data
    elif method == "POST":
        body = b""
    if params:
        url += ("&" if "?" in url else "?") + urlencode(params)
    for _ in range(REDIRECTS):
        started = time.perf_counter()
        _refuse_unlisted(method, url)
        request = HTTPRequest(
            url,
            method,
            headers=all_headers,
            body=body,
            connect_timeout=timeout,
            request_timeout=timeout,
            follow_redirects=False,
        )
        try:
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        except (HTTPClientError, OSError) as error:
            _publish(method, url, 0, started, str(error))
            raise OSError(f"no answer from {urlsplit(url).hostname}: {error}") from error
        _publish(method, url, answer.code, started, "")
        if not (
            allow_redirects and answer.code in (301, 302, 303, 307, 308) and "Location" in answer.headers
        ):
            return Response(answer)
        there = urljoin(url, answer.headers["Location"])
        if answer.code in (301, 302, 303):
            method, body = "GET", None
            _drop(all_headers, "Content-Type")
        if urlsplit(there)[:2] != urlsplit(url)[:2]:
            _drop(all_headers, "Authorization")
        url = there
    raise OSError("too many redirects")


def _drop(headers: dict[str, str], name: str) -> None:
    for key in [key for key in headers if key.lower() == name.lower()]:
        del headers[key]


def _publish(method: str, url: str, status: int, started: float, reason: str) -> None:
    context = current()
    context.platform.events.publish(
        OutboundRequest(
            context.session.id if context.session else "",
            method,
            url,
            status,
            time.perf_counter() - started,
            reason,
        )
    )


def _refuse_unlisted(method: str, url: str) -> None:
    host = urlsplit(url).hostname or ""
    settings = workspace_settings() or default_settings
    allowed = {*settings.OUTBOUND_WHITELIST, *current().platform.allowed_hosts}
    if settings.DEBUG and host not in allowed:
        _publish(method, url, 0, time.perf_counter(), f"{host} is not in OUTBOUND_WHITELIST")
        raise OutboundBlocked(f"{host!r} is not in OUTBOUND_WHITELIST")
