"""The types of an extension's assets, on a machine whose registry has others."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from q2mfa_cli.platform.preview.outlet import make_outlet


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("index.js", "text/javascript"),
        ("INDEX.JS", "text/javascript"),
        ("mfa.css", "text/css"),
        ("en-US.json", "application/json"),
        ("index.html", "text/html; charset=utf-8"),
        ("logo.svg", "image/svg+xml"),
        ("other.bin", "text/plain"),
    ],
)
def test_asset_type_does_not_depend_on_the_registry(
    file: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some programs register .js as text/plain on Windows. A browser runs no script of that type."""
    monkeypatch.setattr(mimetypes, "guess_type", lambda *arguments, **more: ("text/plain", None))
    (tmp_path / file).write_bytes(b" ")
    extension: Any = SimpleNamespace(name="Foo", assets=str(tmp_path), url_patterns=[])
    platform: Any = SimpleNamespace()

    async def content_type() -> str:
        socket, port = bind_unused_port()
        server = HTTPServer(make_outlet(platform, extension, "http://a.example", "http://b.example"))
        server.add_socket(socket)
        try:
            answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/assets/Foo/{file}")
            return answer.headers["Content-Type"]
        finally:
            server.stop()

    assert asyncio.run(content_type()) == kind
