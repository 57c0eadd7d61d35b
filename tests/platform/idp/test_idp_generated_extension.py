"""The generated redirect extension as the provider's client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from command import q2mfa
from extension_server import EXTENSION_SERVER
from jwt.algorithms import RSAAlgorithm
from relying_party import CLIENT_ID, CLIENT_JWKS, CLIENT_KEY, SECRET, Client, StartProvider
from tornado.netutil import bind_sockets

pytestmark = pytest.mark.slow


class Extension:
    """A generated redirect extension on a server, and the HQ session of the user ada."""

    def __init__(self, url: str) -> None:
        self.url = url
        answer = self.post("/_hq/sessions", {"mfa_info": {"sso_identifier": "ada"}})
        self.session = str(answer["session"])

    def post(self, path: str, body: Any, session: str = "") -> Any:
        return requests.post(self.url + path, json=body, headers={"X-Q2-Session": session}, timeout=20).json()

    def mfa(self, client: Client, **form: str) -> Any:
        """Run MFA; the customer submits *form*. Return True if HQ verified the token, else the error code."""
        started = self.post("/Foo/start", {}, self.session)
        if "error" in started:
            return started["data"]["code"]
        redirect = client.log_in(client.get(started["data"]["authorization_url"]), **form)
        response = dict(parse_qsl(urlsplit(redirect.headers["Location"]).query))
        done = self.post("/Foo/token_handler", response, self.session)
        if "error" in done:
            assert requests.get(f"{self.url}/_hq/sessions/{self.session}", timeout=20).json()["tokens"] == []
            return done["data"]["code"]
        token = done["data"]["token"]
        return self.post(f"/_hq/sessions/{self.session}/verify", {"token": token})["verified"]


@pytest.fixture
def extension(workspace: Path, start: StartProvider) -> Iterator[Callable[..., tuple[Extension, Client]]]:
    """Generate, configure and serve the extension, with its own provider."""
    children: list[subprocess.Popen[str]] = []

    def serve(configuration: str = "", secret: str = SECRET, **options: Any) -> tuple[Extension, Client]:
        sockets = bind_sockets(0, "127.0.0.1")
        issuer = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        settings = workspace / "configuration" / "settings.py"
        settings.write_text(
            "from q2_sdk.core.default_settings import *\n"
            "INSTALLED_EXTENSIONS = []\n"
            "OUTBOUND_WHITELIST.extend(['127.0.0.1'])\n"
        )
        created = q2mfa(
            *("create", "Foo", "--rendering", "csr", "--mfa", "redirect", "--no-input"),
            *("--issuer", issuer, "--client-id", CLIENT_ID),
            cwd=workspace,
        )
        assert created.status == 0, created
        with (workspace / "configuration" / "Foo.py").open("a") as file:
            file.write(configuration)
        child = subprocess.Popen(
            [sys.executable, EXTENSION_SERVER, str(workspace), "Foo"],
            stdout=subprocess.PIPE,
            env={**os.environ, "FOO_CLIENT_SECRET": secret},
            text=True,
        )
        children.append(child)
        assert child.stdout is not None
        url = json.loads(child.stdout.readline())["url"]
        client = start(sockets=sockets, redirect_uri=f"{url}/assets/Foo/verify.html", **options)
        return Extension(url), client

    yield serve
    for child in children:
        child.terminate()
        child.communicate()


CLIENT_JWK = json.dumps({**RSAAlgorithm.to_jwk(CLIENT_KEY, as_dict=True), "kid": "client", "alg": "RS256"})


@pytest.mark.parametrize(
    ("configuration", "secret", "options"),
    [
        ("", SECRET, {"pushed_requests": "off"}),
        ("CLIENT_AUTH_METHOD = 'client_secret_post'\nACR_VALUES = 'strong'\n", SECRET, {}),
        (
            "CLIENT_AUTH_METHOD = 'private_key_jwt'\nREQUIRE_PAR = True\n",
            CLIENT_JWK,
            {"pushed_requests": "required", "client_jwks": CLIENT_JWKS},
        ),
    ],
)
def test_generated_extension_completes_mfa_for_right_user(
    configuration: str,
    secret: str,
    options: Any,
    extension: Callable[..., tuple[Extension, Client]],
) -> None:
    served, client = extension(configuration, secret, **options)
    assert served.mfa(client, user="ada") is True


def test_generated_extension_rejects_other_user_and_each_switch(
    extension: Callable[..., tuple[Extension, Client]],
) -> None:
    served, client = extension()
    assert served.mfa(client, user="bob") == "wrong_user"
    assert served.mfa(client, decision="deny") == "access_denied"
    for switch, code in [
        ("wrong_user", "wrong_user"),
        ("denies", "access_denied"),
        ("down", "provider_unavailable"),
    ]:
        client.provider.switches = {switch}
        assert served.mfa(client, user="ada") == code
    client.provider.switches.clear()
    assert served.mfa(client, user="ada") is True
