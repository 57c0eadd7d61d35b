"""Serve an OpenID provider written in Python on a free port of loopback.

``python serve.py SITE`` imports the module SITE beside this file, prints one line of JSON with its URL and its
issuer when it listens, and ends when its standard input ends. It runs on the packages of the provider, not on those of the tests.

A site has ``make_application(url, folder)``, which returns the WSGI application with the users in it, and
``register(client_id, client_secret, redirect_uri)``, which ``PUT /_client`` calls.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the addresses contain codes."""


def with_client_registration(application: Application, register: Callable[..., None]) -> Application:
    """Let the tests register their client with ``PUT /_client``."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/_client":
            return application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        register(**json.loads(body))
        start_response("204 No Content", [])
        return []

    return answer


def main() -> None:
    site = importlib.import_module(sys.argv[1])
    server = Server(("127.0.0.1", 0), QuietHandler)
    url = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        application = site.make_application(url, Path(folder))
        server.set_app(with_client_registration(application, site.register))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"url": url, "issuer": url + getattr(site, "ISSUER_PATH", "")}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
