"""Generated extensions with the documented settings, against real providers in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from attacks.served_extension import CLIENT_ID, Answer, Extension, Login, create_workspace, serving

from providers.real_providers import ADA, GLEWLWYD, MALLORY, PROVIDERS, Provider, RealProvider
from providers.user_agent import UserAgent

pytestmark = pytest.mark.slow

# Canaille and Glewlwyd compare the form-encoded secret of the Basic header as it is (RFC 6749, 2.3.1).
CLIENT_SECRET = "Letters-and-digits_0123456789"


def with_providers(*providers: RealProvider) -> pytest.MarkDecorator:
    """Run a test with these providers."""
    node = {"oidc-provider": pytest.mark.node}
    params = [pytest.param(real, id=real.name, marks=node.get(real.name, ())) for real in providers]
    return pytest.mark.parametrize("real", params, indirect=True)


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> RealProvider:
    """The provider of this test, which is not running yet."""
    param: RealProvider = request.param
    return param


@pytest.fixture(scope="module")
def provider(real: RealProvider) -> Iterator[Provider]:
    with real.running() as provider:
        yield provider


Serve = Callable[[str], Extension]


@pytest.fixture(scope="module")
def serve(
    real: RealProvider, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serve]:
    """Serve the extension of this name with the documented settings, as the provider's client."""
    folder = tmp_path_factory.mktemp(real.name)
    workspace = create_workspace(folder / "workspace", provider.issuer)
    with ExitStack() as stack:
        started: dict[str, Extension] = {}

        def get(name: str) -> Extension:
            if name not in started:
                served = serving(workspace, folder / name, name, real.settings, CLIENT_SECRET)
                started[name] = stack.enter_context(served)
            provider.register(CLIENT_ID, CLIENT_SECRET, started[name].redirect_uri)
            return started[name]

        yield get


def log_in(extension: Extension, user: UserAgent, identity: str) -> tuple[Login, Answer]:
    """Let *user* log in at the provider, in a session at HQ of *identity*."""
    login = extension.login(sso_identifier=identity)
    start = login.start()
    assert start.status == 200, start
    return login, login.finish(user.visit(start.body["data"]["authorization_url"], extension.redirect_uri))


@with_providers(*PROVIDERS)
@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_login_with_the_documented_settings_completes(name: str, real: RealProvider, serve: Serve) -> None:
    user = real.user(ADA)
    login, answer = log_in(serve(name), user, real.ada)
    assert answer.status == 200, answer
    assert answer.token and login.tokens == [answer.token]
    assert login.verify(answer.token)
    assert "login" in user.shown
    assert not any(CLIENT_SECRET in line for line in login.log)


@with_providers(*PROVIDERS)
@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_login_of_another_user_is_denied(name: str, real: RealProvider, serve: Serve) -> None:
    login, answer = log_in(serve(name), real.user(MALLORY), real.ada)
    assert (answer.status, answer.code) == (400, "wrong_user")
    assert login.tokens == [] and not login.verified


@with_providers(*(real for real in PROVIDERS if real.asks_again))
def test_user_with_a_provider_session_logs_in_again(real: RealProvider, serve: Serve) -> None:
    user = real.user(ADA)
    for _ in range(2):
        user.shown.clear()
        _, answer = log_in(serve("Csr"), user, real.ada)
        assert answer.status == 200, answer
    assert "login" in user.shown


@with_providers(GLEWLWYD)
def test_glewlwyd_with_the_default_settings_is_denied(
    real: RealProvider, provider: Provider, tmp_path: Path
) -> None:
    """It signs `auth_time: 0`."""
    workspace = create_workspace(tmp_path / "workspace", provider.issuer)
    with serving(workspace, tmp_path / "served", "Csr", secret=CLIENT_SECRET) as extension:
        provider.register(CLIENT_ID, CLIENT_SECRET, extension.redirect_uri)
        login, answer = log_in(extension, real.user(ADA), real.ada)
        assert (answer.status, answer.code) == (400, "too_old")
        assert login.tokens == []
