"""The provider's pages and endpoints, as Tornado's request handlers."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from tornado.web import HTTPError, RequestHandler

from q2mfa_cli.platform.idp.authorization_server import LOGIN_SECONDS, Answer, Request

if TYPE_CHECKING:
    from q2mfa_cli.platform.idp.provider import IdentityProvider

HERE = Path(__file__).resolve().parent
FORM = "application/x-www-form-urlencoded"
USER_LENGTH = 255  # of a subject identifier (OpenID Connect Core 2)


class _Endpoint(RequestHandler):
    """What all have in common: whom they answer, and what goes wrong on purpose."""

    name: str
    any_origin = False

    def initialize(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self._gone = asyncio.Event()

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Pragma", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        # Not no-referrer: a form of such a page is sent with the Origin "null".
        self.set_header("Referrer-Policy", "same-origin")

    async def prepare(self) -> None:
        provider = self.provider
        if self.request.host != provider.host:  # DNS rebinding
            raise HTTPError(421, "The Host is not that of the issuer.")
        origin = self.request.headers.get("Origin")
        if not self.any_origin and origin not in (None, f"http://{provider.host}"):
            raise HTTPError(403, "The Origin is not that of the issuer.")
        if "slow" in provider.switches:
            provider.happened("slowed", endpoint=self.name, seconds=provider.slow_seconds)
            waiting = asyncio.ensure_future(self._gone.wait())
            await asyncio.wait({waiting}, timeout=provider.slow_seconds)
            if self._gone.is_set():
                raise HTTPError(499)  # nobody waits for it any more, and so nothing is done
            waiting.cancel()
        if "down" in provider.switches:
            provider.happened("down", endpoint=self.name)
            raise HTTPError(503, "It is switched to be down.")

    def on_connection_close(self) -> None:
        self._gone.set()

    def asked(self, arguments: Mapping[str, list[bytes]]) -> Request:
        """The request, by its parameters; RFC 6749 3.1 and 3.2: none comes twice, and an empty one is none.

        :raises OAuth2Error: malformed.
        """
        parameters = {}
        for name, values in arguments.items():
            if len(values) > 1:
                raise InvalidRequestError("A parameter comes more than once.")
            try:
                parameters[name] = values[0].decode()
            except UnicodeDecodeError:
                raise InvalidRequestError("A parameter is not UTF-8.") from None
        parameters = {name: value for name, value in parameters.items() if value}
        return Request(self.request.method or "", self.provider.issuer, self.request.headers, parameters)

    def page(self, template: str, status: int = 200, **values: Any) -> None:
        """Show a page. It may be framed on loopback, runs no script, and posts to where the flow goes."""
        self.set_status(status)
        # Chromium holds a form's redirects to form-action too.
        policy = [
            "default-src 'none'",
            "style-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            f"form-action 'self' {self.provider.redirect_origin}",
            "frame-ancestors http://127.0.0.1:* http://localhost:*",
        ]
        self.set_header("Content-Security-Policy", "; ".join(policy))
        self.render(template, path=self.provider.path, **values)

    def refuse(self, asked: OAuth2Request, error: OAuth2Error) -> None:
        """Record a refusal."""
        self.provider.happened(
            "refused",
            endpoint=self.name,
            error=error.error,
            error_description=error.get_error_description(),
            request=asked.form,
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        why = error.log_message if isinstance(error, HTTPError) else None
        self.page("refused.html", status_code, title=f"{status_code} {self._reason}", error="", why=why or "")

    def get_template_path(self) -> str:
        return str(HERE)

    def compute_etag(self) -> None:
        """None: nothing of this is kept."""

    # Tornado's own lines show a request's URL, and so its state and nonce; what happens is told by the provider.
    def _log(self) -> None: ...

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, HTTPError):
            logging.getLogger(__name__).error("%s: failed", self.name, exc_info=(typ, value, tb))


class _Metadata(_Endpoint):
    name = "metadata"

    def get(self) -> None:
        self.provider.happened("metadata", issuer=self.provider.issuer)
        self.write(self.provider.metadata())


class _Keys(_Endpoint):
    name = "jwks"

    def get(self) -> None:
        jwks = self.provider.server.jwks
        self.provider.happened("jwks", kids=[key["kid"] for key in jwks["keys"]])
        self.write(jwks)


class _BackChannel(_Endpoint):
    """An endpoint that the client calls itself, authenticated, and that answers in JSON."""

    def post(self) -> None:
        content_type = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        asked = self.asked({})
        try:
            if content_type != FORM:
                raise InvalidRequestError("The request is not form-encoded.")
            asked = self.asked(self.request.body_arguments)
            answer = self.answer(asked)
        except OAuth2Error as error:
            answer = self.provider.server.handle_error_response(asked, error)
        if answer.error:
            self.refuse(asked, answer.error)
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.write(answer.body)

    def answer(self, asked: Request) -> Answer:
        raise NotImplementedError


class _Pushed(_BackChannel):
    name = "pushed authorization request"

    def answer(self, asked: Request) -> Answer:
        answer = self.provider.server.push(asked)
        if not answer.error:
            self.provider.happened(
                "pushed", client_authentication=asked.auth_method, request=asked.parameters
            )
        return answer


class _Token(_BackChannel):
    name = "token"

    def answer(self, asked: Request) -> Answer:
        answer = self.provider.server.exchange(asked)
        if not answer.error:
            payload = answer.body["id_token"].split(".")[1]
            claims = loads(urlsafe_b64decode(payload + "=="))
            self.provider.happened("code_exchanged", client_authentication=asked.auth_method, claims=claims)
        return answer


class _Page(_Endpoint):
    """An endpoint that a person's browser comes to."""

    def refused_page(self, error: OAuth2Error) -> None:
        """Show a person what cannot be told to the client, since who that is has not been established."""
        description = error.get_error_description()
        self.page("refused.html", 400, title="This request was refused", error=error.error, why=description)

    def login_page(self, grant: AuthorizationCodeGrant, user: str, missing: bool = False) -> None:
        # Whoever sends the form has seen this page: it is good once, and nobody can guess it.
        ticket = secrets.token_urlsafe()
        self.provider.server.logins.keep(ticket, grant, LOGIN_SECONDS)
        self.page(
            "login.html",
            ticket=ticket,
            user=user,
            missing=missing,
            user_length=USER_LENGTH,
            client=self.provider.server.client.get_client_id(),
            acr_values=grant.request.form.get("acr_values", ""),
        )


class _Authorize(_Page):
    name = "authorization"
    any_origin = True  # the client's page may post here (OpenID Connect Core 3.1.2.1), and is shown a form

    def get(self) -> None:
        self.authorize(self.request.query_arguments)

    def post(self) -> None:
        self.authorize(self.request.body_arguments)

    def authorize(self, arguments: Mapping[str, list[bytes]]) -> None:
        server, asked = self.provider.server, self.asked({})
        try:
            asked = self.asked(arguments)
            grant = server.authorization_request(asked)
        except OAuth2Error as error:
            self.refuse(asked, error)
            answer = server.handle_error_response(asked, error)
            if answer.location:
                self.redirect(answer.location, status=answer.status)
            else:
                self.refused_page(error)
            return
        wanted = grant.request.form
        self.provider.happened("login_shown", pushed="request_uri" in asked.parameters, request=wanted)
        self.login_page(grant, wanted.get("login_hint") or self.provider.expected_user)


class _Login(_Page):
    name = "login"

    def post(self) -> None:
        asked = self.asked({})
        try:
            asked = self.asked(self.request.body_arguments)
            form = asked.parameters
            grant = self.provider.server.logins.take(form.get("ticket", ""))
            if grant is None or form.get("decision") not in ("approve", "deny"):
                raise InvalidRequestError("This login is unknown, already answered, or too old: start again.")
        except OAuth2Error as error:
            self.refuse(asked, error)
            self.refused_page(error)
            return
        typed = form.get("user", "").strip()
        if form["decision"] == "approve" and not 0 < len(typed) <= USER_LENGTH:
            self.login_page(grant, typed, missing=True)
            return
        self.answer_login(grant, typed if form["decision"] == "approve" else None)

    def answer_login(self, grant: AuthorizationCodeGrant, typed: str | None) -> None:
        provider = self.provider
        user = typed
        if typed is None:
            provider.happened("denied", by="the user")
        elif "denies" in provider.switches:
            user = None
            provider.happened("denied", by="the switch")
        else:
            user = f"not-{typed}" if "wrong_user" in provider.switches else typed
            provider.happened("approved", user=user, typed=typed)
        answer = provider.server.answer_login(grant, user)
        if user is not None and answer.error:
            self.refuse(grant.request, answer.error)
        elif user is not None:
            provider.happened("code_issued", response=dict(parse_qsl(urlsplit(answer.location).query)))
        self.redirect(answer.location, status=answer.status)


class _InvalidToken(OAuth2Error):
    error = "invalid_token"
    description = "The access token is unknown, expired or revoked."


class _UserInfo(_Endpoint):
    """OpenID Connect Core 5.3: what an access token is good for."""

    name = "userinfo"

    def get(self) -> None:
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        claims = self.provider.server.tokens.get(token)
        if scheme.lower() != "bearer" or claims is None:
            self.refuse(self.asked({}), _InvalidToken())
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Bearer error="invalid_token"')  # RFC 6750 3
            return
        self.provider.happened("userinfo", claims=claims)
        self.write(claims)

    post = get


class _Style(_Endpoint):
    name = "style"

    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.write((HERE / "idp.css").read_bytes())


def handlers(provider: IdentityProvider) -> list[Any]:
    """Tornado's URL patterns of *provider*, its issuer's path included."""
    path, given = re.escape(provider.path), {"provider": provider}
    pushed = [(rf"{path}/par", _Pushed, given)] if provider.server.par != "off" else []
    return [
        *pushed,
        (rf"{path}/\.well-known/openid-configuration", _Metadata, given),
        (rf"{path}/jwks", _Keys, given),
        (rf"{path}/authorize", _Authorize, given),
        (rf"{path}/login", _Login, given),
        (rf"{path}/token", _Token, given),
        (rf"{path}/userinfo", _UserInfo, given),
        (rf"{path}/idp\.css", _Style, given),
    ]
