"""The base of the provider's endpoints: security headers, switches, pages and errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError
from tornado.web import HTTPError, RequestHandler

from q2mfa_cli.platform.idp.messages import Request
from q2mfa_cli.platform.idp.provider import IdentityProvider, Visitor
from q2mfa_cli.platform.sessions import SESSION_HEADER

HERE = Path(__file__).resolve().parent


class Handler(RequestHandler):
    """The base of all endpoints.

    :cvar name: The endpoint's name in events.
    :cvar any_origin: Whether pages of other origins may send requests to it.
    :cvar can_break: Whether the switches apply to it.
    """

    name: str
    any_origin = False
    can_break = True

    def initialize(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self._closed = asyncio.Event()

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Pragma", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        # With no-referrer, browsers would send the forms of these pages with the Origin "null".
        self.set_header("Referrer-Policy", "same-origin")

    async def prepare(self) -> None:
        provider = self.provider
        if self.request.host != provider.host:  # DNS rebinding
            raise HTTPError(421, "The Host header does not match the issuer.")
        origin = self.request.headers.get("Origin")
        if not self.any_origin and origin not in (None, f"http://{provider.host}"):
            raise HTTPError(403, "The Origin header does not match the issuer.")
        if not self.can_break:
            return
        if "slow" in self.visitor.switches:
            self.publish("slowed", endpoint=self.name, seconds=provider.slow_seconds)
            closed = asyncio.ensure_future(self._closed.wait())
            await asyncio.wait({closed}, timeout=provider.slow_seconds)
            if self._closed.is_set():
                raise HTTPError(499)  # the caller closed the connection, so its request must have no effect
            closed.cancel()
        if "down" in self.visitor.switches:
            self.publish("down", endpoint=self.name)
            raise HTTPError(503, "The provider is down.")

    @property
    def caller(self) -> str:
        """The caller of this request. See :class:`ProviderEvent`."""

        def argument(name: str) -> str:
            return self.request.arguments.get(name, [b""])[-1].decode("utf-8", "replace")

        login = self.provider.logins.get(argument("ticket"))
        return (
            self.request.headers.get(SESSION_HEADER)
            or (login.caller if login else "")
            or argument("request_uri")
            or argument("state")
        )

    @property
    def visitor(self) -> Visitor:
        return self.provider.visitor(self.caller)

    def publish(self, what: str, **payload: Any) -> None:
        self.provider.publish(what, self.caller, **payload)

    def on_connection_close(self) -> None:
        self._closed.set()

    def parse(self, arguments: Mapping[str, list[bytes]]) -> Request:
        """Return the request. Empty parameters count as missing (RFC 6749 3.1 and 3.2).

        :raises OAuth2Error: A parameter is repeated, or is not UTF-8.
        """
        parameters = {}
        for name, values in arguments.items():
            if len(values) > 1:
                raise InvalidRequestError("A parameter is repeated.")
            try:
                parameters[name] = values[0].decode()
            except UnicodeDecodeError:
                raise InvalidRequestError("A parameter is not UTF-8.") from None
        parameters = {name: value for name, value in parameters.items() if value}
        return Request(self.request.method or "", self.provider.issuer, self.request.headers, parameters)

    def page(self, template: str, status: int = 200, **values: Any) -> None:
        """Show a page. Loopback origins may frame it. It runs no script, and its forms may lead only to itself and the client."""
        self.set_status(status)
        policy = [
            "default-src 'none'",
            "style-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            # Chromium also applies form-action to redirects after a form.
            f"form-action 'self' {self.provider.redirect_origin}",
            "frame-ancestors http://127.0.0.1:* http://localhost:*",
        ]
        self.set_header("Content-Security-Policy", "; ".join(policy))
        self.render(template, path=self.provider.path, **values)

    def publish_refusal(self, request: OAuth2Request, error: OAuth2Error) -> None:
        self.publish(
            "refused",
            endpoint=self.name,
            error=error.error,
            error_description=error.get_error_description(),
            request=request.form,
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        reason = error.log_message if isinstance(error, HTTPError) else None
        self.refuse(status_code, f"{status_code} {self._reason}", "", reason or "")

    def refuse(self, status: int, title: str, error: str, reason: str, back: str = "") -> None:
        """Show a page that says why there is no login.

        :param back: The URL of its link; by default, the client's redirect URI with an error.
        """
        back = back or self.provider.way_back(self.caller)
        self.page("refused.html", status, title=title, error=error, reason=reason, back=back)

    def get_template_path(self) -> str:
        return str(HERE)

    def compute_etag(self) -> None:
        """Send no ETag, because no response may be cached."""

    def _log(self) -> None:
        """Log nothing, because Tornado would log the URL with its state and nonce."""

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, HTTPError):
            logging.getLogger(__name__).error("%s: failed", self.name, exc_info=(typ, value, tb))
