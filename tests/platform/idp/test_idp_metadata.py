"""Metadata, HTTP headers and options of the provider."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from relying_party import (
    CLIENT_ID,
    REDIRECT_URI,
    SECRET,
    Client,
    StartProvider,
    authorization_response,
    basic,
)

from q2mfa_cli.platform.events import Events
from q2mfa_cli.platform.idp import IdentityProvider


def test_metadata_announces_what_extension_needs(start: StartProvider) -> None:
    client = start()
    assert client.metadata["issuer"] == client.provider.issuer
    assert client.metadata["code_challenge_methods_supported"] == ["S256"]
    assert client.metadata["response_types_supported"] == ["code"]
    assert client.metadata["authorization_response_iss_parameter_supported"] is True
    assert client.metadata["require_pushed_authorization_requests"] is False
    assert client.metadata["request_uri_parameter_supported"] is False
    assert "none" not in client.metadata["token_endpoint_auth_methods_supported"]
    keys = client.get(client.metadata["jwks_uri"]).json()["keys"]
    assert [key["alg"] for key in keys] == client.metadata["id_token_signing_alg_values_supported"]
    assert not any({"d", "p", "q"} & key.keys() for key in keys)
    another = start()
    assert {key["kid"] for key in keys}.isdisjoint(
        key["kid"] for key in another.get(another.metadata["jwks_uri"]).json()["keys"]
    )


PATHS = [
    *("/.well-known/openid-configuration", "/jwks", "/par", "/authorize", "/login", "/token", "/userinfo"),
    "/idp.css",
]


@pytest.mark.parametrize("path", PATHS)
def test_foreign_host_header_is_refused(path: str, client: Client) -> None:
    port = urlsplit(client.provider.issuer).port
    for host in ("evil.example", f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
        for answer in (
            client.get(client.provider.issuer + path, headers={"Host": host}),
            client.post(client.provider.issuer + path, client.request, headers={"Host": host, **basic()}),
        ):
            assert answer.status_code == 421


def test_answers_forbid_caching(client: Client) -> None:
    page = client.visit()
    code = authorization_response(client.log_in(page))["code"]
    answers = [
        *(client.get(client.metadata[name]) for name in ("jwks_uri", "userinfo_endpoint")),
        *(page, client.push(), client.exchange(code), client.exchange(code)),
        client.get(client.provider.issuer + "/.well-known/openid-configuration"),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Etag" not in answer.headers


@pytest.mark.parametrize(
    ("issuer", "redirect_uri"),
    [
        ("http://idp.example", REDIRECT_URI),
        ("http://127.0.0.1.evil.example:80", REDIRECT_URI),
        ("https://127.0.0.1:8443", REDIRECT_URI),
        ("http://127.0.0.1:8080/", REDIRECT_URI),
        ("http://127.0.0.1:8080?x", REDIRECT_URI),
        ("http://127.0.0.1:8080", "/verify.html"),
        ("http://127.0.0.1:8080", "http:verify.html"),
        ("http://127.0.0.1:8080", "javascript://x/"),
        ("http://127.0.0.1:8080", REDIRECT_URI + "#fragment"),
    ],
)
def test_invalid_options_are_refused(issuer: str, redirect_uri: str) -> None:
    with pytest.raises(ValueError, match=r"issuer|redirect URI"):
        IdentityProvider(
            issuer, client_id=CLIENT_ID, client_secret=SECRET, redirect_uri=redirect_uri, events=Events()
        )
