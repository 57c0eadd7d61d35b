"""Answers that are wrong as HTTP or as JSON, whatever is asked: each makes one of an honest answer."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

BIG = 20_000_000


class Raw:
    """An answer that is not simply JSON: writes itself to the connection."""

    def __init__(self, write: Callable[[RequestHandler], Awaitable[None]]) -> None:
        self.write = write


def status(code: int, content: Any) -> Raw:
    """*content*, as JSON, with another status."""

    async def write(handler: RequestHandler) -> None:
        handler.set_status(code)
        handler.finish(json.dumps(content))

    return Raw(write)


def body(content: bytes, content_type: str = "application/json", **headers: str) -> Raw:
    """These bytes, with status 200."""

    async def write(handler: RequestHandler) -> None:
        handler.set_header("Content-Type", content_type)
        for name, value in headers.items():
            handler.set_header(name.replace("_", "-"), value)
        with contextlib.suppress(StreamClosedError):
            await handler.finish(content)

    return Raw(write)


def big(answer: Any) -> Raw:
    """*answer*, right as it is, in 20 MB."""
    return body(json.dumps(answer).encode() + b" " * BIG)


def bomb(answer: Any) -> Raw:
    """*answer* as 20 KB that unpack to 20 MB."""
    return body(gzip.compress(json.dumps(answer).encode() + b" " * BIG), Content_Encoding="gzip")


def redirect(code: int) -> Callable[[Any], Raw]:
    """Send whoever asks, with what they posted, to another path that gives the same honest answer as this one."""

    def made(answer: Any) -> Raw:
        async def write(handler: RequestHandler) -> None:
            handler.application.settings["elsewhere"] = answer
            handler.set_status(code)
            handler.set_header("Location", "/elsewhere")
            handler.finish(json.dumps(answer))

        return Raw(write)

    return made


def slow(answer: Any) -> Raw:
    """A byte at a time, for as long as somebody listens (slow loris)."""

    async def write(handler: RequestHandler) -> None:
        handler.set_header("Content-Type", "application/json")
        handler.set_header("Content-Length", str(BIG))
        with contextlib.suppress(StreamClosedError):
            while True:
                handler.write(" ")
                await handler.flush()
                await asyncio.sleep(0.05)

    return Raw(write)


def silence(answer: Any) -> Raw:
    """Take the request and never answer."""

    async def write(handler: RequestHandler) -> None:
        gone = asyncio.Event()
        handler.request.connection.set_close_callback(gone.set)  # type: ignore[union-attr]
        await gone.wait()

    return Raw(write)


def reset(answer: Any) -> Raw:
    """End the connection as a crash does: RST instead of an answer."""

    async def write(handler: RequestHandler) -> None:
        stream = handler.detach()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    return Raw(write)


def wire(sent: bytes) -> Callable[[Any], Raw]:
    """Just these bytes on the connection, then its end."""

    def made(answer: Any) -> Raw:
        async def write(handler: RequestHandler) -> None:
            stream = handler.detach()
            await stream.write(sent)
            stream.close()

        return Raw(write)

    return made
