"""The events that the provider publishes."""

from __future__ import annotations

import json
import logging

import pytest
from relying_party import (
    CLIENT_ID,
    CLIENT_JWKS,
    REDIRECT_URI,
    SECRET,
    Page,
    Published,
    StartProvider,
    authorization_response,
)


def test_events_and_logs_hold_no_secret(
    start: StartProvider,
    published: Published,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    client = start(client_jwks=CLIENT_JWKS)
    assertion = client.assertion()
    request_uri = client.push(headers={}, **assertion).json()["request_uri"]
    page = client.follow(request_uri)
    code = authorization_response(client.log_in(page))["code"]
    tokens = client.exchange(code, headers={}, client_id=CLIENT_ID, client_secret=SECRET)
    client.claims(tokens)
    client.user_info(tokens.json()["access_token"])
    client.exchange(code)
    client.start_new_flow()
    authorization_response(client.log_in(client.visit(), decision="deny"))
    client.visit(redirect_uri="https://evil.example/")

    first = dict(reversed(published))
    assert [what for what, _ in published] == [
        *("metadata", "pushed", "login_shown", "approved", "code_issued", "code_exchanged", "jwks"),
        *("userinfo", "refused", "login_shown", "denied", "refused"),
    ]
    assert first["pushed"]["client_authentication"] == "private_key_jwt"
    assert first["pushed"]["request"]["redirect_uri"] == REDIRECT_URI
    assert first["login_shown"]["pushed"] is True
    assert "client_assertion" not in first["login_shown"]["request"]
    assert first["approved"] == {"user": "ada", "typed": "ada"}
    response = first["code_issued"]["response"]
    assert response.keys() == {"code", "state", "iss"}
    assert response["iss"] == client.provider.issuer
    assert first["code_exchanged"]["claims"]["sub"] == "ada"
    assert first["denied"] == {"by": "the user"}
    refused = first["refused"]
    assert (refused["endpoint"], refused["error"]) == ("token", "invalid_grant")
    assert refused["error_description"] == "The 'code' was already used; its tokens are revoked."
    assert refused["request"].keys() == {"grant_type", "code", "redirect_uri", "code_verifier"}
    seen = json.dumps(published) + "".join(
        line
        for line in caplog.text.splitlines()
        if "urllib3" not in line  # the client's log
    )
    for secret in [
        *(SECRET, assertion["client_assertion"], request_uri, Page(page).fields["ticket"], code),
        *(tokens.json()["access_token"], tokens.json()["id_token"], client.verifier),
        *(client.request["state"], client.request["nonce"]),
    ]:
        assert secret not in seen
