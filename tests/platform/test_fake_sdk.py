"""The stand-in is as strict as the platform: what the platform refuses, it refuses."""

from __future__ import annotations

import asyncio
import http.server
import logging
import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import q2mfa
from extension_server import EXTENSION_SERVER

from q2mfa_cli.commands.test import FAKE_SDK

LOGGER = logging.getLogger(__name__)
PRE_AUTHENTICATION = Path(__file__).parents[2] / "docs" / "pre-authentication.md"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in, importable and new for each test."""
    monkeypatch.syspath_prepend(str(FAKE_SDK))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "q2_sdk"]:
        del sys.modules[name]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


# ---- HQ ------------------------------------------------------------------------------------------


@pytest.fixture
def hq() -> Any:
    from q2_sdk._platform import HQ

    return HQ(Clock())


def test_hq_verifies_a_token_once_in_its_session_and_for_a_while(hq: Any) -> None:
    mine, other = hq.open_session(), hq.open_session()
    hq.set_token(mine, "token")
    assert not hq.verify(other, "token")
    assert hq.verify(mine, "token") and mine.mfa_complete and not other.mfa_complete
    assert not hq.verify(mine, "token")
    hq.set_token(mine, "late")
    hq.clock.now += 301
    assert not hq.verify(mine, "late")


def test_a_wrong_token_spends_the_one_that_was_set(hq: Any) -> None:
    session = hq.open_session()
    hq.set_token(session, "token")
    assert not hq.verify(session, "guess")
    assert not hq.verify(session, "token") and not session.mfa_complete


@pytest.mark.parametrize("token", ["", "  ", None, 7, b"token"])
def test_hq_takes_no_token_that_is_none(hq: Any, token: Any) -> None:
    session = hq.open_session()
    with pytest.raises(ValueError, match="HQ takes a token"):
        hq.set_token(session, token)
    assert session.tokens == []


def test_mfa_info_has_the_attributes_of_one_workflow(hq: Any) -> None:
    with pytest.raises(ValueError, match="mfa_info has no login_name"):
        hq.open_session(mfa_info={"login_name": "ada"})
    with pytest.raises(ValueError, match="not of both"):
        hq.open_session(mfa_info={"transaction_ids": [1], "audit_action_id": 2})


# ---- memcached -----------------------------------------------------------------------------------


@pytest.fixture
def memcache() -> Any:
    from q2_sdk._platform import Memcache

    return Memcache(Clock())


def test_a_session_sees_its_own_values_for_as_long_as_it_said(memcache: Any) -> None:
    mine, other = memcache.client("mine"), memcache.client("other")
    mine.set("key", {"a": [1, "b", None]}, 60)
    assert mine.get("key") == {"a": [1, "b", None]}
    assert other.get("key", "nothing") == "nothing"
    memcache.clock.now += 60
    assert mine.get("key", "nothing") == "nothing"


@pytest.mark.parametrize("value", [{1: "a"}, (1, 2), {1, 2}, b"bytes", object(), math.nan, math.inf])
def test_the_cache_keeps_json_only(memcache: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        memcache.client("mine").set("key", value, 60)
    assert memcache.items == {}


@pytest.mark.parametrize("seconds", [0, -1, 2_592_001, 1.5, None])
def test_the_cache_wants_a_time_to_live(memcache: Any, seconds: Any) -> None:
    with pytest.raises(ValueError, match="time to live"):
        memcache.client("mine").set("key", 1, seconds)


@pytest.mark.parametrize("key", ["", "two words", "line\n", "ü", "x" * 251, 7])
def test_the_cache_takes_memcacheds_keys(memcache: Any, key: Any) -> None:
    with pytest.raises(ValueError, match="keys of 1 to 250"):
        memcache.client("mine").set(key, 1, 60)


def test_the_cache_takes_a_megabyte(memcache: Any) -> None:
    memcache.client("mine").set("key", "x" * 1_000_000, 60)
    with pytest.raises(ValueError, match="1 MiB"):
        memcache.client("mine").set("key", "x" * 1_100_000, 60)


# ---- outbound requests ---------------------------------------------------------------------------


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and what was asked of it; /there sends on to `localhost`, another name of it."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            moved = self.path == "/there"
            self.send_response(302 if moved else 200)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/here")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


@pytest.fixture
def whitelist(monkeypatch: pytest.MonkeyPatch) -> Any:
    from q2_sdk.core import default_settings

    monkeypatch.setattr(default_settings, "OUTBOUND_WHITELIST", [])
    return default_settings.OUTBOUND_WHITELIST


def fetch(url: str, **options: Any) -> Any:
    from q2_sdk.core import q2_requests

    return asyncio.run(q2_requests.get(LOGGER, url, **options))


def test_a_host_that_is_not_listed_is_not_asked(upstream: tuple[str, list[str]], whitelist: Any) -> None:
    from q2_sdk._platform import OutboundBlocked

    url, asked = upstream
    with pytest.raises(OutboundBlocked, match=r"127\.0\.0\.1"):
        fetch(url)
    assert asked == []
    whitelist.append("127.0.0.1")
    assert fetch(url).json() == {} and asked == ["/"]


def test_a_redirect_to_a_host_that_is_not_listed_is_not_followed(
    upstream: tuple[str, list[str]], whitelist: Any
) -> None:
    from q2_sdk._platform import OutboundBlocked

    url, asked = upstream
    whitelist.append("127.0.0.1")
    with pytest.raises(OutboundBlocked, match="localhost"):
        fetch(f"{url}/there")
    assert asked == ["/there"]
    assert fetch(f"{url}/there", allow_redirects=False).status_code == 302


def test_the_logger_comes_first(upstream: tuple[str, list[str]]) -> None:
    from q2_sdk.core import q2_requests

    with pytest.raises(TypeError, match="logger first"):
        asyncio.run(q2_requests.get(upstream[0], LOGGER))


# ---- HQ's API ------------------------------------------------------------------------------------


def test_wedge_online_banking_needs_an_authenticated_session() -> None:
    from q2_sdk._platform import platform
    from q2_sdk.hq.hq_api.q2_api import DisclaimerFormMarkAsAccepted
    from q2_sdk.hq.hq_api.wedge_online_banking import AcceptDisclaimer

    for credentials in (None, platform.hq.open_session(authenticated=False)):
        params = AcceptDisclaimer.ParamsObj(LOGGER, hq_credentials=credentials, disclaimer_data_id=1)
        with pytest.raises(PermissionError, match="authenticated session"):
            asyncio.run(AcceptDisclaimer.execute(params))
    assert platform.hq.calls == []
    authenticated = platform.hq.open_session(authenticated=True)
    params = AcceptDisclaimer.ParamsObj(LOGGER, hq_credentials=authenticated, disclaimer_data_id=1)
    asyncio.run(AcceptDisclaimer.execute(params))
    other = DisclaimerFormMarkAsAccepted.ParamsObj(LOGGER, user_id=22, disclaimer_form_data_id=1)
    asyncio.run(DisclaimerFormMarkAsAccepted.execute(other))
    assert [call[1] for call in platform.hq.calls] == ["AcceptDisclaimer", "DisclaimerFormMarkAsAccepted"]
    # The seed's slip: the other call's parameters.
    with pytest.raises(TypeError, match="its own ParamsObj"):
        asyncio.run(AcceptDisclaimer.execute(other))


@pytest.mark.parametrize("authenticated", [True, False])
def test_documented_sample_calls_hq_in_either_state(authenticated: bool) -> None:
    from q2_sdk._platform import platform

    sample = re.search(r"```python\n(.*?)```", PRE_AUTHENTICATION.read_text("utf-8"), re.DOTALL)
    assert sample
    names: dict[str, Any] = {}
    exec(compile(sample[1], PRE_AUTHENTICATION.name, "exec"), names)  # noqa: S102 - our own document
    session = platform.hq.open_session(authenticated=authenticated)
    handler = SimpleNamespace(
        logger=LOGGER, is_authenticated=authenticated, hq_credentials=session if authenticated else None
    )
    before = len(platform.hq.calls)
    asyncio.run(names["disclaimer_example_method"](handler))
    expected = "AcceptDisclaimer" if authenticated else "DisclaimerFormMarkAsAccepted"
    assert [call[1] for call in platform.hq.calls[before:]] == [expected]


# ---- starting ------------------------------------------------------------------------------------


def serve(workspace: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXTENSION_SERVER, str(workspace), "Foo"],
        capture_output=True,
        text=True,
        env={"PATH": "", **environment},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["ISSUER", "CLIENT_SECRET", "MAX_AGE", "IDENTITY_CLAIM"])
def test_a_missing_required_configuration_stops_the_server(name: str, workspace: Path) -> None:
    settings = workspace / "configuration" / "settings.py"
    settings.write_text("from q2_sdk.core.default_settings import *\nINSTALLED_EXTENSIONS = []\n")
    assert q2mfa("create", "Foo", "--mfa", "redirect", "--no-input", cwd=workspace).status == 0
    configuration = workspace / "configuration" / "Foo.py"
    lines = configuration.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{name} =")]
    assert len(kept) == len(lines) - 1
    configuration.write_text("".join(kept).replace("ISSUER.split", "''.split"))
    done = serve(workspace)
    assert done.returncode == 1
    assert f"The server does not start: configuration/Foo.py lacks required {name}" in done.stderr


def test_the_stand_in_never_takes_the_place_of_a_real_sdk(workspace: Path, tmp_path: Path) -> None:
    assert q2mfa("create", "Foo", "--no-input", "--no-register", cwd=workspace).status == 0
    real = tmp_path / "site" / "q2_sdk"
    real.mkdir(parents=True)
    (real / "__init__.py").write_text("raise ImportError('the real one')\n")
    done = serve(workspace, PYTHONPATH=str(real.parent))
    assert done.returncode == 1 and "The Q2 SDK is installed here" in done.stderr
    tested = q2mfa("test", "Foo", cwd=workspace, env={"PYTHONPATH": str(real.parent)})
    assert tested.status == 1
    assert "the real one" in tested.err and "stand-in" not in tested.err
