"""Authorization codes, the token endpoint and access tokens."""

from __future__ import annotations

import pytest
import requests
from relying_party import REDIRECT_URI, Client, Clock, assert_error, basic


def test_replayed_code_is_refused_and_revokes_its_tokens(client: Client) -> None:
    code = client.code()
    access_token = client.exchange(code).json()["access_token"]
    assert client.user_info(access_token).status_code == 200
    assert_error(client.exchange(code), "invalid_grant")
    answer = client.user_info(access_token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_code_after_expiry_is_refused(client: Client, clock: Clock) -> None:
    code = client.code()
    clock.ahead = 61
    assert_error(client.exchange(code), "invalid_grant")


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer guessed", "Basic {}", "{}"])
def test_userinfo_without_bearer_token_answers_401(authorization: str, client: Client) -> None:
    token = client.exchange(client.code()).json()["access_token"]
    endpoint = client.metadata["userinfo_endpoint"]
    answer = client.get(endpoint, headers={"Authorization": authorization.format(token)})
    assert (answer.status_code, answer.content) == (401, b"")
    assert client.user_info(token).status_code == 200


def test_access_token_after_expiry_answers_401(client: Client, clock: Clock) -> None:
    tokens = client.exchange(client.code()).json()
    clock.ahead = tokens["expires_in"]
    assert client.user_info(tokens["access_token"]).status_code == 401


WRONG_EXCHANGES: list[tuple[dict[str, str | None], str]] = [
    ({"code": "guessed"}, "invalid_grant"),
    ({"code": None}, "invalid_request"),
    ({"code_verifier": "x" * 43}, "invalid_grant"),
    ({"code_verifier": "short"}, "invalid_request"),
    ({"code_verifier": None}, "invalid_request"),
    ({"redirect_uri": REDIRECT_URI + "?"}, "invalid_grant"),
    ({"redirect_uri": None}, "invalid_grant"),
    ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
    ({"grant_type": None}, "unsupported_grant_type"),
    ({"client_id": "another"}, "invalid_client"),
]


@pytest.mark.parametrize(("changes", "error"), WRONG_EXCHANGES)
def test_invalid_token_request_is_refused(changes: dict[str, str | None], error: str, client: Client) -> None:
    code = client.code()
    answer = client.exchange(**{"code": code, **changes})
    assert_error(answer, error)
    assert not {"id_token", "access_token"} & answer.json().keys()


@pytest.mark.parametrize("changes", [{"code_verifier": "x" * 43}, {"redirect_uri": "https://evil.example/"}])
def test_code_in_invalid_token_request_cannot_be_used_again(changes: dict[str, str], client: Client) -> None:
    code = client.code()
    assert_error(client.exchange(code, **changes), "invalid_grant")
    assert_error(client.exchange(code), "invalid_grant")


def test_code_with_verifier_of_another_code_is_refused(client: Client) -> None:
    first = client.code()
    client.start_new_flow()
    client.code()
    assert_error(client.exchange(first), "invalid_grant")


def test_token_endpoint_accepts_forms_only(client: Client) -> None:
    code, endpoint = client.code(), client.metadata["token_endpoint"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": client.verifier,
    }
    assert_error(
        requests.post(endpoint, json=form, headers=basic(), timeout=20),
        "invalid_request",
    )
    assert_error(requests.post(endpoint, params=form, headers=basic(), timeout=20), "invalid_request")
    assert_error(
        requests.post(
            endpoint, files={name: (None, value) for name, value in form.items()}, headers=basic(), timeout=20
        ),
        "invalid_request",
    )
    assert_error(client.exchange(code, nonsense=["a", "b"]), "invalid_request")
    assert client.get(endpoint, params=form, headers=basic()).status_code == 405
    assert client.exchange(code).status_code == 200
