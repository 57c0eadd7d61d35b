"""Generated extensions against the certified provider: the logins that pass, and the logins that are denied."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest
from attacks.served_extension import (
    CLIENT_ID,
    CLIENT_SECRET,
    Answer,
    Extension,
    Login,
    create_workspace,
    serving,
)
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from providers.certified_provider import CertifiedProvider
from providers.user_agent import UserAgent

pytestmark = pytest.mark.node

USER = "ada"
ACR = "urn:bank:two-factors"
PRIVATE_KEYS: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}

Serve = Callable[..., Extension]


def jwk(algorithm: str, *, private: bool) -> dict[str, Any]:
    """The client's key for private_key_jwt: private for the extension, public for the provider."""
    key = PRIVATE_KEYS[algorithm]
    values = jwt.get_algorithm_by_name(algorithm).to_jwk(key if private else key.public_key(), as_dict=True)
    values.pop("key_ops", None)
    return {**values, "kid": f"ours-{algorithm}", "alg": algorithm}


@pytest.fixture(scope="module")
def serve(
    generated: Path, provider: CertifiedProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serve]:
    """Serve an extension with these settings. It starts on first use."""
    with ExitStack() as stack:
        started: dict[str, Extension] = {}

        def get(name: str = "Csr", secret: str = CLIENT_SECRET, **settings: Any) -> Extension:
            key = json.dumps([name, secret, settings])
            if key not in started:
                folder = tmp_path_factory.mktemp("served") / "workspace"
                settings = {"ISSUER": provider.issuer, **settings}
                started[key] = stack.enter_context(serving(generated, folder, name, settings, secret))
            return started[key]

        yield get


def set_up(provider: CertifiedProvider, extension: Extension, **options: Any) -> None:
    """Register the client, and set the provider's other options."""
    given = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [extension.redirect_uri],
    }
    provider.set_up(**{**given, **options})


def log_in_at_provider(login: Login, user: UserAgent) -> dict[str, Any]:
    start = login.start()
    assert start.status == 200, start
    return user.visit(start.body["data"]["authorization_url"], login.extension.redirect_uri)


def assert_confirmed(login: Login, answer: Answer) -> None:
    """HQ has one token, the page got the same one, and it verifies once."""
    assert answer.status == 200, answer
    assert answer.token and login.tokens == [answer.token]
    assert not login.verified
    assert login.verify(answer.token) and login.verified
    assert not login.verify(answer.token)
    assert not any(answer.token in line for line in login.log)


def assert_denied(login: Login, answer: Answer, code: str, reason: str) -> None:
    """HQ has no token. The page got the code, the log has the reason."""
    assert (answer.status, answer.code, answer.reason) == (400, code, reason)
    assert login.tokens == [] and not login.verified
    assert login.denials == [denied.reason for denied in login.answers if denied.status == 400]


def log_in_and_confirm(extension: Extension, user: UserAgent, **mfa_info: str) -> Login:
    """Log in successfully."""
    login = extension.login(**(mfa_info or {"sso_identifier": USER}))
    assert_confirmed(login, login.finish(log_in_at_provider(login, user)))
    return login


@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_generated_extension_without_further_settings_logs_in(
    name: str, tmp_path: Path, provider: CertifiedProvider
) -> None:
    """The only settings are the answers to `q2mfa create` and the secret in the environment."""
    workspace = create_workspace(tmp_path / "workspace", provider.issuer)
    with serving(workspace, tmp_path / "served", name) as extension:
        set_up(provider, extension, par="required")
        user = UserAgent(USER)
        log_in_and_confirm(extension, user)
        assert user.shown == ["login", "consent"]


@pytest.mark.parametrize("alg", ["RS256", "ES256", "PS256"])
@pytest.mark.parametrize(
    ("auth_method", "key"),
    [
        ("client_secret_basic", ""),
        ("client_secret_post", ""),
        ("private_key_jwt", "RS256"),
        ("private_key_jwt", "ES256"),
    ],
)
def test_client_authentication_with_each_signature_algorithm_logs_in(
    auth_method: str, key: str, alg: str, serve: Serve, provider: CertifiedProvider
) -> None:
    """At the PAR endpoint and at the token endpoint. The provider accepts no other method of this client."""
    secret = json.dumps(jwk(key, private=True)) if key else CLIENT_SECRET
    extension = serve(secret=secret, CLIENT_AUTH_METHOD=auth_method)
    jwks = {"client_jwks": {"keys": [jwk(key, private=False)]}} if key else {}
    set_up(provider, extension, auth_method=auth_method, alg=alg, par="required", **jwks)
    log_in_and_confirm(extension, UserAgent(USER))


@pytest.mark.parametrize("alg", ["PS256", "ES256"])
def test_fapi2_profile_logs_in(alg: str, serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve(secret=json.dumps(jwk("ES256", private=True)), PROFILE="fapi2")
    jwks = {"keys": [jwk("ES256", private=False)]}
    set_up(provider, extension, auth_method="private_key_jwt", alg=alg, par="required", client_jwks=jwks)
    log_in_and_confirm(extension, UserAgent(USER))


@pytest.mark.parametrize("par", ["off", "on", "required"])
def test_par_when_announced_is_used(
    par: str, tmp_path: Path, generated: Path, provider: CertifiedProvider
) -> None:
    """With PAR, the browser carries a reference only. The provider requires PKCE either way."""
    with serving(generated, tmp_path / "served", "Ssr", {"ISSUER": provider.issuer}) as extension:
        set_up(provider, extension, par=par)
        login = extension.login(sso_identifier=USER)
        start = login.start()
        url = start.body["data"]["authorization_url"]
        assert ("request_uri=" in url) == (par != "off")
        assert ("state=" in url) == (par == "off")
        assert ("POST /request" in provider.asked) == (par != "off")
        assert_confirmed(login, login.finish(UserAgent(USER).visit(url, extension.redirect_uri)))


def test_par_required_but_not_announced_is_denied(
    tmp_path: Path, generated: Path, provider: CertifiedProvider
) -> None:
    settings = {"ISSUER": provider.issuer, "PAR": "required"}
    with serving(generated, tmp_path / "served", "Csr", settings) as extension:
        set_up(provider, extension, par="off")
        login = extension.login(sso_identifier=USER)
        assert_denied(login, login.start(), "not_configured", "PAR is required, and the provider has none")


def test_login_with_cached_metadata_takes_two_requests(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    log_in_and_confirm(extension, UserAgent(USER))
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    url = login.start().body["data"]["authorization_url"]
    assert provider.asked == ["POST /request"]
    callback = UserAgent(USER).visit(url, extension.redirect_uri)
    before = provider.asked
    assert_confirmed(login, login.finish(callback))
    assert provider.asked == [*before, "POST /token"]


def test_keys_changed_during_a_login_are_fetched_again(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    log_in_and_confirm(extension, UserAgent(USER))
    login = extension.login(sso_identifier=USER)
    callback = log_in_at_provider(login, UserAgent(USER))
    set_up(provider, extension, keys="second")
    assert_confirmed(login, login.finish(callback))
    assert provider.asked == ["POST /token", "GET /jwks"]
    log_in_and_confirm(extension, UserAgent(USER))
    assert provider.asked.count("GET /jwks") == 1


def test_callback_with_missing_or_foreign_iss_is_denied(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    for change in ({}, {"iss": "https://login.other.example"}):
        login = extension.login(sso_identifier=USER)
        callback = log_in_at_provider(login, UserAgent(USER))
        assert callback.pop("iss") == provider.issuer
        assert_denied(login, login.finish({**callback, **change}), "not_trusted", "iss is another issuer")


@pytest.mark.parametrize("page", ["login", "consent"])
@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_user_who_cancels_at_the_provider_is_denied(
    name: str, page: str, serve: Serve, provider: CertifiedProvider
) -> None:
    extension = serve(name)
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    user = UserAgent(None) if page == "login" else UserAgent(USER, consents=False)
    callback = log_in_at_provider(login, user)
    assert user.shown[-1] == page and "code" not in callback
    assert_denied(login, login.finish(callback), "access_denied", "the provider answered access_denied")


def test_login_of_another_user_is_denied(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    callback = log_in_at_provider(login, UserAgent("bob"))
    assert_denied(login, login.finish(callback), "wrong_user", "someone else logged in")


def test_user_without_an_identifier_is_denied(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    login = extension.login(registration_value=USER)
    assert_denied(login, login.start(), "not_linked", "the user has no sso_identifier")


def test_configured_claim_and_attribute_identify_the_user(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve(
        "Ssr", SCOPES="openid email", IDENTITY_CLAIM="email", IDENTITY_ATTRIBUTE="registration_value"
    )
    set_up(provider, extension)
    log_in_and_confirm(extension, UserAgent(USER), registration_value="ada@example.com", sso_identifier="bob")
    login = extension.login(registration_value=USER)
    callback = log_in_at_provider(login, UserAgent(USER))
    assert_denied(login, login.finish(callback), "wrong_user", "someone else logged in")


def test_user_with_a_provider_session_has_to_log_in_again(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    user = UserAgent(USER)
    log_in_and_confirm(extension, user)
    user.shown.clear()
    log_in_and_confirm(extension, user)
    assert user.shown[0] == "login"


def test_login_older_than_max_age_is_denied(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve(MAX_AGE=300)
    set_up(provider, extension, login_age=290)
    user = UserAgent(USER)
    log_in_and_confirm(extension, user)
    user.shown.clear()
    log_in_and_confirm(extension, user)
    assert "login" not in user.shown, "a recent login is not repeated"
    set_up(provider, extension, login_age=3600)
    login = extension.login(sso_identifier=USER)
    callback = log_in_at_provider(login, UserAgent(USER))
    assert_denied(login, login.finish(callback), "too_old", "auth_time is missing or too old")


def test_login_with_a_weaker_acr_is_denied(serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve(ACR_VALUES=f"urn:bank:passkey {ACR}")
    set_up(provider, extension, acr=ACR)
    log_in_and_confirm(extension, UserAgent(USER))
    for acr in ("urn:bank:password", None):
        set_up(provider, extension, acr=acr)
        login = extension.login(sso_identifier=USER)
        callback = log_in_at_provider(login, UserAgent(USER))
        assert_denied(login, login.finish(callback), "too_weak", "acr is none of those asked for")


def test_callback_used_twice_or_in_another_session_is_denied(
    serve: Serve, provider: CertifiedProvider
) -> None:
    extension = serve()
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    callback = log_in_at_provider(login, UserAgent(USER))
    other = extension.login(sso_identifier=USER)
    assert_denied(other, other.finish(callback), "expired", "the session has no pending flow")
    other_callback = log_in_at_provider(other, UserAgent(USER))
    assert_denied(other, other.finish(callback), "expired", "the state is another one")
    assert_confirmed(login, login.finish(callback))
    assert login.finish(callback).code == "expired"
    assert len(login.tokens) == 1
    # The code of one login with the state of another: the provider compares it with the code verifier.
    mixed = extension.login(sso_identifier=USER)
    mixed_callback = log_in_at_provider(mixed, UserAgent(USER))
    stolen = {**mixed_callback, "code": other_callback["code"]}
    refusal = "127.0.0.1 answered 400 invalid_grant"
    assert_denied(mixed, mixed.finish(stolen), "provider_unavailable", refusal)


@pytest.mark.parametrize("secret", ["not the secret", json.dumps(jwk("RS256", private=True))])
def test_client_with_a_wrong_secret_is_denied(secret: str, serve: Serve, provider: CertifiedProvider) -> None:
    extension = serve(secret=secret, CLIENT_AUTH_METHOD="client_secret_basic")
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    refusal = "127.0.0.1 answered 401 invalid_client"
    assert_denied(login, login.start(), "not_configured", refusal)
    assert not any(secret in line for line in login.log)
