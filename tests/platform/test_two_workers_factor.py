"""The standard integration in two worker processes on one memcached: attempts and used codes count per customer."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import memcached
import pyotp
import pytest
import requests
from command import q2mfa
from extension_server import EXTENSION_SERVER
from preview_process import make_workspace

from q2mfa_cli.platform.readings import ENVIRONMENT_VARIABLE

pytestmark = pytest.mark.slow

AT_ONCE = 20


class Customer:
    """A customer with an authenticator app, whose sessions are known to both workers."""

    def __init__(self, workers: Workers) -> None:
        self.workers, self.secret = workers, pyotp.random_base32()
        workers.secrets.append(self.secret)

    def session(self) -> str:
        """Log in: at the first worker, and with the same session at the second one."""
        mfa_info = {"mfa_info": {"registration_value": self.secret}}
        first = self.workers.post(0, "/_hq/sessions", mfa_info).json()["session"]
        answer = self.workers.post(1, "/_hq/sessions", {"id": first, **mfa_info})
        assert answer.json()["session"] == first
        return str(first)

    def code(self) -> str:
        """A code that stays valid for at least this test: that of the next step."""
        code = pyotp.TOTP(self.secret).at(int(time.time()) + 30)
        self.workers.secrets.append(code)
        return code

    def wrong_code(self) -> str:
        right = {pyotp.TOTP(self.secret).at(int(time.time()) + 30 * step) for step in range(-10, 11)}
        return next(code for code in map("{:06}".format, range(100)) if code not in right)


class Workers:
    """:ivar secrets: what must be in no log line and no cache key."""

    def __init__(self, urls: list[str]) -> None:
        self.urls = urls
        self.secrets: list[str] = []

    def post(self, worker: int, path: str, body: Any, session: str = "") -> requests.Response:
        return requests.post(
            self.urls[worker] + path, json=body, headers={"X-Q2-Session": session}, timeout=60
        )

    def get(self, worker: int, path: str) -> Any:
        return requests.get(self.urls[worker] + path, timeout=60).json()

    def submit_at_once(self, tries: list[tuple[str, str]]) -> Counter[str]:
        """Send all codes at once, by turns to the two workers.

        :param tries: session and code. :returns: the outcomes; those with a token are "token".
        """

        def submit(number: int) -> str:
            session, code = tries[number]
            answer = self.post(number % 2, "/Foo/submit", {"passcode": code}, session)
            if answer.ok:
                self.secrets.append(answer.json()["data"]["token"])
                return "token"
            assert answer.status_code == 400, answer.text
            return str(answer.json()["error"])

        with ThreadPoolExecutor(len(tries)) as pool:
            return Counter(pool.map(submit, range(len(tries))))

    def tokens(self, sessions: list[str]) -> int:
        """How many tokens HQ has for these sessions."""
        return sum(
            len(self.get(worker, f"/_hq/sessions/{session}")["tokens"])
            for session in set(sessions)
            for worker in (0, 1)
        )


@pytest.fixture(scope="module", params=["raw", "prefixed"])
def workers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    """Two workers, by each reading of what the inherited methods of a cache do with keys and values."""
    workspace = make_workspace(tmp_path_factory.mktemp("workers"))
    run = q2mfa("create", "Foo", "--rendering", "csr", "--no-input", cwd=workspace)
    assert run.status == 0, run
    environment = {ENVIRONMENT_VARIABLE: json.dumps({"cache_inherited": request.param})}
    with memcached.running() as (_, port), contextlib.ExitStack() as stack:
        urls = [stack.enter_context(serving(workspace, port, environment)) for _ in range(2)]
        yield Workers(urls)


@contextlib.contextmanager
def serving(workspace: Path, port: int, environment: dict[str, str]) -> Iterator[str]:
    command = [sys.executable, EXTENSION_SERVER, str(workspace), "Foo", "--memcached", str(port)]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    assert child.stdout is not None
    try:
        yield json.loads(child.stdout.readline())["url"]
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


def test_right_code_many_times_at_once_gives_one_token(workers: Workers) -> None:
    customer = Customer(workers)
    session = customer.session()
    outcomes = workers.submit_at_once([(session, customer.code())] * AT_ONCE)
    assert outcomes.total() == AT_ONCE and outcomes["token"] == 1
    assert outcomes.keys() <= {"token", "used_passcode", "locked"}
    assert workers.tokens([session]) == 1


def test_right_code_in_many_sessions_at_once_gives_one_token(workers: Workers) -> None:
    customer = Customer(workers)
    sessions = [customer.session() for _ in range(AT_ONCE)]
    code = customer.code()
    outcomes = workers.submit_at_once([(session, code) for session in sessions])
    assert outcomes["token"] == 1
    assert workers.tokens(sessions) == 1


def test_code_used_in_one_session_is_refused_in_another(workers: Workers) -> None:
    customer = Customer(workers)
    first, second = customer.session(), customer.session()
    code = customer.code()
    assert workers.submit_at_once([(first, code)]) == {"token": 1}
    assert workers.post(1, "/Foo/submit", {"passcode": code}, second).json()["error"] == "used_passcode"
    assert workers.tokens([first, second]) == 1


def test_five_wrong_codes_at_once_lock_the_customer_and_no_other(workers: Workers) -> None:
    customer, other = Customer(workers), Customer(workers)
    sessions = [customer.session() for _ in range(AT_ONCE)]
    wrong = customer.wrong_code()
    outcomes = workers.submit_at_once([(session, wrong) for session in sessions])
    assert outcomes == {"wrong_passcode": 5, "locked": AT_ONCE - 5}
    assert workers.submit_at_once([(session, customer.code()) for session in sessions[:2]]) == {"locked": 2}
    assert workers.tokens(sessions) == 0
    assert workers.submit_at_once([(other.session(), other.code())]) == {"token": 1}


def test_log_and_cache_keys_hold_no_secret(workers: Workers) -> None:
    customer = Customer(workers)
    workers.submit_at_once(
        [(customer.session(), customer.code()), (customer.session(), customer.wrong_code())]
    )
    for worker in (0, 1):
        keys = workers.get(worker, "/_hq/cache_keys")["keys"]
        lines = workers.get(worker, "/_hq/log")["lines"]
        assert keys and any("External MFA" in line for line in lines)
        text = "\n".join([*keys, *lines])
        assert [secret for secret in workers.secrets if secret in text] == []
