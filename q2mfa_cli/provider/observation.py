"""The observation of a provider: its responses, before any check."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit


class Failure(Enum):
    """Why there is no usable response. The value completes the sentence "The provider …"."""

    CONNECTION = "cannot be reached"
    TIME = "takes more than 10 seconds"
    SIZE = "sends more than 100,000 bytes"
    TLS = "has no trusted TLS connection"
    PROTOCOL = "does not send valid HTTP"


@dataclass(frozen=True)
class NoResponse:
    """A request without a usable response."""

    url: str
    failure: Failure


@dataclass(frozen=True)
class Response:
    """An HTTP response.

    :param headers: The headers in the order received, including repeated ones.
    :param received: When the headers arrived, in seconds since 1970 by this machine's clock.
    """

    url: str
    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    received: float = 0.0

    def all(self, name: str) -> list[str]:
        """Return the values of all headers with this name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The JSON value of the body; ``None`` if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Connection:
    """A TLS connection to one of the provider's hosts.

    :param version: The version in OpenSSL's notation, for example ``TLSv1.3``; empty if there was no connection.
    :param days_left: The days until the certificate expires.
    :param error: Why the connection failed or is not trusted; empty if neither.
    :param trusted: False if the certificate or the protocol version is the reason.
    """

    host: str
    version: str = ""
    days_left: int = 0
    error: str = ""
    trusted: bool = True


class ClientProbe(Enum):
    """How the client's credentials were tested."""

    PAR = "a pushed authorization request"
    TOKEN = "a made-up code at the token endpoint"


@dataclass(frozen=True)
class FramedPage:
    """The login page in a frame of online banking, as Chromium shows it.

    :param failure: Chromium's error, such as ``net::ERR_BLOCKED_BY_RESPONSE``; empty if Chromium shows a page.
    :param fields: The number of visible fields that a person can type into.
    :param fields_in_tab: The same number outside a frame. Counted only if the framed page has no such field.
    """

    url: str
    failure: str = ""
    fields: int = 0
    fields_in_tab: int = 0


@dataclass(frozen=True)
class Observation:
    """All responses of a provider, and the client that they are for.

    :param embedder: The origin of online banking, which frames the login page.
    :param redirect_uri: The redirect URI that is registered for the client.
    :param requires_par: Whether the extension requires pushed authorization requests.
    :param profile: The extension's PROFILE: ``fapi2``, or empty.
    :param pages: The responses from the authorization endpoint to the first page: redirects, then the page.
    :param pages_end: Why no page was reached: a :class:`NoResponse`, or a sentence. Empty if a page was reached.
    :param cross_origin: The authorization endpoint's response to a CORS request.
    :param probe: How the client's credentials were sent; ``None`` if they were not.
    :param client: The response to the client's credentials.
    :param client_unseen: Why the credentials were not sent.
    :param framed: The framed page in Chromium, or why Chromium was not started.
    """

    issuer: str
    discovery: Response | NoResponse
    embedder: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    acr_values: Sequence[str] = ()
    requires_par: bool = False
    profile: str = ""
    jwks: Response | NoResponse | None = None
    pages: Sequence[Response] = ()
    pages_end: NoResponse | str = ""
    cross_origin: Response | NoResponse | None = None
    probe: ClientProbe | None = None
    client: Response | NoResponse | None = None
    client_unseen: str = ""
    connections: Sequence[Connection] = ()
    framed: FramedPage | str = ""

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """The provider's metadata; empty if it cannot be read."""
        usable = isinstance(self.discovery, Response) and self.discovery.status == 200
        found = self.discovery.json if usable and isinstance(self.discovery, Response) else None
        return found if isinstance(found, dict) else {}

    @property
    def on_loopback(self) -> bool:
        """Whether the issuer is an http URL on this machine, which is for testing only."""
        return self.issuer.startswith("http://")

    def texts(self, name: str) -> list[str] | None:
        """Return the strings in the list *name* of the metadata; ``None`` if there is no such list."""
        value = self.metadata.get(name)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else None

    def is_safe(self, url: Any) -> bool:
        """Return whether requests may be sent to *url*. See :func:`is_safe_url`."""
        return is_safe_url(url, self.issuer)


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_safe_url(url: Any, issuer: str) -> bool:
    """Return whether *url* is an https URL without user, fragment or whitespace.

    If *issuer* is an http URL, *url* may also be an http URL on loopback.
    """
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        return False
    if any(character in url for character in ' \\#"<>'):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or port == 0:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and host in LOOPBACK and issuer.startswith("http://")
    )


def origin_of(url: str) -> str:
    """Return the origin of *url*, ``scheme://host[:port]``, in lower case and without a default port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")
