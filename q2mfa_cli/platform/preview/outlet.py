"""The extension's origin: its handlers and assets, and a fake of Q2's CDN."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import Application, OutputTransform, RequestHandler, StaticFileHandler

from q2mfa_cli.platform.events import OutletAnswered
from q2mfa_cli.platform.failures import Failure
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.sessions import TICKET_FIELD

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
REPORT = "q2mfa-report.js"
HEAD = re.compile(rb"<head(?:\s[^>]*)?>", re.IGNORECASE)
CDN = re.compile(rb"https://cdn\d*\.onlineaccess1\.com/")

BROKEN = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>The extension cannot be imported</title></head>
<body>
<main>
<h1>The extension cannot be imported</h1>
<p>{}</p>
<p>This page is from q2mfa preview. It disappears when you fix and save the file.</p>
</main>
</body>
</html>
"""


def make_outlet(platform: Platform, extension: Extension, origin: str, uux_origin: str) -> Application:
    """Return the application that serves *extension* at *origin*. Only *uux_origin* may frame it."""

    report = f'<script src="{origin}/_cdn/{REPORT}"></script>'.encode()

    class LocalScripts(OutputTransform):
        """Makes the extension's pages load the scripts of Q2's CDN from this origin, and one that reports errors."""

        def __init__(self, request: HTTPServerRequest) -> None:
            tickets = parse_qs(request.body.decode("latin-1")).get(TICKET_FIELD) if request.body else None
            self.session = platform.hq.session_of(tickets[0]) if tickets else None

        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            # A page that a form opened gets no `no-store`, because a browser could not go back to it.
            headers["Cache-Control"] = "no-cache" if self.session else "no-store"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["Content-Security-Policy"] = f"frame-ancestors {uux_origin}"
            if self.session is not None:
                body = chunk.decode("utf-8", "replace") if finishing else ""
                platform.events.publish(OutletAnswered(self.session.id, status_code, body))
            if finishing and chunk and headers.get("Content-Type", "").startswith("text/html"):
                chunk = CDN.sub(f"{origin}/_cdn/".encode(), chunk)
                chunk = HEAD.sub(lambda head: head[0] + report, chunk, count=1)
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
        log_function=lambda handler: None,  # a log line would contain the authorization code
    )


def make_broken_outlet(failure: Failure) -> Application:
    """Return the application to serve while the extension cannot be imported."""
    return Application([(r".*", _Broken, {"failure": failure})])


class _Asset(StaticFileHandler):
    def get_content_type(self) -> str:
        # Python reads the Windows registry, where another program may have set scripts to text/plain.
        suffix = Path(self.absolute_path or "").suffix.lower()
        return TYPES.get(suffix) or super().get_content_type()


class _AssetPage(StaticFileHandler):
    async def get(self, path: str, include_body: bool = True) -> None:
        """Send the file in one piece, so that :class:`LocalScripts` can change it."""
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
            sdk = "".join(
                (STATIC / file).read_text("utf-8") for file in ("elements.js", "media.js", "tecton.js")
            )
            self.write(sdk.replace("/* {{config}} */ null", json.dumps(self.config)))
        elif path == REPORT:
            script = (STATIC / "report.js").read_text("utf-8")
            self.write(script.replace('/* {{uux_origin}} */ ""', json.dumps(self.config["uux_origin"])))
        else:
            self.write(
                "console.warn('q2mfa preview does not have this script of the CDN:', location.href);\n"
            )


class _Broken(RequestHandler):
    def initialize(self, failure: Failure) -> None:
        self.failure = failure

    def prepare(self) -> None:
        self.set_status(500)
        self.set_header("Cache-Control", "no-store")
        self.finish(BROKEN.format(html.escape(str(self.failure))))

    def data_received(self, chunk: bytes) -> Any:
        """Ignore the body."""
