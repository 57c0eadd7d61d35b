"""``q2mfa preview NAME``: UUX, the extension and what is behind them, in one process on loopback.

Each has an origin of its own, as in production: UUX the port that is asked for, the extension the next one, the
embedded identity provider the one after.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from q2mfa_cli.errors import Q2mfaError, UsageError
from q2mfa_cli.platform.preview.extension import Extension, use_fake_sdk
from q2mfa_cli.platform.preview.providers import EmbeddedProvider, Provider, RealProvider
from q2mfa_cli.request import shown

if TYPE_CHECKING:
    from q2mfa_cli.platform.preview.origins import Door
    from q2mfa_cli.platform.preview.uux import UUX

# What it is made of, beside what the extension itself imports.
NEEDED = ("tornado", "jinja2", "pyotp", "segno", "authlib", "cachetools", "jwt")

LOOPBACK = "127.0.0.1"
FIRST_PORT = 8642
PORTS_TRIED = 20
ORIGINS = 3  # UUX, the extension, the embedded provider

# How often the extension's files are looked at.
WATCH_SECONDS = 0.3


@dataclass
class Preview:
    """A running preview.

    :param url: UUX's address, which is what a browser opens. :param notes: what the extension was given for this run
        only, one sentence each.
    """

    url: str
    extension: Extension
    uux: UUX
    notes: list[str]


def run_preview(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None,
    browser: bool,
    say: Callable[[str], None],
) -> None:
    """Serve until interrupted.

    :param port: UUX's; the following two are used too; 0 is any free ones, None the first free ones of the usual.
    :param issuer: a real provider to use; None is the embedded one. :param browser: whether to open a browser.
    :param say: what prints a line.
    :raises Q2mfaError: the extension cannot be served, or the ports are taken.
    """
    use_fake_sdk(workspace, NEEDED)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(workspace, name, port, issuer, browser, say))
    say("Stopped.")


async def _serve(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None,
    browser: bool,
    say: Callable[[str], None],
) -> None:
    async with previewing(workspace, name, port, issuer) as preview:
        where = f"{name} is at {preview.url}/ (a local stand-in, no Q2 system is involved)."
        say("\n".join([where, *preview.notes, "Ctrl-C stops it."]))
        if browser:
            import webbrowser

            await asyncio.get_running_loop().run_in_executor(None, webbrowser.open, f"{preview.url}/")
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def previewing(
    workspace: Path, name: str, port: int | None, issuer: str | None = None
) -> AsyncIterator[Preview]:
    """Everything served, and the extension imported anew whenever a file of it changes, until the block ends.

    :func:`use_fake_sdk` has to have been called.

    :raises Q2mfaError: see :func:`run_preview`.
    """
    from q2_sdk._platform import platform
    from tornado.httpserver import HTTPServer
    from tornado.web import Application

    from q2mfa_cli.platform import idp
    from q2mfa_cli.platform.events import Events
    from q2mfa_cli.platform.preview import uux_handlers
    from q2mfa_cli.platform.preview.origins import Door
    from q2mfa_cli.platform.preview.outlet import make_outlet
    from q2mfa_cli.platform.preview.uux import UUX

    _log_to_terminal()
    extension = Extension(workspace, name)
    if issuer is not None and extension.integration != "redirect":
        raise UsageError(
            f"{shown(name)} has no identity provider: it is a standard integration.", "Leave --issuer out."
        )
    sockets = _bound(port)
    try:
        here, there, elsewhere = (f"http://{LOOPBACK}:{each.getsockname()[1]}" for each in sockets)
        platform.assets_url = f"{there}/assets"
        login = None
        if extension.integration == "redirect":
            redirect_uri = f"{there}/assets/{name}/verify.html"
            login = (
                RealProvider(extension, issuer, redirect_uri)
                if issuer is not None
                else EmbeddedProvider(extension, elsewhere, redirect_uri, Events())
            )
            login.grant()
        uux = UUX(platform, extension, there, login)
        about: dict[str, Any] = {
            "frames": [there, *(login.frames if login else [])],
            "changed": login.notes if login else [],
            "mfa_info": _customer(extension),
        }
        doors = [
            Door(here, Application(uux_handlers.handlers(uux, about), websocket_ping_interval=20)),
            Door(there, make_outlet(extension, there, here), friends=[here]),
        ]
        if login and login.embedded:
            doors.append(Door(elsewhere, Application(idp.handlers(login.embedded))))
        servers = [HTTPServer(door) for door in doors]
        for server, each in zip(servers, sockets, strict=False):
            server.add_sockets([each])
        watching = asyncio.create_task(_watch(extension, login, doors[1], there, here))
        try:
            yield Preview(here, extension, uux, about["changed"])
        finally:
            watching.cancel()
            for server in servers:
                server.stop()
                await server.close_all_connections()
    finally:
        for each in sockets:
            each.close()


async def _watch(
    extension: Extension, login: Provider | None, door: Door, origin: str, uux_origin: str
) -> None:
    """Import the extension anew when a file has changed, and have the open pages open it anew."""
    from q2mfa_cli.platform.preview.outlet import make_broken_outlet, make_outlet
    from q2mfa_cli.platform.preview.uux_handlers import tell_everybody

    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if not extension.changed:
            continue
        try:
            extension.load()
            if login:
                login.grant()
        except Q2mfaError as error:
            door.application, why = make_broken_outlet(error), error.message
        else:
            door.application, why = make_outlet(extension, origin, uux_origin), ""
        tell_everybody({"reload": {"why": why}})


def _customer(extension: Extension) -> dict[str, Any]:
    """What HQ knows of the customer in every workflow; the secret of an authenticator app is of this run only."""
    import base64

    from q2mfa_cli.platform.preview.workflows import CUSTOMER, TOTP_SECRET_BYTES

    if extension.integration == "standard":
        secret = base64.b32encode(secrets.token_bytes(TOTP_SECRET_BYTES)).decode()
        return {"registration_value": secret, "sso_identifier": CUSTOMER}
    attribute = getattr(extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
    return dict.fromkeys(["sso_identifier", attribute], CUSTOMER)


def _bound(port: int | None) -> list[socket.socket]:
    """Listening sockets for UUX, the extension and the provider."""
    from tornado.netutil import bind_sockets

    def bind(first: int) -> list[socket.socket]:
        bound: list[socket.socket] = []
        try:
            for offset in range(ORIGINS):
                bound += bind_sockets(first and first + offset, LOOPBACK)
        except OSError:
            for each in bound:
                each.close()
            raise
        return bound

    first = FIRST_PORT if port is None else port
    tries = PORTS_TRIED if port is None else 1
    for attempt in range(tries):
        with contextlib.suppress(OSError, OverflowError):
            return bind(first + attempt * ORIGINS)
    raise Q2mfaError(
        f"Port {first}, {first + 1} or {first + 2} of {LOOPBACK} cannot be used.",
        "Give another one with --port; 0 takes any free ones.",
        "port_taken",
    )


class _WithoutQueries(logging.Filter):
    """What Tornado says of a request has its URL, in whose query an authorization code and a state travel."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("tornado."):
            record.msg, record.args = re.sub(r"\?[^\s']+", "?••••••", record.getMessage()), ()
        return True


def _log_to_terminal() -> None:
    # The sequence on the page says what was asked; the terminal is for what went wrong.
    seen = logging.StreamHandler()
    seen.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    seen.addFilter(_WithoutQueries())
    logging.basicConfig(level=logging.WARNING, handlers=[seen])
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
