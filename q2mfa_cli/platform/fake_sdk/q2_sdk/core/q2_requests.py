"""Outbound HTTP requests of extensions: the ``requests`` library in a thread.

Each function takes a logger and a URL, followed by the arguments of the function in ``requests``. It returns a
``requests.Response``, and raises the exceptions in ``requests.exceptions``. In debug mode, it allows only the hosts in
OUTBOUND_WHITELIST.

Q2 does not document what is logged. This fake logs everything at DEBUG, so that tests find secrets in the log.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from logging import Logger, LoggerAdapter
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from q2_sdk.context import current, settings
from q2mfa_cli.platform.events import OutboundRequest
from q2mfa_cli.platform.sessions import SESSION_HEADER

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LOGGED_BYTES = 10_000


class OutboundBlocked(Exception):
    """OUTBOUND_WHITELIST does not list the host."""


class _Adapter(HTTPAdapter):
    """Checks, logs and publishes every request, including those that follow a redirect."""

    def __init__(self, logger: Logger, publish: Callable[[OutboundRequest], object]) -> None:
        super().__init__()
        self.logger, self.publish = logger, publish
        self.context, self.settings = current(), settings()

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, *args: Any, **options: Any
    ) -> requests.Response:
        method, url, started = str(request.method), str(request.url), time.perf_counter()
        status, reason = 0, ""
        session = self.context.session.id if self.context.session else ""
        if urlsplit(url).netloc == self.context.platform.provider != "":
            request.headers[SESSION_HEADER] = session
        try:
            self._check(urlsplit(url).hostname or "")
            response = super().send(request, stream, *args, **options)
            status = response.status_code
            body = b"" if stream else response.content
            headers = dict(response.headers)
            self.logger.debug("%s %s: %s %s %s", method, url, status, headers, _text(body))
        except Exception as error:
            status, reason = 0, str(error)
            raise
        finally:
            seconds = time.perf_counter() - started
            self.publish(OutboundRequest(session, method, url, status, seconds, reason))
        return response

    def _check(self, host: str) -> None:
        allowed = {*self.settings.OUTBOUND_WHITELIST, *self.context.platform.allowed_hosts}
        if self.settings.DEBUG and host not in allowed:
            raise OutboundBlocked(f"{host} is not in OUTBOUND_WHITELIST")


def _text(body: bytes) -> str:
    return body[:LOGGED_BYTES].decode("utf-8", "replace")


def _send(
    logger: Logger,
    publish: Callable[[OutboundRequest], object],
    method: str,
    url: str,
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
) -> requests.Response:
    with requests.Session() as session:
        # A proxy from the environment cannot reach providers on this machine.
        session.trust_env = urlsplit(url).hostname not in LOOPBACK
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(logger, publish))
        response: requests.Response = getattr(session, method)(url, *arguments, **options)
        return response


def _function(method: str) -> Callable[..., Coroutine[Any, Any, requests.Response]]:
    async def function(logger: Logger, url: str, *arguments: Any, **options: Any) -> requests.Response:
        if not isinstance(logger, Logger | LoggerAdapter):
            raise TypeError("q2_requests takes the logger first")
        logger.debug("%s %s %s %s", method, url, arguments, options)
        loop = asyncio.get_running_loop()
        publish = current().platform.events.publish

        def publish_on_loop(event: OutboundRequest) -> None:
            loop.call_soon_threadsafe(publish, event)

        return await asyncio.to_thread(_send, logger, publish_on_loop, method, url, arguments, options)

    return function


get = _function("get")
post = _function("post")
put = _function("put")
delete = _function("delete")
options = _function("options")
patch = _function("patch")
head = _function("head")
