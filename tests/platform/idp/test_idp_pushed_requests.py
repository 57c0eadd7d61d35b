"""Pushed authorization requests (RFC 9126)."""

from __future__ import annotations

import pytest
from relying_party import (
    CLIENT_ID,
    Client,
    Clock,
    StartProvider,
    assert_error,
    assert_refusal_page,
    authorization_response,
    basic,
)


def test_pushed_request_used_twice_is_refused(client: Client) -> None:
    request_uri = client.push().json()["request_uri"]
    client.follow(request_uri)
    assert_refusal_page(client.follow(request_uri), "invalid_request_uri")


def test_pushed_request_after_expiry_is_refused(client: Client, clock: Clock) -> None:
    taken = client.push().json()
    clock.ahead = taken["expires_in"]
    assert_refusal_page(client.follow(taken["request_uri"]), "invalid_request_uri")


@pytest.mark.parametrize(
    "changes", [{"client_id": "another"}, {"request_uri": "https://example.com/request"}]
)
def test_request_uri_of_other_client_or_unknown_is_refused(changes: dict[str, str], client: Client) -> None:
    parameters = {"client_id": CLIENT_ID, "request_uri": client.push().json()["request_uri"], **changes}
    assert_refusal_page(
        client.get(client.metadata["authorization_endpoint"], params=parameters), "invalid_request_uri"
    )


def test_request_uri_in_pushed_request_is_refused(client: Client) -> None:
    assert_error(client.push(request_uri=client.push().json()["request_uri"]), "invalid_request")


def test_browser_parameters_beside_request_uri_are_ignored(client: Client) -> None:
    page = client.follow(
        client.push(acr_values="strong").json()["request_uri"],
        state="another",
        redirect_uri="https://evil.example/",
        acr_values="weak",
    )
    response = authorization_response(client.log_in(page))
    assert response["state"] == client.request["state"]
    assert client.claims(client.exchange(response["code"]))["acr"] == "strong"


def test_plain_request_when_pushing_is_required_is_refused(start: StartProvider) -> None:
    client = start(pushed_requests="required")
    assert client.metadata["require_pushed_authorization_requests"] is True
    response = authorization_response(client.visit())
    assert response["error"] == "invalid_request"
    assert (response["state"], response["iss"]) == (client.request["state"], client.provider.issuer)
    assert client.follow(client.push().json()["request_uri"]).status_code == 200


def test_pushed_request_endpoint_when_off_is_absent(start: StartProvider) -> None:
    client = start(pushed_requests="off")
    assert "pushed_authorization_request_endpoint" not in client.metadata
    assert client.post(client.provider.issuer + "/par", client.request, headers=basic()).status_code == 404
    assert client.code()
