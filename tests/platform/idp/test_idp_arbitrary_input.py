"""Property test: arbitrary input to all endpoints."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relying_party import CLIENT_ID, JWT_BEARER, REDIRECT_URI, Client, basic, without_none

VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["code", "openid", REDIRECT_URI, CLIENT_ID, "authorization_code", JWT_BEARER, "e30.e30.", "S256"]
    ),
)
NAMES = st.sampled_from(
    [
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
        *(
            "max_age",
            "code_challenge",
            "code_challenge_method",
            "request_uri",
            "grant_type",
            "code",
            "ticket",
        ),
        *("code_verifier", "client_secret", "client_assertion", "client_assertion_type", "decision", "user"),
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(NAMES, st.one_of(st.none(), VALUES), max_size=4), authenticated=st.booleans())
def test_idp_answers_arbitrary_input_without_a_server_error(
    changes: Any, authenticated: bool, client_with_keys: Client
) -> None:
    headers = basic() if authenticated else {}
    for answer in (
        client_with_keys.visit(**changes),
        client_with_keys.push(headers=headers, **changes),
        client_with_keys.exchange(**{"code": "x", **changes}, headers=headers),
        client_with_keys.post(client_with_keys.provider.issuer + "/login", without_none(changes)),
        client_with_keys.get(client_with_keys.metadata["userinfo_endpoint"], headers=headers),
    ):
        assert answer.status_code < 500, answer.text
