"""The fake SDK and its cache are as strict as the platform."""

from __future__ import annotations

import asyncio
import http.server
import logging
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import q2mfa, q2mfa_process
from extension_server import EXTENSION_SERVER

from q2mfa_cli.commands.test import FAKE_SDK
from q2mfa_cli.platform.cache import Memcached

LOGGER = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def fake_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fake SDK, importable and new for each test."""
    monkeypatch.syspath_prepend(str(FAKE_SDK))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "q2_sdk"]:
        del sys.modules[name]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


# ---- memcached -----------------------------------------------------------------------------------


@pytest.fixture
def memcached() -> Any:
    return Memcached(Clock())


def test_cache_keeps_value_under_its_prefix_until_it_expires(memcached: Any) -> None:
    mine, other = memcached.client("mine"), memcached.client("other")
    mine.set("key", {"a": [1, "b", None]}, 60)
    assert mine.get("key") == {"a": [1, "b", None]}
    assert other.get("key", "nothing") == "nothing"
    memcached.clock.now += 60
    assert mine.get("key", "nothing") == "nothing"


@pytest.mark.parametrize("value", [{1: "a"}, (1, 2), {1, 2}, b"bytes", object(), math.nan, math.inf])
def test_cache_refuses_value_that_is_not_json(memcached: Any, value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        memcached.client("mine").set("key", value, 60)
    assert memcached.items == {}


@pytest.mark.parametrize("seconds", [0, -1, 2_592_001, 1.5, None])
def test_cache_refuses_value_without_time_to_live(memcached: Any, seconds: Any) -> None:
    with pytest.raises(ValueError, match="time to live"):
        memcached.client("mine").set("key", 1, seconds)


@pytest.mark.parametrize("key", ["", "two words", "line\n", "ü", "x" * 251, 7])
def test_cache_refuses_key_that_memcached_refuses(memcached: Any, key: Any) -> None:
    with pytest.raises(ValueError, match="keys of 1 to 250"):
        memcached.client("mine").set(key, 1, 60)


def test_cache_refuses_value_above_1_mib(memcached: Any) -> None:
    memcached.client("mine").set("key", "x" * 1_000_000, 60)
    with pytest.raises(ValueError, match="1 MiB"):
        memcached.client("mine").set("key", "x" * 1_100_000, 60)


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


def test_request_to_unlisted_host_is_blocked(upstream: tuple[str, list[str]], whitelist: Any) -> None:
    from q2_sdk.core.q2_requests import OutboundBlocked

    url, asked = upstream
    with pytest.raises(OutboundBlocked, match=r"127\.0\.0\.1"):
        fetch(url)
    assert asked == []
    whitelist.append("127.0.0.1")
    assert fetch(url).json() == {} and asked == ["/"]


def test_redirect_to_unlisted_host_is_not_followed(upstream: tuple[str, list[str]], whitelist: Any) -> None:
    from q2_sdk.core.q2_requests import OutboundBlocked

    url, asked = upstream
    whitelist.append("127.0.0.1")
    with pytest.raises(OutboundBlocked, match="localhost"):
        fetch(f"{url}/there")
    assert asked == ["/there"]
    assert fetch(f"{url}/there", allow_redirects=False).status_code == 302


def test_request_without_logger_is_refused(upstream: tuple[str, list[str]]) -> None:
    from q2_sdk.core import q2_requests

    with pytest.raises(TypeError, match="logger first"):
        asyncio.run(q2_requests.get(upstream[0], LOGGER))


# ---- HQ's API ------------------------------------------------------------------------------------


def test_wedge_online_banking_without_authenticated_session_is_refused() -> None:
    from q2_sdk.context import current
    from q2_sdk.hq.hq_api.q2_api import DisclaimerFormMarkAsAccepted
    from q2_sdk.hq.hq_api.wedge_online_banking import AcceptDisclaimer

    platform = current().platform
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
    assert [call.endpoint for call in platform.hq.calls] == [
        "AcceptDisclaimer",
        "DisclaimerFormMarkAsAccepted",
    ]
    # The parameters of another call.
    with pytest.raises(TypeError, match="its own ParamsObj"):
        asyncio.run(AcceptDisclaimer.execute(other))


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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ISSUER", "CLIENT_SECRET", "MAX_AGE", "IDENTITY_CLAIM"])
def test_server_without_required_configuration_does_not_start(name: str, workspace: Path) -> None:
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


@pytest.mark.slow
def test_fake_sdk_does_not_replace_a_real_one(workspace: Path, tmp_path: Path) -> None:
    assert q2mfa("create", "Foo", "--no-input", "--no-register", cwd=workspace).status == 0
    real = tmp_path / "site" / "q2_sdk"
    real.mkdir(parents=True)
    (real / "__init__.py").write_text("raise ImportError('the real one')\n")
    done = serve(workspace, PYTHONPATH=str(real.parent))
    assert done.returncode == 1 and "The Q2 SDK is installed here" in done.stderr
    tested = q2mfa_process("test", "Foo", cwd=workspace, env={"PYTHONPATH": str(real.parent)})
    assert tested.status == 1
    assert "the real one" in tested.err and "stand-in" not in tested.err
