"""Serve a preview on loopback: UUX, the extension and the fake platform, in one process.

Each has its own origin, as in production. UUX has the requested port, the extension the next one, and the embedded
identity provider the one after that.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from q2mfa_cli.errors import Q2mfaError, UsageError, shown
from q2mfa_cli.integrations import REDIRECT, STANDARD
from q2mfa_cli.platform import idp
from q2mfa_cli.platform.events import Events, ExtensionLoaded, ReadingsChanged, StylesChanged
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview import phone, prove_script, uux_handlers
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.logs import published_logs
from q2mfa_cli.platform.preview.origins import OriginGuard
from q2mfa_cli.platform.preview.outlet import make_broken_outlet, make_outlet
from q2mfa_cli.platform.preview.own_provider import OwnProvider, own_provider_of
from q2mfa_cli.platform.preview.providers import EmbeddedProvider, RealProvider
from q2mfa_cli.platform.preview.uux import UUX
from q2mfa_cli.platform.preview.workflows import CUSTOMER, TOTP_SECRET_BYTES
from q2mfa_cli.platform.readings import from_environment

log = logging.getLogger("q2mfa preview")

LOOPBACK = "127.0.0.1"
FIRST_PORT = 8642
PORTS_TRIED = 20
ORIGINS = 3  # UUX, the extension, the embedded provider

MAX_BODY = 2**20

# The interval between checks of the extension's files.
WATCH_SECONDS = 0.3


@dataclass
class Preview:
    """A running preview.

    :param url: UUX's URL, for the browser. :param notes: the changes to the extension's configuration for this run, one
        sentence each.
    :param own_provider: the settings of the identity provider, if their names say which they are.
    :param new_customer: returns attributes of ``mfa_info`` for a new customer, in every workflow.
    """

    url: str
    extension: Extension
    uux: UUX
    notes: list[str]
    new_customer: Callable[[], dict[str, Any]]
    own_provider: OwnProvider | None = None


@contextlib.asynccontextmanager
async def serving(
    workspace: Path,
    name: str,
    port: int | None,
    issuer: str | None = None,
    theme: Path | None = None,
    record: bool = False,
) -> AsyncIterator[Preview]:
    """Serve the extension *name* until the block ends. Import it again whenever one of its files changes.

    Call :func:`~q2mfa_cli.platform.preview.extension.use_fake_sdk` first.

    :param port: UUX's port; the next two are used too. 0 chooses free ports, None the first free ones from 8642.
    :param issuer: a real provider to use instead of the embedded one.
    :param theme: a style sheet that the outlet shows over Tecton's base theme.
    :param record: whether this run is to write ``prove.py``: until then, the names of the settings say which are the provider's.
    :raises Q2mfaError: the extension cannot be served, or the ports are taken.
    """
    platform = Platform(readings=from_environment())
    extension = Extension(workspace, name, platform)
    if issuer is not None and extension.integration is not REDIRECT:
        raise UsageError(f"{shown(name)} has no identity provider ({extension.kind}).", "Leave out --issuer.")
    sockets = _bind(port)
    changed: list[str] = []
    try:
        uux_origin, extension_origin, idp_origin = (
            f"http://{LOOPBACK}:{each.getsockname()[1]}" for each in sockets
        )
        platform.assets_url = f"{extension_origin}/assets"
        provider = None
        own_provider = own_provider_of(extension) if record else None
        if (
            extension.integration is REDIRECT
            or own_provider
            or (issuer is None and prove_script.redirects(extension))
        ):
            callback = own_provider.callback if own_provider else prove_script.callback_of(extension)
            redirect_uri = f"{extension_origin}/assets/{name}/{callback}"
            provider = (
                EmbeddedProvider(extension, idp_origin, redirect_uri, platform.events, own_provider)
                if issuer is None
                else RealProvider(extension, issuer, redirect_uri)
            )
            provider.configure(platform)
        uux = UUX(platform, extension, extension_origin, provider)
        about: dict[str, Any] = {
            "frames": [extension_origin, *(provider.frames if provider else [])],
            "changed": changed,
            "theme": theme,
            "new_customer": functools.partial(_new_customer, extension),
        }

        def make_application() -> Application:
            """Return the application for the extension's origin, from its current files."""
            if extension.failure is not None:
                log.error("%s", extension.failure)
                return make_broken_outlet(extension.failure)
            changed[:] = [*(provider.notes if provider else []), *phone.connect(platform, extension)]
            return make_outlet(platform, extension, extension_origin, uux_origin)

        def reload() -> None:
            """Import the extension again, and tell the open pages."""
            extension.reload()
            outlet.application = make_application()
            platform.events.publish(ExtensionLoaded(str(extension.failure or "")))

        outlet = OriginGuard(extension_origin, make_application(), trusted=[uux_origin])
        applications = [
            OriginGuard(
                uux_origin,
                Application(
                    uux_handlers.handlers(uux, about),
                    websocket_ping_interval=20,
                    websocket_max_message_size=MAX_BODY,
                ),
            ),
            outlet,
        ]
        if provider and provider.embedded:
            applications.append(OriginGuard(idp_origin, Application(idp.handlers(provider.embedded))))
        servers = [HTTPServer(application, max_body_size=MAX_BODY) for application in applications]
        for server, each in zip(servers, sockets, strict=False):
            server.add_sockets([each])
        platform.events.subscribe(ReadingsChanged, lambda event: reload())
        watching = asyncio.create_task(_watch(extension, theme, platform.events, reload))
        try:
            with published_logs(platform.events, workspace):
                yield Preview(uux_origin, extension, uux, changed, about["new_customer"], own_provider)
        finally:
            watching.cancel()
            for server in servers:
                server.stop()
                await server.close_all_connections()
    finally:
        for each in sockets:
            each.close()


async def _watch(
    extension: Extension, theme: Path | None, events: Events, reload: Callable[[], None]
) -> None:
    """Reload the extension when a file has changed. Pages replace edited style sheets without a reload."""
    stamp = _stamp(theme)
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        changed = extension.changes()
        if changed and all(path.suffix == ".css" and is_edited for path, is_edited in changed.items()):
            events.publish(StylesChanged())
        elif changed:
            reload()
        if (now := _stamp(theme)) != stamp:
            stamp = now
            events.publish(StylesChanged(of_theme=True))


def _stamp(file: Path | None) -> tuple[int, int] | None:
    """Return a value that changes with *file*; None if the file does not exist."""
    if file is not None:
        with contextlib.suppress(OSError):
            return file.stat().st_mtime_ns, file.stat().st_size
    return None


def _new_customer(extension: Extension) -> dict[str, Any]:
    """Return a new customer's ``mfa_info`` for every workflow, with their own phone number or authenticator secret."""
    if phone.sends_messages(extension):
        number = f"+1 555 {secrets.randbelow(10**3):03} {secrets.randbelow(10**4):04}"
        return {"registration_value": number, "sso_identifier": CUSTOMER}
    if extension.integration is STANDARD:
        secret = base64.b32encode(secrets.token_bytes(TOTP_SECRET_BYTES)).decode()
        return {"registration_value": secret, "sso_identifier": CUSTOMER}
    attribute = getattr(extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier")
    return dict.fromkeys(["sso_identifier", attribute], CUSTOMER)


def _bind(port: int | None) -> list[socket.socket]:
    """Return listening sockets for UUX, the extension and the provider."""

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
        "Choose another port with --port; 0 chooses free ports.",
        "port_taken",
    )
