"""The event stream of the platform."""

from __future__ import annotations

from q2mfa_cli.platform.events import Events, ExtensionLoaded, ProviderEvent


def test_subscriber_gets_events_of_its_type_in_order() -> None:
    events, seen = Events(), []
    events.subscribe(ExtensionLoaded, lambda event: seen.append(("first", event.error)))
    events.subscribe(ExtensionLoaded, lambda event: seen.append(("second", event.error)))
    events.publish(ProviderEvent("down", {}))
    events.publish(ExtensionLoaded("a"))
    assert seen == [("first", "a"), ("second", "a")]


def test_unsubscribed_listener_gets_nothing_more() -> None:
    events, seen = Events(), []
    unsubscribe = events.subscribe(ExtensionLoaded, lambda event: seen.append(event.error))
    events.subscribe(ExtensionLoaded, lambda event: unsubscribe())
    events.publish(ExtensionLoaded("a"))
    events.publish(ExtensionLoaded("b"))
    unsubscribe()
    assert seen == ["a"]
