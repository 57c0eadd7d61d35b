"""Client authentication."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from relying_party import CLIENT_ID, CLIENT_KEY, JWT_BEARER, SECRET, Client, assert_error, basic

UNENCODED = {"Authorization": "Basic " + base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()}

WRONG_CREDENTIALS: list[dict[str, Any]] = [
    {"headers": {}},
    {"headers": {}, "client_id": CLIENT_ID},
    {"headers": basic(secret="wrong")},
    {"headers": basic(secret="")},
    {"headers": basic(identifier="another")},
    {"headers": UNENCODED},
    {"headers": {"Authorization": "Basic ###"}},
    {"headers": {"Authorization": "Basic " + base64.b64encode(b"\xff\xff").decode()}},
    {"headers": {"Authorization": basic()["Authorization"].replace("Basic", "Bearer")}},
    {"headers": {}, "client_id": CLIENT_ID, "client_secret": "wrong"},
]


@pytest.mark.parametrize("credentials", WRONG_CREDENTIALS)
def test_wrong_client_credentials_are_refused(credentials: dict[str, Any], client: Client) -> None:
    code = client.code()
    for answer in (client.push(**credentials), client.exchange(code, **credentials)):
        assert_error(answer, "invalid_client", 401)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert client.exchange(code).status_code == 200  # the code is not spent


def test_credentials_of_unknown_client_are_refused(client: Client) -> None:
    assert_error(client.push(headers={}, client_id="another", client_secret=SECRET), "invalid_client")


def test_two_authentication_methods_in_one_request_are_refused(client: Client) -> None:
    for answer in (client.push(client_secret=SECRET), client.exchange(client.code(), client_secret=SECRET)):
        assert_error(answer, "invalid_request")


def test_replayed_assertion_is_refused(client_with_keys: Client) -> None:
    assertion = client_with_keys.assertion(aud=client_with_keys.metadata["token_endpoint"])
    assert client_with_keys.push(headers={}, **assertion).status_code == 201
    assert_error(client_with_keys.push(headers={}, **assertion), "invalid_client")


PUBLIC_PEM = CLIENT_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def encode_jwt(header: Any, claims: Any, signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


WRONG_ASSERTIONS: dict[str, Callable[[Client], dict[str, str]]] = {
    "another audience": lambda client: client.assertion(aud="https://another.example"),
    "no audience": lambda client: client.assertion(aud=None),
    "expired": lambda client: client.assertion(exp=int(time.time()) - 300),
    "no expiry": lambda client: client.assertion(exp=None),
    "no jti": lambda client: client.assertion(jti=None),
    "another issuer": lambda client: client.assertion(iss="another"),
    "another subject": lambda client: client.assertion(sub="another"),
    "no subject": lambda client: client.assertion(sub=None),
    "unregistered key": lambda client: client.assertion(rsa.generate_private_key(65537, 2048)),
    "alg none": lambda client: forged(client, {"alg": "none"}),
    "alg HS256 with the public key": lambda client: forged(client, {"alg": "HS256"}),
    "alg with a quote": lambda client: forged(client, {"alg": 'a"b'}),
    "header is a list": lambda client: forged(client, []),
    "not a JWT": lambda client: {"client_assertion_type": JWT_BEARER, "client_assertion": "nonsense"},
    "another assertion type": lambda client: {**client.assertion(), "client_assertion_type": "another"},
}


def forged(client: Client, header: Any) -> dict[str, str]:
    """A valid assertion's claims under *header*, signed with the public key."""
    right = client.assertion()
    claims = jwt.decode(right["client_assertion"], options={"verify_signature": False})
    unsigned = encode_jwt(header, claims)
    signature = hashlib.sha256(PUBLIC_PEM + unsigned.encode()).digest()
    return {**right, "client_assertion": encode_jwt(header, claims, signature)}


@pytest.mark.parametrize("wrong", WRONG_ASSERTIONS.values(), ids=WRONG_ASSERTIONS.keys())
def test_invalid_assertion_is_refused(
    wrong: Callable[[Client], dict[str, str]], client_with_keys: Client
) -> None:
    answer = client_with_keys.push(headers={}, **wrong(client_with_keys))
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == "invalid_client"


def test_assertion_without_registered_keys_is_refused(client: Client) -> None:
    assert "private_key_jwt" not in client.metadata["token_endpoint_auth_methods_supported"]
    assert_error(client.push(headers={}, **client.assertion()), "invalid_client", 401)
