"""A provider over real sockets, its clock and its events."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from relying_party import (
    CLIENT_ID,
    CLIENT_JWKS,
    REDIRECT_URI,
    SECRET,
    Client,
    Clock,
    Published,
    StartProvider,
)
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from q2mfa_cli.platform.events import Events, ProviderEvent
from q2mfa_cli.platform.idp import IdentityProvider, handlers


@pytest.fixture(scope="session")
def event_loop_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)
    loop.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def published() -> Published:
    """What the provider published, in order."""
    return []


@pytest.fixture
def start(
    event_loop_thread: asyncio.AbstractEventLoop, clock: Clock, published: Published
) -> Iterator[StartProvider]:
    """Start a provider and return its client. *path* is part of the issuer; *options* are the provider's."""
    servers: list[HTTPServer] = []
    events = Events()
    events.subscribe(ProviderEvent, lambda event: published.append((event.what, event.payload)))

    def start(
        path: str = "", sockets: Any = None, redirect_uri: str = REDIRECT_URI, **options: Any
    ) -> Client:
        sockets = sockets or bind_sockets(0, "127.0.0.1")
        provider = IdentityProvider(
            f"http://127.0.0.1:{sockets[0].getsockname()[1]}{path}",
            client_id=CLIENT_ID,
            client_secret=SECRET,
            redirect_uri=redirect_uri,
            events=events,
            clock=clock,
            **options,
        )

        async def serve() -> None:
            servers.append(HTTPServer(Application(handlers(provider))))
            servers[-1].add_sockets(sockets)

        asyncio.run_coroutine_threadsafe(serve(), event_loop_thread).result()
        return Client(provider)

    async def stop() -> None:
        for server in servers:
            server.stop()
            await server.close_all_connections()

    yield start
    asyncio.run_coroutine_threadsafe(stop(), event_loop_thread).result()


@pytest.fixture
def client(start: StartProvider) -> Client:
    return start()


@pytest.fixture
def client_with_keys(start: StartProvider) -> Client:
    """A client that may authenticate by ``private_key_jwt``."""
    return start(client_jwks=CLIENT_JWKS)
