"""Authorization requests at the authorization endpoint."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from relying_party import (
    REDIRECT_URI,
    Client,
    Page,
    Published,
    assert_error,
    assert_refusal_page,
    authorization_response,
)


def test_authorization_request_posted_by_client_page_is_accepted(client: Client) -> None:
    page = client.post(
        client.metadata["authorization_endpoint"], client.request, headers={"Origin": "http://127.0.0.1:9"}
    )
    assert authorization_response(client.log_in(page))["state"] == client.request["state"]


WRONG_REDIRECT_URIS = [
    None,
    "",
    REDIRECT_URI + "/",
    REDIRECT_URI + "?x=1",
    REDIRECT_URI + "#x",
    REDIRECT_URI.upper(),
    REDIRECT_URI.replace("127.0.0.1:9", "127.0.0.1:10"),
    REDIRECT_URI.replace("127.0.0.1", "127.0.0.1:9@evil.example"),
    REDIRECT_URI.replace("Foo/", "Foo/x/../"),
    "https://evil.example/",
    'javascript:alert("x")//é',
]


@pytest.mark.parametrize("redirect_uri", WRONG_REDIRECT_URIS)
def test_idp_never_redirects_to_a_wrong_redirect_uri(redirect_uri: str | None, client: Client) -> None:
    assert_refusal_page(client.visit(redirect_uri=redirect_uri), "invalid_request")
    assert "Location" not in client.visit(redirect_uri=redirect_uri, response_type="token").headers
    assert "Location" not in client.visit(redirect_uri=redirect_uri, code_challenge=None).headers
    assert "Location" not in client.visit(redirect_uri=redirect_uri, prompt="none").headers
    assert_error(client.push(redirect_uri=redirect_uri), "invalid_request")


@pytest.mark.parametrize("client_id", [None, "another"])
def test_authorization_request_of_unknown_client_is_never_redirected(
    client_id: str | None, client: Client
) -> None:
    assert_refusal_page(client.visit(client_id=client_id), "invalid_client")
    assert_refusal_page(client.visit(client_id=client_id, response_type="token"), "invalid_client")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "nonce", "code_challenge"])
def test_repeated_parameter_is_refused(name: str, client: Client) -> None:
    assert_refusal_page(client.visit(**{name: [client.request[name], "another"]}), "invalid_request")
    assert_error(client.push(**{name: [client.request[name], "another"]}), "invalid_request")


WRONG_REQUESTS: list[tuple[dict[str, str | None], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"nonce": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"request": "e30.e30."}, "request_not_supported"),
]


@pytest.mark.parametrize(("changes", "error"), WRONG_REQUESTS)
def test_invalid_authorization_request_is_refused(
    changes: dict[str, str | None], error: str, client: Client
) -> None:
    response = authorization_response(client.visit(**changes))
    assert response["error"] == error
    assert (response["state"], response["iss"]) == (client.request["state"], client.provider.issuer)
    assert "code" not in response
    assert_error(client.push(**changes), error)


def test_empty_parameter_counts_as_missing(client: Client) -> None:
    assert "user" in Page(client.visit(max_age="", response_mode="", acr_values="")).fields
    assert authorization_response(client.visit(code_challenge_method=""))["error"] == "invalid_request"


def test_forbidden_characters_are_refused(client: Client) -> None:
    assert authorization_response(client.visit(response_type='"'))["error"] == "unsupported_response_type"
    assert_refusal_page(client.visit(client_id="\x00"), "invalid_client")
    assert_refusal_page(
        client.get(
            client.metadata["authorization_endpoint"] + "?" + urlencode(client.request) + "&login_hint=%ff"
        ),
        "invalid_request",
    )


def test_reused_nonce_is_refused(client: Client, published: Published) -> None:
    pages = client.visit(), client.visit()
    assert "code" in authorization_response(client.log_in(pages[0]))
    assert authorization_response(client.log_in(pages[1]))["error"] == "invalid_request"
    assert authorization_response(client.visit())["error"] == "invalid_request"
    assert [what for what, _ in published].count("code_issued") == 1
    assert [what for what, _ in published].count("refused") == 2


@pytest.mark.parametrize(("prompt", "error"), [("none", "login_required"), ("none login", "invalid_request")])
def test_prompt_none_is_refused(prompt: str, error: str, client: Client) -> None:
    response = authorization_response(client.visit(prompt=prompt))
    assert (response["error"], response["state"]) == (error, client.request["state"])
    response = authorization_response(client.follow(client.push(prompt=prompt).json()["request_uri"]))
    assert (response["error"], response["iss"]) == (error, client.provider.issuer)
