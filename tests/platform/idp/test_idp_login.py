"""A login from the authorization request to the ID token, and the login page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from relying_party import (
    CLIENT_ID,
    CLIENT_JWKS,
    SECRET,
    Client,
    Clock,
    Page,
    StartProvider,
    assert_refusal_page,
    authorization_response,
    basic,
)

from q2mfa_cli.platform.idp import Visitor


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("pushed", [True, False], ids=["pushed", "plain"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_login_with_each_method_and_algorithm_succeeds(
    method: str, pushed: bool, algorithm: str, start: StartProvider
) -> None:
    client = start(client_jwks=CLIENT_JWKS)
    client.provider.signing_algorithm = algorithm
    assert method in client.metadata["token_endpoint_auth_methods_supported"]

    def credentials() -> dict[str, Any]:
        if method == "client_secret_basic":
            return {"headers": basic()}
        if method == "client_secret_post":
            return {"headers": {}, "client_id": CLIENT_ID, "client_secret": SECRET}
        return {"headers": {}, **client.assertion()}

    if pushed:
        taken = client.push(**credentials())
        assert taken.status_code == 201, taken.text
        assert taken.json()["expires_in"] > 0
        page = client.follow(taken.json()["request_uri"])
    else:
        page = client.visit()
    response = authorization_response(client.log_in(page, user="ada"))
    assert response.keys() == {"code", "state", "iss"}
    assert (response["state"], response["iss"]) == (client.request["state"], client.provider.issuer)

    tokens = client.exchange(response["code"], **credentials())
    claims = client.claims(tokens)
    assert claims["sub"] == "ada"
    assert "acr" not in claims
    assert tokens.json()["token_type"] == "Bearer"
    assert client.user_info(tokens.json()["access_token"]).json() == {"sub": "ada"}


def test_issuer_with_path_serves_login(start: StartProvider) -> None:
    client = start("/an.idp")
    assert urlsplit(client.metadata["token_endpoint"]).path == "/an.idp/token"
    page = client.follow(client.push().json()["request_uri"])
    assert 'action="/an.idp/login"' in page.text
    assert client.get(client.provider.issuer + "/idp.css").status_code == 200
    assert client.claims(client.exchange(authorization_response(client.log_in(page))["code"]))["sub"] == "ada"


def test_id_token_has_auth_time_and_acr_of_login(client: Client, clock: Clock) -> None:
    clock.ahead = -250
    page = client.visit(acr_values="urn:example:strong urn:example:weak")
    clock.ahead = -200
    before = int(clock())
    response = authorization_response(client.log_in(page))
    clock.ahead = -170
    claims = client.claims(client.exchange(response["code"]))
    assert before <= claims["auth_time"] <= before + 25
    assert claims["iat"] >= before + 30
    assert claims["acr"] == "urn:example:strong"


def test_claims_match_requested_scopes(client: Client) -> None:
    page = client.visit(scope="openid email profile offline_access")
    tokens = client.exchange(authorization_response(client.log_in(page, user=" ada@example.com "))["code"])
    claims = client.claims(tokens)
    assert claims["sub"] == claims["preferred_username"] == claims["email"] == "ada@example.com"
    assert claims["email_verified"] is True
    assert tokens.json()["scope"].split() == ["openid", "profile", "email"]


def test_second_login_asks_for_user_again(client: Client) -> None:
    client.claims(client.exchange(client.code()))
    client.start_new_flow()
    assert "user" in Page(client.visit(prompt=None, max_age="3600")).fields


def test_login_page_prefills_user_name(client: Client) -> None:
    assert Page(client.visit()).fields["user"] == ""
    client.provider.expected_user = "ada"
    assert Page(client.visit()).fields["user"] == "ada"
    assert Page(client.visit(login_hint='"><b>bob')).fields["user"] == '"><b>bob'


def test_login_denied_by_user_answers_access_denied(client: Client) -> None:
    response = authorization_response(client.log_in(client.visit(), decision="deny"))
    assert response["error"] == "access_denied"
    assert (response["state"], response["iss"]) == (client.request["state"], client.provider.issuer)


def test_login_page_names_client_and_acr_values(client: Client) -> None:
    page = Page(client.visit(acr_values="urn:example:strong"))
    assert "Test provider on your machine" in page.text
    assert "q2-mfa wants to know who you are. It asks for the assurance urn:example:strong ." in page.text


@pytest.mark.parametrize("user", ["", "   ", "x" * 256])
def test_invalid_user_name_is_asked_for_again(user: str, client: Client) -> None:
    again = client.log_in(client.visit(), user=user)
    assert again.status_code == 200
    assert "Type a user name" in Page(again).text
    assert "code" in authorization_response(client.log_in(again, user="ada"))


def test_login_answered_twice_is_refused(client: Client) -> None:
    page = client.visit()
    authorization_response(client.log_in(page, decision="deny"))
    assert_refusal_page(client.log_in(page), "invalid_request")


def test_login_after_expiry_is_refused(client: Client, clock: Clock) -> None:
    page = client.visit()
    clock.ahead = 3600
    assert_refusal_page(client.log_in(page), "invalid_request")


@pytest.mark.parametrize("fields", [{"ticket": ""}, {"ticket": "guessed"}, {"decision": "perhaps"}])
def test_forged_login_form_is_refused(fields: dict[str, str], client: Client) -> None:
    assert_refusal_page(client.log_in(client.visit(), **fields), "invalid_request")


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9", "null"])
def test_login_form_of_other_origin_is_refused(origin: str, client: Client) -> None:
    page = client.visit()
    answer = client.log_in(page, headers={"Origin": origin})
    assert (answer.status_code, "Location" in answer.headers) == (403, False)
    own = client.provider.issuer
    assert "code" in authorization_response(client.log_in(page, headers={"Origin": own}))


def test_pages_run_no_script_and_are_framed_on_loopback_only(client: Client) -> None:
    for answer in (client.visit(), client.visit(client_id="another")):
        directives = dict(
            directive.partition(" ")[::2]
            for directive in answer.headers["Content-Security-Policy"].split("; ")
        )
        assert directives == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'self' http://127.0.0.1:9",
            "frame-ancestors": "http://127.0.0.1:* http://localhost:*",
        }
        assert "X-Frame-Options" not in answer.headers
        assert not {"script", "style"} & set(Page(answer).elements)


def test_login_page_can_be_reloaded_before_and_after_the_answer(client: Client) -> None:
    begun = client.get(client.metadata["authorization_endpoint"], params=client.request)
    pages = [client.shown(begun) for _ in range(2)]
    assert [Page(page).fields["ticket"] for page in pages] == [Page(pages[0]).fields["ticket"]] * 2
    answer = client.log_in(pages[1])
    again = client.shown(begun)
    assert again.status_code == 200
    assert "This login is complete" in Page(again).text
    assert unescape(again.text).count(f'href="{answer.headers["Location"]}"') == 1


def test_error_page_of_provider_that_is_down_has_a_style_and_a_link_back(client: Client) -> None:
    client.provider.switches.add("down")
    request_uri = f"urn:x:{client.request['state']}"
    for page in (client.visit(), client.follow(request_uri)):
        assert page.status_code == 503
        back = re.search(r'href="([^"]+verify\.html[^"]+)"', unescape(page.text))
        assert back
        assert dict(parse_qsl(urlsplit(back[1]).query))["error"] == "temporarily_unavailable"
    assert client.get(client.provider.issuer + "/idp.css").status_code == 200


def test_link_back_has_the_state_of_the_pushed_request(client: Client) -> None:
    request_uri = client.push().json()["request_uri"]
    client.provider.switches.add("down")
    assert f"state={client.request['state']}" in unescape(client.follow(request_uri).text)


def test_idp_uses_the_switches_and_the_user_of_the_caller(client: Client) -> None:
    mine = client.push().json()["request_uri"]
    client.provider.visitor_of = lambda caller: Visitor("mine", ["denies"]) if caller == mine else None
    client.provider.expected_user = "ada"
    page = client.follow(mine)
    assert Page(page).fields["user"] == "mine"
    assert authorization_response(client.log_in(page))["error"] == "access_denied"
    client.start_new_flow()
    page = client.visit()
    assert Page(page).fields["user"] == "ada"
    assert "code" in authorization_response(client.log_in(page))
