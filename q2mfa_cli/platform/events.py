"""The event stream of a running platform. The trace, the server and the tests subscribe to it.

::

    events = Events()
    unsubscribe = events.subscribe(TokenVerified, lambda event: print(event.reason))
    events.publish(TokenVerified(session_id, token, reason="", seconds=0.001))

Publish only on the event loop's thread. Subscribers run synchronously, in the order of their subscriptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Event = TypeVar("Event")


@dataclass(frozen=True)
class TokenSet:
    """An extension set a token with HQ.

    :param reason: Why HQ refused the token; empty if HQ accepted it.
    :param reached: False if HQ was down.
    """

    session_id: str
    token: object
    reason: str
    seconds: float
    reached: bool = True


@dataclass(frozen=True)
class TokenVerified:
    """UUX sent a token to HQ to verify it.

    :param reason: Why HQ refused the token; empty if the token completed MFA.
    :param reached: False if HQ was down.
    """

    session_id: str
    token: object
    reason: str
    seconds: float
    reached: bool = True


@dataclass(frozen=True)
class OutboundRequest:
    """An extension sent a request to another host.

    :param session_id: The session that the request belongs to; empty if none.
    :param status: 0 if there was no response.
    :param reason: Why there was no response.
    """

    session_id: str
    method: str
    url: str
    status: int
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class ProviderEvent:
    """Something happened at the embedded identity provider.

    :param what: The kind of event, for example ``"code_issued"``.
    :param payload: Details, masked.
    :param caller: Identifies the customer: a session ID, or the ``request_uri`` or ``state`` of a browser's request. Not
        for display.
    """

    what: str
    payload: Mapping[str, Any]
    caller: str = ""


@dataclass(frozen=True)
class AuthorizationResponse:
    """The embedded identity provider sends the browser back with a code.

    :param parameters: what the browser brings. They are not masked, so they are not for display.
    :param caller: as in :class:`ProviderEvent`.
    """

    parameters: Mapping[str, str]
    caller: str = ""


@dataclass(frozen=True)
class PageAsked:
    """The extension's page called ``requestExtensionData``.

    :param number: names the call. :param body: it is not masked, so it is not for display.
    """

    session_id: str
    number: int
    route: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class PageAnswered:
    """The extension's page gets its answer.

    :param number: that of :class:`PageAsked`. :param data: it is not masked, so it is not for display.
    """

    session_id: str
    number: int
    status: int
    data: object


@dataclass(frozen=True)
class RouteCalled:
    """A route of the extension is about to run.

    :param routes: The functions of all routes of the extension, by routing key.
    """

    session_id: str
    route: str
    routes: Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class RouteRaised:
    """A route of the extension raised an exception other than TectonError."""

    session_id: str
    route: str
    error: Exception


@dataclass(frozen=True)
class OutletAnswered:
    """The extension responded to the form that opens its page in the outlet.

    :param body: The HTML of the page.
    """

    session_id: str
    status: int
    body: str


@dataclass(frozen=True)
class MessageDelivered:
    """An extension's factor sent the customer a message. The message does not leave this machine.

    :param text: The text of the message, including its code.
    :param id: The message's ID.
    :param asks: Whether the message asks the customer to approve or deny.
    """

    session_id: str
    destination: str
    text: str
    id: str = ""
    asks: bool = False


@dataclass(frozen=True)
class Logged:
    """The extension logged or printed something during a request.

    :param level: The log level, for example ``"INFO"``; ``"PRINT"`` for printed text.
    """

    session_id: str
    level: str
    text: str


@dataclass(frozen=True)
class FormPosted:
    """A browser posted the SDK's form around a server-side rendered page. An External MFA page must never post it.

    :param session_id: The session of the page; empty if the form belongs to no session.
    """

    session_id: str


@dataclass(frozen=True)
class ReadingsChanged:
    """The platform's readings, or its overrides of the extension's configuration, have changed."""


@dataclass(frozen=True)
class StylesChanged:
    """Style sheets of the extension have changed, and no other files.

    :param of_theme: Whether the file of ``--theme`` changed instead.
    """

    of_theme: bool = False


@dataclass(frozen=True)
class ExtensionLoaded:
    """The extension was imported again, because a file or the readings changed.

    :param error: Why the import failed; empty if it succeeded.
    """

    error: str


class Events:
    """Publish and subscribe, by type of event."""

    def __init__(self) -> None:
        self._subscribers: dict[type, list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[Event], listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call *listener* with each future event of the type *kind*.

        :returns: A function that ends the subscription. More calls of it do nothing.
        """
        listeners = self._subscribers.setdefault(kind, [])
        listeners.append(listener)

        def unsubscribe() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unsubscribe

    def publish(self, event: object) -> None:
        """Call all subscribers to the type of *event*."""
        for listener in tuple(self._subscribers.get(type(event), ())):
            listener(event)
