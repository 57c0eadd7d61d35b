"""Serve one extension of a workspace, unchanged, on the fake platform, on loopback.

``python tests/extension_server.py WORKSPACE NAME [--port 0] [--memcached PORT] [--assets-url URL]`` prints one JSON line, ``{"url": …}``, when it is ready.

========================================= ===========================================================================
``POST /NAME[/ROUTE]``                    the extension; a JSON body is that of ``requestExtensionData``. Answers
                                          ``{"data": …}`` or, outside 2xx, ``{"error": …, "data": {…}}``
``GET /assets/NAME/…``                    its ``frontend/public``: what ``base_assets_url`` names
``POST /_hq/sessions``                    log a user in: ``{"authenticated": false, "mfa_info": {…}}`` → ``{"session": id}``;
                                          ``"id"`` continues a session of another server process
``GET /_hq/sessions/ID``                  → ``{"tokens": […], "verified": …}``
``PUT /_hq/sessions/ID``                  ``{"mfa_info": {…}}``: another request for MFA in this session
``POST /_hq/sessions/ID/verify``          what UUX does with ``verifyMFA``'s token: ``{"token"}`` → ``{"verified": …}``
``GET /_hq/cache_keys``                   → ``{"keys": […]}``: the keys used in the cache, with prefix
``DELETE /_hq/cache``                     empty the cache, and forget its keys
``GET /_hq/log?from=N``                   → ``{"lines": […], "count": …}``: what this process logged after its first N lines, at
                                          every level
========================================= ===========================================================================

A request of the page names its session in the header ``X-Q2-Session``. That header, and everything below ``/_hq``, exists
on the fake platform only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import sys
from pathlib import Path

import hq_endpoints
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, StaticFileHandler

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.extension import Extension, use_fake_sdk
from q2mfa_cli.platform.readings import from_environment

EXTENSION_SERVER = str(Path(__file__).resolve())


def make_application(platform: Platform, extension: Extension) -> Application:
    """The Tornado application that serves *extension*."""
    application = Application(platform=platform)
    # A page of another site that has its own name resolve to loopback (DNS rebinding) gets nothing.
    application.add_handlers(
        r"(?:127\.0\.0\.1|localhost)",
        [
            *hq_endpoints.handlers(platform, _collected_log()),
            (
                rf"/assets/{re.escape(extension.name)}/(.*)",
                StaticFileHandler,
                {"path": extension.assets, "default_filename": "index.html"},
            ),
            *extension.url_patterns,
        ],
    )
    return application


def _collected_log() -> list[str]:
    lines: list[str] = []

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


async def _serve(
    workspace: Path, name: str, port: int, memcached: int | None, assets_url: str | None
) -> None:
    sockets = bind_sockets(port, "127.0.0.1")
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    platform = Platform(
        memcached=("127.0.0.1", memcached) if memcached else None, readings=from_environment()
    )
    platform.assets_url = assets_url or f"{url}/assets"
    extension = Extension(workspace, name, platform)
    extension.check()
    HTTPServer(make_application(platform, extension)).add_sockets(sockets)
    print(json.dumps({"url": url}), flush=True)
    await asyncio.Event().wait()


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python tests/extension_server.py")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("name")
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument(
        "--memcached", type=int, help="port of a memcached on 127.0.0.1; default: an embedded one"
    )
    parser.add_argument("--assets-url", help="default: this server's own")
    arguments = parser.parse_args()
    workspace = arguments.workspace.resolve()
    try:
        use_fake_sdk(workspace)
        asyncio.run(
            _serve(workspace, arguments.name, arguments.port, arguments.memcached, arguments.assets_url)
        )
    except Q2mfaError as error:
        print(f"Error: {error.message}\n{error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
