"""Serve one extension of a workspace, unchanged, on the stand-in for Q2's platform, on loopback.

``python -m q2mfa_cli.sandbox.server WORKSPACE NAME [--port 0]`` prints one JSON line, ``{"url": …}``, when it is ready.

========================================= ===========================================================================
``POST /NAME[/ROUTE]``                    the extension; a JSON body is that of ``requestExtensionData``. Answers
                                          ``{"data": …}`` or, outside 2xx, ``{"error": …, "data": {…}}``
``GET /assets/NAME/…``                    its ``frontend/public``: what ``base_assets_url`` names
``POST /_hq/sessions``                    log a user in: ``{"authenticated": false, "mfa_info": {…}}`` → ``{"session": id}``
``GET /_hq/sessions/ID``                  → ``{"tokens": […], "verified": …}``
``POST /_hq/sessions/ID/verify``          what UUX does with ``verifyMFA``'s token: ``{"token"}`` → ``{"verified": …}``
``GET /_hq/log``                          → ``{"lines": […]}``: everything logged, by anybody, at every level
========================================= ===========================================================================

A request of the page names its session in the header ``X-Q2-Session``. How a session travels is the stand-in's own
affair, and so is everything below ``/_hq``.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import logging
import re
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.request import shown

if TYPE_CHECKING:
    from tornado.web import Application

STAND_IN = Path(__file__).resolve().parent / "stand_in"
LOG_LINES = 10_000


def make_application(workspace: Path, name: str, url: str) -> Application:
    """The Tornado application that serves the extension *name*; :func:`use_stand_in` has to have been called.

    There is one platform in a process, and so one application.

    :param url: where the application will be reached, without a trailing slash.
    :raises Q2mfaError: the platform would not start with this extension.
    """
    from q2_sdk._platform import ConfigurationMissing, platform
    from tornado.web import Application, StaticFileHandler

    from q2mfa_cli.sandbox import control

    module = _installed(platform.settings, workspace, name)
    try:
        patterns = importlib.import_module(f"{module}.urls").URL_PATTERNS
        for pattern in patterns:
            handler = pattern.handler_class
            platform.extension_config(
                handler.CONFIG_FILE_NAME, handler.REQUIRED_CONFIGURATIONS, handler.OPTIONAL_CONFIGURATIONS
            )
    except ConfigurationMissing as error:
        raise Q2mfaError(
            f"The server does not start: {error}.", "Add it there.", "configuration_missing"
        ) from error
    platform.assets_url = f"{url}/assets"
    assets = workspace.joinpath(*module.split("."), "frontend", "public")
    application = Application()
    # A page of another site that has its own name resolve to loopback (DNS rebinding) is not served.
    application.add_handlers(
        r"(?:127\.0\.0\.1|localhost)",
        [
            *control.handlers(platform, _collected_log()),
            (
                rf"/assets/{re.escape(name)}/(.*)",
                StaticFileHandler,
                {"path": assets, "default_filename": "index.html"},
            ),
            *patterns,
        ],
    )
    return application


def use_stand_in(workspace: Path) -> None:
    """Put *workspace* and the stand-in on this process's ``sys.path``.

    :raises Q2mfaError: a real ``q2_sdk`` is there, or Tornado is not.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(workspace))
    if importlib.util.find_spec("q2_sdk") is not None:
        raise Q2mfaError(
            "The Q2 SDK is installed here, and the stand-in does not take its place.",
            "Use `q2 run`, or a virtual environment without the SDK.",
            "sdk_installed",
        )
    missing = [module for module in ("tornado", "jinja2") if importlib.util.find_spec(module) is None]
    if missing:
        raise Q2mfaError(
            f"The local platform needs {', '.join(missing)}, which this Python does not have.",
            "Install it: pip install 'q2mfa-cli[sandbox]'",
            "sandbox_missing",
        )
    sys.path.insert(0, str(STAND_IN))


def _installed(settings: Any, workspace: Path, name: str) -> str:
    """The module of the extension *name*, by INSTALLED_EXTENSIONS; outside of a Q2 SDK workspace, *name*."""
    installed = dict(
        entry if isinstance(entry, tuple) else (entry, entry) for entry in settings.INSTALLED_EXTENSIONS
    )
    if settings.__name__ != "configuration.settings":
        installed[name] = name
    if name not in installed:
        raise Q2mfaError(
            f"{shown(name)} is not in INSTALLED_EXTENSIONS of {shown(str(workspace))}.",
            "Add it in configuration/settings.py; `q2mfa create` does.",
            "not_installed",
        )
    module: str = installed[name]
    if not workspace.joinpath(*module.split("."), "urls.py").is_file():
        raise Q2mfaError(
            f"There is no extension {shown(name)} in {shown(str(workspace))}.",
            "`q2mfa create` makes one.",
            "no_such_extension",
        )
    return module


def _collected_log() -> deque[str]:
    lines: deque[str] = deque(maxlen=LOG_LINES)

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    seen = logging.StreamHandler()
    seen.setLevel(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(seen)
    root.addHandler(Collector())
    root.setLevel(logging.DEBUG)
    return lines


async def _serve(workspace: Path, name: str, port: int) -> None:
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets

    sockets = bind_sockets(port, "127.0.0.1")
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    HTTPServer(make_application(workspace, name, url)).add_sockets(sockets)
    print(json.dumps({"url": url}), flush=True)
    await asyncio.Event().wait()


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m q2mfa_cli.sandbox.server")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("name")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    arguments = parser.parse_args()
    workspace = arguments.workspace.resolve()
    try:
        use_stand_in(workspace)
        asyncio.run(_serve(workspace, arguments.name, arguments.port))
    except Q2mfaError as error:
        print(f"Error: {error.message}\n{error.hint}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
