"""The platform and the session of the running code.

A server passes its platform as ``Application(…, platform=platform)``. Each handler binds the platform and the session for
the request that it handles. Code that runs outside a server, such as an extension's tests, uses a platform of its own.
Generated code never imports this module, because the code has to run on the real SDK.
"""

from __future__ import annotations

import importlib
from contextvars import ContextVar
from dataclasses import dataclass
from types import ModuleType

from tornado.web import Application

from q2mfa_cli.platform.configuration import workspace_settings
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.readings import from_environment
from q2mfa_cli.platform.sessions import Session, current_session_id


@dataclass(frozen=True)
class Context:
    """The platform and the session of a request."""

    platform: Platform
    session: Session | None = None


_without_server = Context(Platform(readings=from_environment()))
_current: ContextVar[Context] = ContextVar("q2_sdk_context", default=_without_server)


def current() -> Context:
    """Return the context of the running code."""
    return _current.get()


def bind(context: Context) -> None:
    """Make *context* the current one, until the running task ends."""
    _current.set(context)
    current_session_id.set(context.session.id if context.session else "")


def platform_of(application: Application) -> Platform:
    """Return the platform that was passed to *application*; outside a server, the default platform."""
    platform: Platform = application.settings.get("platform", _without_server.platform)
    return platform


def settings() -> ModuleType:
    """Return the settings of the workspace; outside a workspace, the SDK's defaults."""
    return workspace_settings() or importlib.import_module("q2_sdk.core.default_settings")
