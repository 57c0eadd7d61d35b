"""HTTP requests with limits: 10 seconds, 100,000 bytes, no redirects, and no credentials from this machine."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from q2mfa_cli import __version__
from q2mfa_cli.provider.observation import Connection, Failure, NoResponse, Response

SECONDS = 10.0
"""How long one request may take, from the connection to the last byte."""
MAX_BYTES = 100_000
CHUNK = 1024  # small, because a compressed response can expand to a thousand times its size
Result = TypeVar("Result")


class Client:
    """Sends requests that share cookies, like the browser of one customer.

    :param seconds: The time limit of each request.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"q2mfa/{__version__}"
        # Without this, the requests library sends credentials from ~/.netrc.
        self._session.auth = lambda request: request

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response | NoResponse:
        return self._request("GET", url, headers=headers)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Response | NoResponse:
        return self._request("POST", url, data=form, headers=headers)

    def _request(self, method: str, url: str, **options: Any) -> Response | NoResponse:
        """Send one request. A redirect is returned, not followed."""

        def ask() -> Response | NoResponse:
            try:
                with self._session.request(
                    method, url, timeout=self._seconds, allow_redirects=False, stream=True, **options
                ) as response:
                    received, body = time.time(), b""
                    for chunk in response.iter_content(CHUNK):
                        body += chunk
                        if len(body) > MAX_BYTES:
                            return NoResponse(url, Failure.SIZE)
                    # `response.headers` joins repeated headers, so cookies could not be separated.
                    headers = tuple(response.raw.headers.items())
                    return Response(url, response.status_code, headers, body, received)
            except requests.exceptions.SSLError:
                return NoResponse(url, Failure.TLS)
            except requests.exceptions.Timeout:
                return NoResponse(url, Failure.TIME)
            except requests.exceptions.ConnectionError as error:
                cause = error.args[0] if error.args else None
                if isinstance(cause, urllib3.exceptions.ReadTimeoutError):
                    return NoResponse(url, Failure.TIME)
                lied = isinstance(cause, urllib3.exceptions.ProtocolError)
                return NoResponse(url, Failure.PROTOCOL if lied else Failure.CONNECTION)
            except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, ValueError):
                return NoResponse(url, Failure.PROTOCOL)

        # The requests library limits each wait, not the total time, so a slow response could take forever.
        late: Response | NoResponse = NoResponse(url, Failure.TIME)
        return _within(self._seconds, ask, late)


def connect(url: str, seconds: float = SECONDS) -> Connection:
    """Return the TLS connection to the host of *url*, at least TLS 1.2, or why it failed."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    settings = requests.Session().merge_environment_settings(url, {}, None, None, None)
    if requests.utils.select_proxy(url, settings["proxies"]):
        return Connection(host, error="this machine uses a proxy")

    def ask() -> Connection:
        try:
            authorities = (
                settings["verify"]
                if isinstance(settings["verify"], str)
                else requests.utils.DEFAULT_CA_BUNDLE_PATH
            )
            context = ssl.create_default_context(cafile=authorities)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            with (
                socket.create_connection((host, port), seconds) as plain,
                context.wrap_socket(plain, server_hostname=host) as secure,
            ):
                certificate = secure.getpeercert() or {}
                until = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
                return Connection(host, secure.version() or "", int((until - time.time()) // 86400))
        except ssl.SSLCertVerificationError as error:
            return Connection(host, error=error.verify_message, trusted=False)
        except ssl.SSLError as error:
            return Connection(
                host, error=(error.reason or "TLS failed").lower().replace("_", " "), trusted=False
            )
        except (OSError, ValueError) as error:
            return Connection(host, error=f"{type(error).__name__}")

    return _within(seconds, ask, Connection(host, error="it takes more than 10 seconds"))


def _within(seconds: float, ask: Callable[[], Result], otherwise: Result) -> Result:
    """Call *ask* in a thread, and return its result, or *otherwise* if it takes too long. Its exceptions are raised here."""
    done: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(ask())
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    # A daemon thread does not delay the exit of the process.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    return done[0] if done else otherwise
