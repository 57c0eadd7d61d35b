"""Responses that are invalid as HTTP or as JSON. Each replaces an honest response."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

BIG = 20_000_000
PATIENCE = 20  # seconds; a client that waits longer has no timeout of its own


class Raw:
    """A response other than plain JSON with status 200. *write* sends it."""

    def __init__(self, write: Callable[[RequestHandler], Awaitable[None]]) -> None:
        self.write = write


def status(code: int, content: Any) -> Raw:
    """Return a response with status *code* and *content* as JSON."""

    async def write(handler: RequestHandler) -> None:
        handler.set_status(code)
        handler.finish(json.dumps(content))

    return Raw(write)


def body(content: bytes, content_type: str = "application/json", **headers: str) -> Raw:
    """Return a response with these bytes and status 200."""

    async def write(handler: RequestHandler) -> None:
        handler.set_header("Content-Type", content_type)
        for name, value in headers.items():
            handler.set_header(name.replace("_", "-"), value)
        with contextlib.suppress(StreamClosedError):
            await handler.finish(content)

    return Raw(write)


def big(answer: Any) -> Raw:
    """Return the honest *answer*, padded to 20 MB."""
    return body(json.dumps(answer).encode() + b" " * BIG)


def bomb(answer: Any) -> Raw:
    """Return the honest *answer* as 20 KB of gzip that unpack to 20 MB."""
    return body(gzip.compress(json.dumps(answer).encode() + b" " * BIG), Content_Encoding="gzip")


def redirect(code: int) -> Callable[[Any], Raw]:
    """Redirect the client to another path that serves the same honest response."""

    def made(answer: Any) -> Raw:
        async def write(handler: RequestHandler) -> None:
            handler.application.settings["elsewhere"] = answer
            handler.set_status(code)
            handler.set_header("Location", "/elsewhere")
            handler.finish(json.dumps(answer))

        return Raw(write)

    return made


def slow(answer: Any) -> Raw:
    """Send one byte at a time (slow loris) until the client closes the connection, for at most :data:`PATIENCE`."""

    async def write(handler: RequestHandler) -> None:
        handler.set_header("Content-Type", "application/json")
        handler.set_header("Content-Length", str(BIG))
        with contextlib.suppress(StreamClosedError):
            await _give_up_on(_trickle(handler), handler)

    return Raw(write)


async def _trickle(handler: RequestHandler) -> None:
    while True:
        handler.write(" ")
        await handler.flush()
        await asyncio.sleep(0.05)


async def _give_up_on(waiting: Coroutine[Any, Any, object], handler: RequestHandler) -> None:
    """Wait until the client closes the connection. If it does not, record this in :attr:`HostileProvider.outwaited` and close it."""
    try:
        await asyncio.wait_for(waiting, PATIENCE)
    except asyncio.TimeoutError:
        handler.application.settings["gave_up"](handler.request.path)
        with contextlib.suppress(StreamClosedError):
            handler.detach().close()


def silence(answer: Any) -> Raw:
    """Accept the request and never respond. Close the connection after :data:`PATIENCE`."""

    async def write(handler: RequestHandler) -> None:
        gone = asyncio.Event()
        handler.request.connection.set_close_callback(gone.set)  # type: ignore[union-attr]
        await _give_up_on(gone.wait(), handler)

    return Raw(write)


def reset(answer: Any) -> Raw:
    """Reset the connection, as a crash does."""

    async def write(handler: RequestHandler) -> None:
        stream = handler.detach()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    return Raw(write)


def wire(sent: bytes) -> Callable[[Any], Raw]:
    """Write these bytes to the connection, then close it."""

    def made(answer: Any) -> Raw:
        async def write(handler: RequestHandler) -> None:
            stream = handler.detach()
            await stream.write(sent)
            stream.close()

        return Raw(write)

    return made
