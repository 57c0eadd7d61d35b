"""The fake SDK: its caches, HQ's API, and what stops a server from starting."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command import q2mfa, q2mfa_process
from extension_server import EXTENSION_SERVER
from tornado.web import Application

LOGGER = logging.getLogger(__name__)
PRE_AUTHENTICATION = Path(__file__).parents[2] / "docs" / "how-to" / "pre-authentication.md"


pytestmark = pytest.mark.usefixtures("fake_sdk")


def test_run_async_runs_blocking_code_in_a_thread_of_the_same_request() -> None:
    from q2_sdk.context import current
    from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler
    from q2_sdk.tools.testing.models import RequestMock

    def blocking(one: int, *, two: int) -> tuple[int, bool, object]:
        return one + two, threading.current_thread() is threading.main_thread(), current()

    async def run() -> None:
        handler = Q2TectonClientRequestHandler(Application(), RequestMock())
        assert await handler.run_async(blocking, 1, two=2) == (3, False, current())

    asyncio.run(run())


# ---- caches --------------------------------------------------------------------------------------


def test_session_cache_is_private_and_other_caches_are_shared() -> None:
    from q2_sdk.core.cache import Q2CacheClient
    from q2_sdk.core.http_handlers.tecton_client_handler import Q2TectonClientRequestHandler
    from q2_sdk.tools.testing.mock_handler_mixin import MockHandlerMixin
    from q2_sdk.tools.testing.models import RequestMock

    class Handler(Q2TectonClientRequestHandler, MockHandlerMixin):
        def __init__(self) -> None:
            super().__init__(Application(), RequestMock())
            self.mock_online_session()

    class OtherHandler(Handler):
        CONFIG_FILE_NAME = "Other"

    one, other = Handler(), OtherHandler()
    assert isinstance(one.cache, Q2CacheClient)
    for name, in_one in [("session_cache", 1), ("cache", 2), ("service_cache", 3)]:
        getattr(one, name).set("key", in_one)
    one.get_cache(prefix="own_").set("key", 4)
    assert other.session_cache.get("key") is None
    assert one.session_cache.get("key") == 1
    assert (other.cache.get("key"), other.stack_cache.get("key")) == (2, 2)
    assert other.service_cache.get("key") == 3
    assert other.get_cache(prefix="own_").get("key") == 4
    session = one._session
    assert session is not None
    assert not [key for key in one.cache.recent_keys if session.id in key]


def test_clean_environment_empties_the_cache() -> None:
    from q2_sdk.context import current
    from q2_sdk.tools.testing.clean_environment import clean

    cache = current().platform.cache
    cache.set("key", 1, noreply=False)
    clean()
    assert cache.get("key") is None


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


@pytest.mark.parametrize("authenticated", [True, False])
def test_documented_sample_calls_hq_before_and_after_authentication(authenticated: bool) -> None:
    from q2_sdk.context import current

    platform = current().platform
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
    assert [call.endpoint for call in platform.hq.calls[before:]] == [expected]


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
def test_fake_sdk_does_not_replace_the_installed_sdk(workspace: Path, tmp_path: Path) -> None:
    assert q2mfa("create", "Foo", "--no-input", "--no-register", cwd=workspace).status == 0
    real = tmp_path / "site" / "q2_sdk"
    real.mkdir(parents=True)
    (real / "__init__.py").write_text("raise ImportError('the real one')\n")
    done = serve(workspace, PYTHONPATH=str(real.parent))
    assert done.returncode == 1 and "The Q2 SDK is installed here" in done.stderr
    tested = q2mfa_process("test", "Foo", cwd=workspace, env={"PYTHONPATH": str(real.parent)})
    assert tested.status == 1
    assert "the real one" in tested.err and "q2mfa's fake of it" not in tested.err
