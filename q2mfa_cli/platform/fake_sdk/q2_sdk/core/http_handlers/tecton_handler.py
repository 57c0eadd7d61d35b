"""The base class of both Tecton handlers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from q2_sdk.context import Context, bind, platform_of, settings
from q2_sdk.core.cache import Q2CacheClient
from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.install_steps.db_plan import DbPlan
from q2mfa_cli.platform.configuration import extension_config
from q2mfa_cli.platform.events import MessageDelivered, RouteCalled, RouteRaised
from q2mfa_cli.platform.sessions import ALL_MFA_INFO, SESSION_HEADER, TICKET_FIELD, Session

Route = Callable[[], Awaitable[Any]]


class TectonRequestHandler(RequestHandler):
    """A handler. As in Tornado, each request has its own instance.

    Tests may override what the platform provides, on the class of a mock or on an instance. The properties are cached
    properties, because these allow both.
    """

    REQUIRED_CONFIGURATIONS: ClassVar[dict[str, Any]] = {}
    OPTIONAL_CONFIGURATIONS: ClassVar[dict[str, Any]] = {}
    WEDGE_ADDRESS_CONFIGS: ClassVar[Any] = ()
    LOGGING_FILTERS: ClassVar[list[Any]] = []
    DB_PLAN: ClassVar[DbPlan | None] = None
    FRIENDLY_NAME = ""
    DEFAULT_MENU_ICON = "landing-page"
    CONFIG_FILE_NAME = ""
    TECTON_URL = ""
    DYNAMIC_CORE_SELECTION = False
    IS_UNAUTHENTICATED = False

    def __init__(
        self,
        application: Application,
        request: HTTPServerRequest,
        logging_level: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(application, request, **kwargs)
        self.logger = logging.getLogger(f"q2_sdk.{type(self).__name__}")
        if logging_level:
            self.logger.setLevel(logging_level)
        for secrets_filter in (*settings().GLOBAL_LOGGING_FILTERS, *self.LOGGING_FILTERS):
            self.logger.addFilter(secrets_filter)
        self._platform = platform_of(application)
        self.config: SimpleNamespace = extension_config(
            self.CONFIG_FILE_NAME,
            self.REQUIRED_CONFIGURATIONS,
            self.OPTIONAL_CONFIGURATIONS,
            self._platform.replaced,
        )
        self.wedge_address_configs = {config.name: config.default for config in self.WEDGE_ADDRESS_CONFIGS}
        self.request_body: dict[str, Any] = {}
        self.form_fields: dict[str, Any] = {}
        self._session: Session | None = None

    @property
    def router(self) -> dict[str, Route]:
        """The routes by routing key. An extension adds its own."""
        return {}

    @cached_property
    def base_assets_url(self) -> str:
        """The URL of ``frontend/dist``, without a trailing slash."""
        return f"{self._platform.assets_url}/{self.CONFIG_FILE_NAME}"

    @cached_property
    def is_authenticated(self) -> bool:
        """Whether the session is authenticated. It is not while MFA runs as part of the login."""
        return self._hq_session.authenticated

    @cached_property
    def mfa_info(self) -> Any:
        """The request for MFA. Attributes that the workflow does not have are absent or ``None``, depending on the readings."""
        missing = {} if self._platform.readings.missing_mfa_info == "absent" else dict.fromkeys(ALL_MFA_INFO)
        return SimpleNamespace(**{**missing, **self._hq_session.mfa_info})

    @cached_property
    def hq_credentials(self) -> Session | None:
        """The credentials for WedgeOnlineBanking calls; ``None`` before authentication."""
        return self._hq_session if self._hq_session.authenticated else None

    @cached_property
    def online_user(self) -> Any:
        """The user."""
        return SimpleNamespace(login_name="user")

    @cached_property
    def account_list(self) -> list[Any]:
        return []

    @cached_property
    def session_cache(self) -> Q2CacheClient:
        """The cache of the user's session. Its prefix must not reveal the session's ID."""
        digest = hashlib.sha256(self._hq_session.id.encode()).hexdigest()
        return self.get_cache(f"session:{digest}:")

    @cached_property
    def stack_cache(self) -> Q2CacheClient:
        """The cache that all extensions, users and processes of the institution share."""
        return self.get_cache("stack:")

    @cached_property
    def cache(self) -> Q2CacheClient:
        """The default cache. For an extension of online banking, it is the stack's cache."""
        return self.stack_cache

    @cached_property
    def service_cache(self) -> Q2CacheClient:
        """The cache that all institutions share."""
        return self.get_cache("service:")

    def get_cache(self, prefix: str) -> Q2CacheClient:
        """Return a cache that adds *prefix* to all keys."""
        return self._platform.cache.with_prefix(prefix)

    async def run_async(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Run the blocking *function* in a thread, and return its result."""
        return await asyncio.to_thread(function, *args, **options)

    async def set_external_mfa_token(self, token: str) -> Any:
        """Set *token* with HQ. Q2 does not document the form of the result, which depends on the readings.

        :raises ValueError: HQ does not accept the token.
        :raises ConnectionError: HQ is down.
        """
        self._platform.hq.set_token(self._hq_session, token)
        result = {"token": token}
        return {"dict": result, "text": token, "nested": {"data": result}}[
            self._platform.readings.token_result
        ]

    def deliver_message(self, destination: str, text: str, asks: bool = False) -> str:
        """Show a message on the preview's phone. The real SDK does not have this method: see docs/how-to/preview.md.

        :param asks: Whether the message asks the customer to approve or deny.
        :returns: The message's ID, for :meth:`phone_answer`.
        """
        message = secrets.token_urlsafe(8)
        self._platform.events.publish(MessageDelivered(self._hq_session.id, destination, text, message, asks))
        return message

    def phone_answer(self, message: str) -> str:
        """Return the customer's answer on the preview's phone: ``"approved"``, ``"denied"``, or ``""`` until then."""
        return self._platform.phone_answers.get(message, "")

    async def post(self, routing_key: str | None = None) -> None:
        """Respond to a request of the page with the route's result, or with an error that shows no internals."""
        # This is not in __init__, because Tornado reads the body, which has the ticket, after it creates the handler.
        self._session = self._session or self._find_session()
        bind(Context(self._platform, self._session))
        try:
            self._answer(await self._routed(routing_key or "default"))
        except TectonError as error:
            self._answer_error(400, error)
        except Exception as error:
            self.logger.exception("unexpected error in route %s", routing_key or "default")
            session_id = self._session.id if self._session else ""
            self._platform.events.publish(RouteRaised(session_id, routing_key or "default", error))
            self._answer_error(500, TectonError("Internal error"))

    async def _routed(self, routing_key: str) -> Any:
        if self._session is None:
            raise TectonError("There is no session.")
        if self._is_json:
            self.request_body = self._plain_object()
        else:
            self.form_fields = {name: self.get_body_argument(name) for name in self.request.body_arguments}
        routes = self.router
        self._platform.events.publish(RouteCalled(self._session.id, routing_key, routes))
        if routing_key not in routes:
            raise TectonError("There is no such route.")
        return await routes[routing_key]()

    def _find_session(self) -> Session | None:
        hq = self._platform.hq
        for ticket in self.request.body_arguments.pop(TICKET_FIELD, []):
            return hq.redeem_ticket(ticket.decode("latin-1"))
        return hq.find_session(self.request.headers.get(SESSION_HEADER, ""))

    def _plain_object(self) -> dict[str, Any]:
        """Return the body of the request, which must be a JSON object."""
        try:
            body = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise TectonError("The body must be a JSON object.")
        return body

    def _answer(self, result: Any) -> None:
        """Send the result of a route: a dict or, by one reading, a token as a string."""
        if not isinstance(result, dict) and not (
            isinstance(result, str) and self._platform.readings.token_result == "text"
        ):
            raise TypeError("a route returns a dict")
        self.write({"data": result})

    def _answer_error(self, status: int, error: TectonError) -> None:
        self.set_status(status)
        self.write({"error": error.message, "data": error.data})

    @property
    def _is_json(self) -> bool:
        """Whether ``requestExtensionData`` sent the request, and not a form in the outlet."""
        return self.request.headers.get("Content-Type", "").startswith("application/json")

    @property
    def _hq_session(self) -> Session:
        if self._session is None:
            raise TectonError("There is no session.")
        return self._session
