"""Serve hostile providers on loopback, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from q2mfa_cli.platform.verify.hostile.answers import Raw
from q2mfa_cli.platform.verify.hostile.keys import Json, another_key
from q2mfa_cli.platform.verify.hostile.provider import ELSEWHERE, Client, HostileProvider


class HostileProviders:
    """Independent providers, each under a path of one origin."""

    def __init__(self, origin: str, client: Client) -> None:
        self.origin, self.client = origin, client
        self.by_name: dict[str, HostileProvider] = {}
        self._numbers = itertools.count()  # `next` is atomic, so threads get distinct numbers

    def gave_up(self, path: str) -> None:
        """Record that a client waited too long for a response from *path*."""
        name, _, endpoint = path.lstrip("/").partition("/")
        self.by_name[name].outwaited.append(endpoint)

    def new(self) -> HostileProvider:
        name = f"p{next(self._numbers)}"
        self.by_name[name] = HostileProvider(f"{self.origin}/{name}", self.client)
        return self.by_name[name]


class _Endpoint(RequestHandler):
    def initialize(self, providers: HostileProviders) -> None:
        self.providers = providers

    def prepare(self) -> None:
        name = self.path_args.pop(0) or ""
        self.provider = self.providers.by_name[name]
        self.provider.asked.append(f"{self.request.method} {self.request.path.removeprefix(f'/{name}')}")

    def log_exception(self, *_: Any) -> None:
        """Log nothing. The tests see which requests the provider refuses."""

    @property
    def form(self) -> dict[str, str]:
        return {name: self.get_argument(name, strip=False) for name in self.request.arguments}

    async def send(self, answer: Json | Raw, status: int = 200) -> None:
        self.set_status(status)
        if isinstance(answer, Raw):
            await answer.write(self)
        else:
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(answer))


class _Metadata(_Endpoint):
    async def get(self) -> None:
        await self.send(self.provider.lie.metadata(self.provider.metadata()))


class _Keys(_Endpoint):
    async def get(self) -> None:
        await self.send(self.provider.lie.keys({"keys": [self.provider.key.jwk]}))


class _Pushed(_Endpoint):
    async def post(self) -> None:
        self.provider.authenticate(self.request.headers.get("Authorization", ""), self.form)
        await self.send(self.provider.lie.pushed(self.provider.push(self.form)), 201)


class _Authorize(_Endpoint):
    def get(self) -> None:
        redirect_uri, parameters = self.provider.authorize(self.form)
        self.redirect(f"{redirect_uri}?{urlencode(parameters, doseq=True)}")


class _Token(_Endpoint):
    async def post(self) -> None:
        self.provider.authenticate(self.request.headers.get("Authorization", ""), self.form)
        try:
            answer = self.provider.exchange(self.form)
        except HTTPError:
            await self.send({"error": "invalid_grant"}, 400)
        else:
            await self.send(self.provider.lie.token(answer))


class _RedirectTarget(RequestHandler):
    """The target of a redirect or of a ``jku``. It does not know the provider, so every provider records the request."""

    def initialize(self, providers: HostileProviders) -> None:
        self.providers = providers

    def get(self, keys: str = "") -> None:
        for provider in self.providers.by_name.values():
            provider.asked.append(ELSEWHERE)
        answer = {"keys": [another_key().jwk]} if keys else self.application.settings["elsewhere"]
        self.finish(json.dumps(answer))

    post = get


@contextlib.contextmanager
def running(client: Client) -> Iterator[HostileProviders]:
    """Serve providers on a free port of 127.0.0.1 until the block ends."""
    sockets = bind_sockets(0, "127.0.0.1")
    providers = HostileProviders(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", client)
    given = {"providers": providers}
    routes: list[Any] = [
        (r"/elsewhere(/keys)?", _RedirectTarget, given),
        (r"/(\w+)/\.well-known/openid-configuration", _Metadata, given),
        (r"/(\w+)/keys", _Keys, given),
        (r"/(\w+)/pushed", _Pushed, given),
        (r"/(\w+)/authorize", _Authorize, given),
        (r"/(\w+)/token", _Token, given),
    ]
    application = Application(routes, elsewhere={}, gave_up=providers.gave_up, log_function=lambda _: None)
    ready = threading.Event()
    end: list[Callable[[], object]] = []

    async def serve() -> None:
        server = HTTPServer(application)
        server.add_sockets(sockets)
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        end.append(lambda: loop.call_soon_threadsafe(ended.set))
        ready.set()
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield providers
    finally:
        end[0]()
        thread.join(timeout=10)
