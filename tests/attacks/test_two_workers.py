"""A generated extension in two processes that share one memcached, as the platform's workers do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import memcached
import pytest
from pymemcache.client.base import Client

from attacks.attack import Setting, right_user
from attacks.served_extension import CLIENT, Login, serving
from q2mfa_cli.platform.verify.hostile import HONEST, Lie, running

pytestmark = pytest.mark.slow

USER = right_user({})


@dataclass(frozen=True)
class Workers:
    """Two workers of one extension, their provider, and a client of their memcached."""

    first: Setting
    second: Setting
    memcached: Any

    def begin(self) -> tuple[Login, Login, dict[str, str]]:
        """Start a login at the first worker. Returns its session at each worker, and the parameters of the callback."""
        at_first = self.first.extension.login(**USER)
        at_first.request_mfa(USER, self.second.extension)
        callback = self.first.log_in_at_provider(at_first)
        # pymemcache does not wait until `set` is done. A later `get` of the same worker does.
        self.first.extension.login(**USER).start()
        return at_first, Login(self.second.extension, at_first.session), callback

    def flow_key(self) -> str:
        """The key of the flow that the first worker set last but one: the last is that of the other login."""
        keys: list[str] = self.first.extension.get("/_hq/cache_keys")["keys"]
        return [key for key in keys if key.startswith("session:")][-2]


@pytest.fixture(scope="module")
def workers(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    with running(CLIENT) as providers, memcached.running() as address:
        provider, other_provider = providers.new(), providers.new()
        settings, arguments = {"ISSUER": provider.issuer}, ["--memcached", str(address[1])]
        with (
            serving(generated, folder / "first", "Csr", settings, arguments=arguments) as first,
            serving(generated, folder / "second", "Csr", settings, arguments=arguments) as second,
        ):
            at_first, at_second = (Setting(worker, provider, other_provider) for worker in (first, second))
            yield Workers(at_first, at_second, Client(address))


def test_login_started_at_one_worker_finishes_at_another(workers: Workers) -> None:
    """The workers have different addresses for their assets: the flow keeps the redirect URI that was sent."""
    workers.first.provider.lie = HONEST
    at_first, at_second, callback = workers.begin()
    answer = at_second.finish(callback)
    assert answer.status == 200, answer
    assert at_second.tokens == [answer.token]
    assert at_first.finish(callback).code == "expired"
    assert at_first.tokens == []


def test_flow_read_by_two_workers_gives_one_token(workers: Workers) -> None:
    """The second worker has read the flow before the first one deletes it. The provider takes a code twice."""
    workers.first.provider.lie = Lie(lax=True)
    at_first, at_second, callback = workers.begin()
    key = workers.flow_key()
    flow = workers.memcached.get(key)
    assert flow
    assert at_first.finish(callback).status == 200
    workers.memcached.set(key, flow, noreply=False)
    answer = at_second.finish(callback)
    assert (answer.status, answer.code) == (400, "expired")
    assert answer.reason == "the flow was answered before"
    assert at_second.tokens == [] and len(at_first.tokens) == 1
