"""The generated redirect extension as the provider's client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import memcached
import pytest
import requests
from command import q2mfa
from extension_server import EXTENSION_SERVER
from jwt.algorithms import RSAAlgorithm
from pymemcache.client.base import Client as MemcachedClient
from relying_party import CLIENT_ID, CLIENT_JWKS, CLIENT_KEY, SECRET, Client, Published, StartProvider
from tornado.netutil import bind_sockets
from waiting import wait_until

pytestmark = pytest.mark.slow


class Extension:
    """A generated redirect extension on a server, and the HQ session of the user ada."""

    def __init__(self, url: str, session: str = "") -> None:
        self.url = url
        answer = self.post("/_hq/sessions", {"mfa_info": {"sso_identifier": "ada"}, "id": session})
        self.session = str(answer["session"])

    def post(self, path: str, body: Any, session: str = "") -> Any:
        return requests.post(self.url + path, json=body, headers={"X-Q2-Session": session}, timeout=20).json()

    def cache_keys(self) -> list[str]:
        keys: list[str] = requests.get(f"{self.url}/_hq/cache_keys", timeout=20).json()["keys"]
        return keys

    def mfa(self, client: Client, **form: str) -> Any:
        """Run MFA; the customer submits *form*. Return True if HQ verified the token, else the error code."""
        started = self.post("/Foo/start", {}, self.session)
        if "error" in started:
            return started["data"]["code"]
        return self.finish(log_in(client, started, **form))

    def finish(self, response: dict[str, str]) -> Any:
        """Hand the authorization response to the extension. Return True or the error code."""
        done = self.post("/Foo/token_handler", response, self.session)
        if "error" in done:
            assert requests.get(f"{self.url}/_hq/sessions/{self.session}", timeout=20).json()["tokens"] == []
            return done["data"]["code"]
        token = done["data"]["token"]
        return self.post(f"/_hq/sessions/{self.session}/verify", {"token": token})["verified"]


def log_in(client: Client, started: Any, **form: str) -> dict[str, str]:
    """Log in at the provider. Return the authorization response."""
    redirect = client.log_in(client.get(started["data"]["authorization_url"]), **form)
    return dict(parse_qsl(urlsplit(redirect.headers["Location"]).query))


Serve: TypeAlias = Callable[..., tuple[list[Extension], Client]]


@pytest.fixture
def serve(workspace: Path, start: StartProvider) -> Iterator[Serve]:
    """Generate, configure and serve the extension, with its own provider.

    With *memcached_port*, two processes serve it and share that memcached and a session at HQ.
    """
    children: list[subprocess.Popen[str]] = []

    def start_process(secret: str, *arguments: str) -> str:
        child = subprocess.Popen(
            [sys.executable, EXTENSION_SERVER, str(workspace), "Foo", *arguments],
            stdout=subprocess.PIPE,
            env={**os.environ, "FOO_CLIENT_SECRET": secret},
            text=True,
        )
        children.append(child)
        assert child.stdout is not None
        url: str = json.loads(child.stdout.readline())["url"]
        return url

    def serve(
        configuration: str = "", secret: str = SECRET, memcached_port: int | None = None, **options: Any
    ) -> tuple[list[Extension], Client]:
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
        shared = ("--memcached", str(memcached_port)) if memcached_port else ()
        urls = [start_process(secret, *shared)]
        assets_url = f"{urls[0]}/assets"
        if memcached_port:
            urls.append(start_process(secret, *shared, "--assets-url", assets_url))
        client = start(sockets=sockets, redirect_uri=f"{assets_url}/Foo/verify.html", **options)
        first = Extension(urls[0])
        return [first, *(Extension(url, first.session) for url in urls[1:])], client

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
            "CLIENT_AUTH_METHOD = 'private_key_jwt'\nPAR = 'required'\n",
            CLIENT_JWK,
            {"pushed_requests": "required", "client_jwks": CLIENT_JWKS},
        ),
    ],
)
def test_generated_extension_completes_mfa_for_right_user(
    configuration: str,
    secret: str,
    options: Any,
    serve: Serve,
) -> None:
    [served], client = serve(configuration, secret, **options)
    assert served.mfa(client, user="ada") is True


def test_generated_extension_rejects_other_user_and_each_switch(serve: Serve) -> None:
    [served], client = serve()
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


def test_two_processes_share_session_and_metadata_in_one_memcached(
    serve: Serve, published: Published
) -> None:
    with memcached.running() as address:
        [first, second], client = serve(memcached_port=address[1])
        published.clear()
        started = first.post("/Foo/start", {}, first.session)
        response = log_in(client, started)
        [flow] = {key for key in first.cache_keys() if key.startswith("session:")}
        # Writes without a reply are visible to other connections only once memcached has read them.
        wait_until(lambda: MemcachedClient(address).get(flow) is not None)
        assert second.finish(response) is True
        assert first.finish(response) == "expired"
        assert [what for what, _ in published].count("metadata") == 1
