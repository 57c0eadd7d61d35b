"""The switches, which break the provider on purpose."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlencode, urlsplit

from relying_party import Client, Published, authorization_response, basic

from q2mfa_cli.platform.events import ProviderEvent
from q2mfa_cli.platform.idp.endpoints import FORM


def test_denies_switch_denies_every_login(client: Client) -> None:
    client.provider.switches.add("denies")
    response = authorization_response(client.log_in(client.visit()))
    assert (response["error"], response["state"]) == ("access_denied", client.request["state"])
    client.provider.switches.clear()
    assert client.code()


def test_wrong_user_switch_changes_subject(client: Client) -> None:
    client.provider.switches.add("wrong_user")
    tokens = client.exchange(client.code())
    assert client.claims(tokens)["sub"] == "not-ada"
    assert client.user_info(tokens.json()["access_token"]).json() == {"sub": "not-ada"}


def test_down_switch_answers_503_everywhere(client: Client) -> None:
    code = client.code()
    client.provider.switches.add("down")
    client.start_new_flow()
    answers = [
        client.get(client.provider.issuer + "/.well-known/openid-configuration"),
        client.get(client.metadata["jwks_uri"]),
        client.visit(),
        client.push(),
        client.exchange(code),
    ]
    assert [answer.status_code for answer in answers] == [503] * 5
    client.provider.switches.clear()
    assert client.visit().status_code == 200


def test_slow_request_of_a_disconnected_caller_has_no_effect(client: Client, published: Published) -> None:
    provider = client.provider
    provider.switches.add("slow")
    provider.slow_seconds = 600
    slowed = threading.Event()
    provider.events.subscribe(ProviderEvent, lambda event: slowed.set())
    published.clear()
    body = urlencode(client.request)
    headers = {"Host": provider.host, "Content-Type": FORM, "Content-Length": str(len(body)), **basic()}
    lines = ["POST /par HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    address = urlsplit(provider.issuer)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert slowed.wait(20)
    provider.slow_seconds = 0
    assert client.push().status_code == 201
    assert [what for what, _ in published] == ["slowed", "slowed", "pushed"]
