"""A generated extension served on the fake platform, from the page's request to HQ's verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
import requests
from command import q2mfa
from extension_server import EXTENSION_SERVER
from preview_process import make_workspace

pytestmark = pytest.mark.slow


class Server:
    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, path: str, body: Any = None, session: str = "") -> tuple[int, Any]:
        answer = requests.post(
            self.url + path, json=body or {}, headers={"X-Q2-Session": session}, timeout=20
        )
        return answer.status_code, answer.json()

    def log_in(self, **mfa_info: Any) -> str:
        status, answer = self.call("/_hq/sessions", {"mfa_info": mfa_info})
        assert status == 200, answer
        return str(answer["session"])

    def at_hq(self, session: str) -> Any:
        return requests.get(f"{self.url}/_hq/sessions/{session}", timeout=20).json()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    workspace = make_workspace(tmp_path_factory.mktemp("server") / "workspace")
    assert q2mfa("create", "Foo", "--rendering", "csr", "--no-input", cwd=workspace).status == 0
    child = subprocess.Popen(
        [sys.executable, EXTENSION_SERVER, str(workspace), "Foo"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        yield Server(json.loads(child.stdout.readline())["url"])
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


@pytest.fixture
def secret() -> str:
    """The secret of a customer of this test only: the extension counts tries and used codes per customer."""
    return pyotp.random_base32()


def test_right_code_completes_mfa_once_and_in_its_session_only(secret: str, server: Server) -> None:
    mine, other = server.log_in(registration_value=secret), server.log_in(registration_value=secret)
    status, answer = server.call("/Foo/submit", {"passcode": pyotp.TOTP(secret).now()}, mine)
    assert status == 200
    token = answer["data"]["token"]
    assert server.call(f"/_hq/sessions/{other}/verify", {"token": token})[1] == {"verified": False}
    assert server.call(f"/_hq/sessions/{mine}/verify", {"token": token})[1] == {"verified": True}
    assert server.call(f"/_hq/sessions/{mine}/verify", {"token": token})[1] == {"verified": False}


@pytest.mark.parametrize("body", [{}, {"passcode": "wrong!"}, {"passcode": None}, ["a list"]])
def test_request_without_proof_sets_no_token(body: Any, secret: str, server: Server) -> None:
    session = server.log_in(registration_value=secret)
    status, _ = server.call("/Foo/submit", body, session)
    assert status == 400
    assert server.at_hq(session) == {"tokens": [], "verified": False}


def test_request_without_session_or_to_unknown_route_is_refused(secret: str, server: Server) -> None:
    assert server.call("/Foo/submit", {"passcode": pyotp.TOTP(secret).now()})[0] == 400
    session = server.log_in(registration_value=secret)
    assert server.call("/Foo/set_external_mfa_token", {"token": "x" * 32}, session)[0] == 400
    assert server.at_hq(session)["tokens"] == []


def test_server_serves_the_page_its_script_and_the_purpose(server: Server) -> None:
    assert "passcode" in requests.get(f"{server.url}/assets/Foo/index.html", timeout=20).text
    assert requests.get(f"{server.url}/assets/Foo/index.js", timeout=20).ok
    session = server.log_in(audit_action_name="ChangeEmail")
    purpose = {"signing_in": True, "transactions": [], "action": "ChangeEmail"}
    assert server.call("/Foo/default", {}, session) == (200, {"data": {"purpose": purpose}})


def test_request_with_foreign_host_is_not_served(server: Server) -> None:
    answer = requests.get(f"{server.url}/_hq/log", headers={"Host": "evil.example"}, timeout=20)
    assert answer.status_code == 404
