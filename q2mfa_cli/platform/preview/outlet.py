"""The extension's origin: its own handlers and assets, and Q2's CDN served from here."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import Application, OutputTransform, RequestHandler, StaticFileHandler

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.extension import Extension

STATIC = Path(__file__).resolve().parent / "static"
SDK = "q2-tecton-sdk.js"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}
CDN = re.compile(rb"https://cdn\d*\.onlineaccess1\.com/")

BROKEN = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>The extension cannot be imported</title></head>
<body>
<main>
<h1>The extension cannot be imported</h1>
<p>{}</p>
<p>{}</p>
<p>This page is from q2mfa preview, a local stand-in. It goes away when you correct and save the file.</p>
</main>
</body>
</html>
"""


def make_outlet(platform: Platform, extension: Extension, origin: str, uux_origin: str) -> Application:
    """The application that serves *extension* at *origin*. Only *uux_origin* may frame it."""

    class LocalScripts(OutputTransform):
        """The one change to the extension's pages: scripts of Q2's CDN are loaded from here."""

        def __init__(self, request: HTTPServerRequest) -> None:
            pass

        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            headers["Cache-Control"] = "no-store"
            headers["Content-Security-Policy"] = f"frame-ancestors {uux_origin}"
            if finishing and chunk and headers.get("Content-Type", "").startswith("text/html"):
                chunk = CDN.sub(f"{origin}/_cdn/".encode(), chunk)
                headers["Content-Length"] = str(len(chunk))
            return status_code, headers, chunk

    assets = {"path": extension.assets, "default_filename": "index.html"}
    prefix = rf"/assets/{re.escape(extension.name)}"
    return Application(
        [
            (r"/_cdn/(.*)", _Cdn, {"platform": platform, "extension": extension, "uux_origin": uux_origin}),
            (rf"{prefix}/(.*\.html?)", _AssetPage, assets),
            (rf"{prefix}/(.*)", _Asset, assets),
            *extension.url_patterns,
        ],
        platform=platform,
        transforms=[LocalScripts],
        log_function=lambda handler: None,  # a line would have the authorization code in it
    )


def make_broken_outlet(error: Q2mfaError) -> Application:
    """The application that is served while the extension cannot be imported."""
    return Application([(r".*", _Broken, {"error": error})])


class _Asset(StaticFileHandler):
    def get_content_type(self) -> str:
        # Python asks the registry of Windows, where another program may have made a script text/plain.
        suffix = Path(self.absolute_path or "").suffix.lower()
        return TYPES.get(suffix) or super().get_content_type()


class _AssetPage(StaticFileHandler):
    async def get(self, path: str, include_body: bool = True) -> None:
        """Send it in one piece, so that :class:`LocalScripts` can change it."""
        self.path = self.parse_url_path(path)
        absolute = self.validate_absolute_path(self.root, self.get_absolute_path(self.root, self.path))
        if absolute is not None:
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.write(Path(absolute).read_bytes())

    def compute_etag(self) -> None:
        """Send no ETag: the response differs from the file."""


class _Cdn(RequestHandler):
    def initialize(self, platform: Platform, extension: Extension, uux_origin: str) -> None:
        self.config = {
            "uux_origin": uux_origin,
            "assets_url": f"{platform.assets_url}/{extension.name}",
            "theme": (STATIC / "theme.css").read_text("utf-8"),
            "verify_mfa": platform.readings.verify_mfa,
            "loc": platform.readings.loc,
        }

    def get(self, path: str) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        if path.rpartition("/")[2] == SDK:
            sdk = (STATIC / "tecton.js").read_text("utf-8")
            self.write(sdk.replace("/* {{config}} */ null", json.dumps(self.config)))
        else:
            self.write(
                "console.warn('q2mfa preview does not have this script of the CDN:', location.href);\n"
            )


class _Broken(RequestHandler):
    def initialize(self, error: Q2mfaError) -> None:
        self.error = error

    def prepare(self) -> None:
        self.set_status(500)
        self.set_header("Cache-Control", "no-store")
        self.finish(BROKEN.format(html.escape(self.error.message), html.escape(self.error.hint)))

    def data_received(self, chunk: bytes) -> Any:
        """Ignore the body."""
