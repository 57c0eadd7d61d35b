"""Generated extensions with the documented settings, against real providers in processes of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from attacks.served_extension import CLIENT_ID, Answer, Extension, Login, create_workspace, serving
from providers import glewlwyd
from providers.glewlwyd import Glewlwyd
from providers.real_providers import MALLORY, PROVIDERS, Provider, RealProvider
from providers.user_agent import UserAgent

pytestmark = pytest.mark.slow

# Canaille and Glewlwyd compare the form-encoded secret of the Basic header as it is (RFC 6749, 2.3.1).
CLIENT_SECRET = "Letters-and-digits_0123456789"
DEADLINE = 30


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(real, id=real.name, marks=[pytest.mark.node] if real.name == "oidc-provider" else [])
        for real in PROVIDERS
    ],
)
def real(request: pytest.FixtureRequest) -> RealProvider:
    real: RealProvider = request.param
    return real


@pytest.fixture(scope="module")
def provider(real: RealProvider) -> Iterator[Provider]:
    with real.running() as provider:
        yield provider


Serve = Callable[[str], Extension]


@pytest.fixture(scope="module")
def serve(real: RealProvider, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
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


@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_login_with_the_documented_settings_completes(name: str, real: RealProvider, serve: Serve) -> None:
    user = real.user("ada")
    login, answer = log_in(serve(name), user, real.ada)
    assert answer.status == 200, answer
    assert answer.token and login.tokens == [answer.token]
    assert login.verify(answer.token)
    assert "login" in user.shown
    assert not any(CLIENT_SECRET in line for line in login.log)


@pytest.mark.parametrize("name", ["Ssr", "Csr"])
def test_login_of_another_user_is_denied(name: str, real: RealProvider, serve: Serve) -> None:
    login, answer = log_in(serve(name), real.user(MALLORY), real.ada)
    assert (answer.status, answer.code) == (400, "wrong_user")
    assert login.tokens == [] and not login.verified
