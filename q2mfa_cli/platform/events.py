"""The one event stream of a running platform. The trace, the server and the tests subscribe to it.

::

    events = Events()
    unsubscribe = events.subscribe(TokenVerified, lambda event: print(event.reason))
    events.publish(TokenVerified(session_id, token, reason="", seconds=0.001))

Publish on the event loop's thread: subscribers run at once, in the order in which they subscribed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Event = TypeVar("Event")


@dataclass(frozen=True)
class TokenSet:
    """An extension set a token with HQ.

    :param reason: why HQ refused it; empty if HQ kept it. :param reached: False if HQ was down.
    """

    session_id: str
    token: object
    reason: str
    seconds: float
    reached: bool = True


@dataclass(frozen=True)
class TokenVerified:
    """UUX handed a token to HQ.

    :param reason: why HQ refused it; empty if it completed MFA. :param reached: False if HQ was down.
    """

    session_id: str
    token: object
    reason: str
    seconds: float
    reached: bool = True


@dataclass(frozen=True)
class OutboundRequest:
    """An extension sent a request to another host.

    :param session_id: the session it was sent for; empty if none. :param status: 0 if there was no response.
    :param reason: why there was no response.
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

    :param what: for example ``"code_issued"``. :param payload: details, masked.
    :param caller: whose request it is: a session, or the ``request_uri`` or ``state`` that a browser brought. It is not
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
    """A route of the extension is called.

    :param routes: the function behind each route that the extension has.
    """

    session_id: str
    route: str
    routes: Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class RouteRaised:
    """A route of the extension raised an error that it does not handle."""

    session_id: str
    route: str
    error: Exception


@dataclass(frozen=True)
class OutletAnswered:
    """The extension answered the form that opens its page.

    :param body: the page.
    """

    session_id: str
    status: int
    body: str


@dataclass(frozen=True)
class MessageDelivered:
    """An extension's factor sent the customer a message. No message leaves this machine.

    :param text: what it says, with its code. :param id: names the message. :param asks: whether the customer approves or
        denies it.
    """

    session_id: str
    destination: str
    text: str
    id: str = ""
    asks: bool = False


@dataclass(frozen=True)
class Logged:
    """The extension logged or printed something while it answered a request.

    :param level: ``"INFO"`` and so on; ``"PRINT"`` if it was printed.
    """

    session_id: str
    level: str
    text: str


@dataclass(frozen=True)
class FormPosted:
    """A browser posted the SDK's form around a server-side rendered page. An External MFA page must never do that.

    :param session_id: the session of the page; empty if the form does not name one.
    """

    session_id: str


@dataclass(frozen=True)
class ReadingsChanged:
    """The platform has other readings now, or other overrides of the extension's configuration."""


@dataclass(frozen=True)
class StylesChanged:
    """Style sheets of the extension have changed, and nothing else.

    :param of_theme: whether it was the file of ``--theme`` instead.
    """

    of_theme: bool = False


@dataclass(frozen=True)
class ExtensionLoaded:
    """The extension was imported again because a file or the readings changed.

    :param error: why it cannot be imported; empty if it can.
    """

    error: str


class Events:
    """Publish and subscribe, by type of event."""

    def __init__(self) -> None:
        self._subscribers: dict[type, list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[Event], listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call *listener* with every later event of the type *kind*.

        :returns: a function that ends the subscription; calling it again does nothing.
        """
        listeners = self._subscribers.setdefault(kind, [])
        listeners.append(listener)

        def unsubscribe() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unsubscribe

    def publish(self, event: object) -> None:
        """Call everyone who subscribed to the type of *event*."""
        for listener in tuple(self._subscribers.get(type(event), ())):
            listener(event)
