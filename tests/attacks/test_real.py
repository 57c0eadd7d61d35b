"""Generated extensions against the certified provider: every way in that it offers, and the ways that stay shut."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from attacks.person import Person
from attacks.real import RealProvider
from attacks.served import CLIENT_ID, CLIENT_SECRET, Answer, Extension, Login, create_workspace, serving

USER = "ada"
ACR = "urn:bank:two-factors"
PRIVATE_KEYS: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}

Serve = Callable[..., Extension]


def jwk(algorithm: str, *, private: bool) -> dict[str, Any]:
    """The client's own key, as private_key_jwt is configured with it, or as it is registered at the provider."""
    key = PRIVATE_KEYS[algorithm]
    values = jwt.get_algorithm_by_name(algorithm).to_jwk(key if private else key.public_key(), as_dict=True)
    values.pop("key_ops", None)
    return {**values, "kid": f"ours-{algorithm}", "alg": algorithm}


@pytest.fixture(scope="module")
def serve(
    generated: Path, provider: RealProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serve]:
    """An extension with these settings, of this provider; started when it is first asked for."""
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


def set_up(provider: RealProvider, extension: Extension, **options: Any) -> None:
    """The client's registration, and what else the provider is to do."""
    given = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [extension.redirect_uri],
    }
    provider.set_up(**{**given, **options})


def go_and_come_back(login: Login, person: Person) -> dict[str, Any]:
    start = login.start()
    assert start.status == 200, start
    return person.visit(start.body["data"]["authorization_url"], login.extension.redirect_uri)


def assert_confirmed(login: Login, answer: Answer) -> None:
    """One token with HQ, the one that the page got, and good for once."""
    assert answer.status == 200, answer
    assert answer.token and login.tokens == [answer.token]
    assert not login.verified
    assert login.verify(answer.token) and login.verified
    assert not login.verify(answer.token)
    assert not any(answer.token in line for line in login.log)


def assert_denied(login: Login, answer: Answer, code: str, reason: str) -> None:
    """Nothing with HQ; the page is told the kind, the log why."""
    assert (answer.status, answer.code, answer.reason) == (400, code, reason)
    assert login.tokens == [] and not login.verified
    assert login.denials == [denied.reason for denied in login.answers if denied.status == 400]


def confirmed(extension: Extension, person: Person, **mfa_info: str) -> Login:
    """A whole login that succeeds."""
    login = extension.login(**(mfa_info or {"sso_identifier": USER}))
    assert_confirmed(login, login.finish(go_and_come_back(login, person)))
    return login


@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_as_it_is_generated(name: str, tmp_path: Path, provider: RealProvider) -> None:
    """No setting but those that `q2mfa create` asks for, and the secret in the environment."""
    workspace = create_workspace(tmp_path / "workspace", provider.issuer)
    with serving(workspace, tmp_path / "served", name) as extension:
        set_up(provider, extension, par="required")
        person = Person(USER)
        confirmed(extension, person)
        assert person.shown == ["login", "consent"]


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
def test_every_client_authentication_and_signature(
    auth_method: str, key: str, alg: str, serve: Serve, provider: RealProvider
) -> None:
    """Both at the PAR and at the token endpoint; the provider takes no other method of this client."""
    secret = json.dumps(jwk(key, private=True)) if key else CLIENT_SECRET
    extension = serve(secret=secret, CLIENT_AUTH_METHOD=auth_method)
    jwks = {"client_jwks": {"keys": [jwk(key, private=False)]}} if key else {}
    set_up(provider, extension, auth_method=auth_method, alg=alg, par="required", **jwks)
    confirmed(extension, Person(USER))


@pytest.mark.parametrize("par", ["off", "on", "required"])
def test_with_par_and_without(par: str, tmp_path: Path, generated: Path, provider: RealProvider) -> None:
    """Announced it is used, and the browser carries nothing but a reference; PKCE is required in any case."""
    with serving(generated, tmp_path / "served", "Ssr", {"ISSUER": provider.issuer}) as extension:
        set_up(provider, extension, par=par)
        login = extension.login(sso_identifier=USER)
        start = login.start()
        url = start.body["data"]["authorization_url"]
        assert ("request_uri=" in url) == (par != "off")
        assert ("state=" in url) == (par == "off")
        assert ("POST /request" in provider.asked) == (par != "off")
        assert_confirmed(login, login.finish(Person(USER).visit(url, extension.redirect_uri)))


def test_par_that_is_demanded_and_not_there(tmp_path: Path, generated: Path, provider: RealProvider) -> None:
    settings = {"ISSUER": provider.issuer, "REQUIRE_PAR": True}
    with serving(generated, tmp_path / "served", "Csr", settings) as extension:
        set_up(provider, extension, par="off")
        login = extension.login(sso_identifier=USER)
        assert_denied(login, login.start(), "not_configured", "PAR is required, and the provider has none")


def test_a_login_costs_one_call_to_start_and_one_to_finish(serve: Serve, provider: RealProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    confirmed(extension, Person(USER))
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    url = login.start().body["data"]["authorization_url"]
    assert provider.asked == ["POST /request"]
    callback = Person(USER).visit(url, extension.redirect_uri)
    before = provider.asked
    assert_confirmed(login, login.finish(callback))
    assert provider.asked == [*before, "POST /token"]


def test_keys_that_change_between_start_and_finish(serve: Serve, provider: RealProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    confirmed(extension, Person(USER))
    login = extension.login(sso_identifier=USER)
    callback = go_and_come_back(login, Person(USER))
    set_up(provider, extension, keys="second")
    assert_confirmed(login, login.finish(callback))
    assert provider.asked == ["POST /token", "GET /jwks"]
    confirmed(extension, Person(USER))
    assert provider.asked.count("GET /jwks") == 1


def test_the_provider_says_who_it_is_and_has_to(serve: Serve, provider: RealProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    for change in ({}, {"iss": "https://login.other.example"}):
        login = extension.login(sso_identifier=USER)
        callback = go_and_come_back(login, Person(USER))
        assert callback.pop("iss") == provider.issuer
        assert_denied(login, login.finish({**callback, **change}), "not_trusted", "iss is another issuer")


@pytest.mark.parametrize("page", ["login", "consent"])
@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_cancelling_at_the_provider(name: str, page: str, serve: Serve, provider: RealProvider) -> None:
    extension = serve(name)
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    person = Person(None) if page == "login" else Person(USER, consents=False)
    callback = go_and_come_back(login, person)
    assert person.shown[-1] == page and "code" not in callback
    assert_denied(login, login.finish(callback), "access_denied", "the provider answered access_denied")


def test_somebody_else_logs_in(serve: Serve, provider: RealProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    callback = go_and_come_back(login, Person("bob"))
    assert_denied(login, login.finish(callback), "wrong_user", "somebody else logged in")


def test_a_user_without_a_link(serve: Serve, provider: RealProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    login = extension.login(registration_value=USER)
    callback = go_and_come_back(login, Person(USER))
    assert_denied(login, login.finish(callback), "not_linked", "the user has no sso_identifier")


def test_another_claim_and_another_attribute_say_who_it_is(serve: Serve, provider: RealProvider) -> None:
    extension = serve(
        "Ssr", SCOPES="openid email", IDENTITY_CLAIM="email", IDENTITY_ATTRIBUTE="registration_value"
    )
    set_up(provider, extension)
    confirmed(extension, Person(USER), registration_value="ada@example.com", sso_identifier="bob")
    login = extension.login(registration_value=USER)
    callback = go_and_come_back(login, Person(USER))
    assert_denied(login, login.finish(callback), "wrong_user", "somebody else logged in")


def test_whoever_is_logged_in_there_already_has_to_prove_it_again(
    serve: Serve, provider: RealProvider
) -> None:
    extension = serve()
    set_up(provider, extension)
    person = Person(USER)
    confirmed(extension, person)
    person.shown.clear()
    confirmed(extension, person)
    assert person.shown[0] == "login"


def test_a_login_may_be_as_old_as_configured_and_no_older(serve: Serve, provider: RealProvider) -> None:
    extension = serve(MAX_AGE=300)
    set_up(provider, extension, login_age=290)
    person = Person(USER)
    confirmed(extension, person)
    person.shown.clear()
    confirmed(extension, person)
    assert "login" not in person.shown, "a login that is fresh enough is not asked for again"
    set_up(provider, extension, login_age=3600)
    login = extension.login(sso_identifier=USER)
    callback = go_and_come_back(login, Person(USER))
    assert_denied(login, login.finish(callback), "too_old", "auth_time is missing or too old")


def test_a_login_has_to_be_as_strong_as_configured(serve: Serve, provider: RealProvider) -> None:
    extension = serve(ACR_VALUES=f"urn:bank:passkey {ACR}")
    set_up(provider, extension, acr=ACR)
    confirmed(extension, Person(USER))
    for acr in ("urn:bank:password", None):
        set_up(provider, extension, acr=acr)
        login = extension.login(sso_identifier=USER)
        callback = go_and_come_back(login, Person(USER))
        assert_denied(login, login.finish(callback), "too_weak", "acr is none of those asked for")


def test_an_answer_is_good_once_and_in_its_own_session(serve: Serve, provider: RealProvider) -> None:
    extension = serve()
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    callback = go_and_come_back(login, Person(USER))
    other = extension.login(sso_identifier=USER)
    assert_denied(other, other.finish(callback), "expired", "the session has no pending flow")
    other_callback = go_and_come_back(other, Person(USER))
    assert_denied(other, other.finish(callback), "expired", "the state is another one")
    assert_confirmed(login, login.finish(callback))
    assert login.finish(callback).code == "expired"
    assert len(login.tokens) == 1
    # The code of one login with the state of another: the provider itself holds it against the verifier.
    mixed = extension.login(sso_identifier=USER)
    mixed_callback = go_and_come_back(mixed, Person(USER))
    stolen = {**mixed_callback, "code": other_callback["code"]}
    refusal = "127.0.0.1 answered 400 invalid_grant"
    assert_denied(mixed, mixed.finish(stolen), "provider_unavailable", refusal)


@pytest.mark.parametrize("secret", ["not the secret", json.dumps(jwk("RS256", private=True))])
def test_a_client_that_the_provider_does_not_know(secret: str, serve: Serve, provider: RealProvider) -> None:
    extension = serve(secret=secret, CLIENT_AUTH_METHOD="client_secret_basic")
    set_up(provider, extension)
    login = extension.login(sso_identifier=USER)
    refusal = "127.0.0.1 answered 401 invalid_client"
    assert_denied(login, login.start(), "provider_unavailable", refusal)
    assert not any(secret in line for line in login.log)
