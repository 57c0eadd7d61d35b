"""A generated extension against providers that lie, browsers that bring back what they should not, and strangers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import node
import pytest

from attacks import hostile, person
from attacks.case import Case, Setting, right_user
from attacks.cases import DENIED, PASSES, PRIVATE_KEY, SLOW
from attacks.hostile import ELSEWHERE, HONEST, HostileProviders, honest
from attacks.served import Answer, serving


@pytest.fixture(scope="module")
def providers() -> Iterator[HostileProviders]:
    with hostile.running() as providers:
        yield providers


@contextmanager
def make_setting(
    generated: Path, folder: Path, providers: HostileProviders, settings: Mapping[str, Any]
) -> Iterator[Setting]:
    """An extension that knows nothing yet of its provider."""
    provider, stranger = providers.new(), providers.new()
    settings = {"ISSUER": provider.issuer, **settings}
    with serving(generated, folder / "workspace", "Csr", settings) as extension:
        yield Setting(extension, provider, stranger)


SettingOf = Callable[[Case], Setting]


@pytest.fixture(scope="module")
def settled(
    generated: Path, providers: HostileProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SettingOf]:
    """The extension with a case's settings, which an honest login has passed."""
    with ExitStack() as stack:
        made: dict[str, Setting] = {}

        def get(case: Case) -> Setting:
            key = json.dumps(case.settings)
            if key not in made:
                folder = tmp_path_factory.mktemp("settled")
                made[key] = stack.enter_context(make_setting(generated, folder, providers, case.settings))
                assert honest_login(made[key], case).status == 200
            return made[key]

        yield get


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    :param answer: the last one. :param granted: the tokens that the page got. :param tokens: those that HQ got.
    :param denials: how many answers were one. :param log: what was logged. :param asked: of the provider, by the server.
    :param secrets: what may not be in the log. :param afterwards: what an honest login got, right after.
    """

    answer: Answer
    granted: list[str]
    tokens: list[str]
    denials: int
    log: list[str]
    asked: list[str]
    secrets: set[str]
    afterwards: Answer


def honest_login(setting: Setting, case: Case) -> Answer:
    setting.provider.lie = HONEST
    login = setting.extension.login(**right_user(case.settings))
    answer = login.finish(setting.leave(login))
    assert login.tokens == [answer.token]
    return answer


def run(setting: Setting, case: Case) -> Outcome:
    """Play *case*, and see what is left of it at HQ and in the log; then log in honestly."""
    extension, provider = setting.extension, setting.provider
    if case.lie.keys is not honest:
        provider.change_keys()
    provider.asked.clear()
    before = len(extension.logins)
    user = extension.login(**(right_user(case.settings) if case.user is None else case.user))
    answer = case.play(setting, case, user)
    asked = [request for request in provider.asked if request != "GET /authorize"]
    logins = extension.logins[before:]
    answers = [answer for login in logins for answer in login.answers]
    granted = [answer.token for answer in answers if answer.token]
    tokens = [token for login in logins for token in login.tokens]
    log = user.log
    # What it has learnt of the provider, endpoints and keys by their names, is kept for an hour.
    if case.kept:
        extension.restart()
    if case.lie.keys is not honest:
        provider.change_keys()
    return Outcome(
        answer=answer,
        granted=granted,
        tokens=tokens,
        denials=len([answer for answer in answers if answer.status != 200]),
        log=log,
        asked=asked,
        secrets=provider.secrets | setting.stranger.secrets | set(granted) | {PRIVATE_KEY["d"]},
        afterwards=honest_login(setting, case),
    )


def by_name(case: Case) -> str:
    return case.name


def is_slow(case: Case) -> bool:
    return case.name.endswith(SLOW)


@pytest.fixture(scope="module")
def played_alone(
    generated: Path, providers: HostileProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Outcome]]]:
    """The cases that need an extension of their own, at work while the slow ones wait for oidc.py's patience to end."""

    def play(case: Case, folder: Path) -> Outcome:
        with make_setting(generated, folder, providers, case.settings) as setting:
            if not case.fresh:
                assert honest_login(setting, case).status == 200
            return run(setting, case)

    alone = [case for case in [*DENIED, *PASSES] if case.fresh or is_slow(case)]
    alone.sort(key=is_slow, reverse=True)
    with ThreadPoolExecutor(2 + len([case for case in alone if is_slow(case)])) as pool:
        yield {case.name: pool.submit(play, case, tmp_path_factory.mktemp("alone")) for case in alone}


@pytest.fixture
def outcome(case: Case, request: pytest.FixtureRequest) -> Outcome:
    if case.fresh or is_slow(case):
        alone: Mapping[str, Future[Outcome]] = request.getfixturevalue("played_alone")
        return alone[case.name].result()
    settled: SettingOf = request.getfixturevalue("settled")
    return run(settled(case), case)


@pytest.mark.parametrize("case", DENIED, ids=by_name)
def test_denied(case: Case, outcome: Outcome) -> None:
    """By the line that is there for it, with nothing at HQ and no secret in the log; an honest login passes after."""
    assert case.check
    answer, log = outcome.answer, outcome.log
    assert (answer.status, answer.code) == (400, case.code or case.check.code)
    assert answer.reason.startswith(case.reason or case.check.reason)
    denials = [line for line in log if line.startswith("External MFA denied: ")]
    assert not [line for line in denials if "\n" in line], "somebody else writes our log"
    assert len(denials) == outcome.denials and f"External MFA denied: {answer.reason}" in denials
    assert log.count("External MFA: the identity provider confirmed the user") == len(outcome.granted)
    assert sorted(outcome.tokens) == sorted(outcome.granted)
    assert case.asked in (None, outcome.asked) and ELSEWHERE not in outcome.asked
    assert not [secret for secret in outcome.secrets if secret in f"{log} {answer.body}"]
    assert outcome.afterwards.status == 200


@pytest.mark.parametrize("case", PASSES, ids=by_name)
def test_passes(case: Case, outcome: Outcome) -> None:
    """What a conforming provider may do."""
    assert outcome.answer.status == 200, outcome.answer
    assert outcome.tokens == outcome.granted == [outcome.answer.token]
    assert case.asked in (None, outcome.asked) and ELSEWHERE not in outcome.asked
    assert not [secret for secret in outcome.secrets if secret in str(outcome.log)]


def test_what_the_provider_gave_out_is_known_to_the_tests(settled: SettingOf) -> None:
    """A log in which no secret is looked for has none."""
    setting = settled(PASSES[0])
    setting.provider.secrets.clear()
    login = setting.extension.login(**right_user({}))
    callback = setting.leave(login)
    assert login.finish(callback).status == 200
    secrets = setting.provider.secrets
    assert {callback["code"], callback["state"], *setting.provider.id_token.split(".")} <= secrets
    # And the nonce, the verifier, the access token, the reference to the request, and the client's credentials.
    assert len(secrets) == 10


QUERIES = [
    "",
    "code=a&state=b&iss=http%3A%2F%2F127.0.0.1%3A1",
    "code=a&code=b&state=c",
    "state=a&state=a&iss=x&iss=y&error=e&error=",
    "error=access_denied&error_description=no+more&state=%C3%BC%2B",
    "code=&state&iss=%F0%9F%99%82",
    "token=x&constructor=y&__proto__=z&code=a",
]
READ = """
const { readFileSync } = require("node:fs");
const { runInNewContext } = require("node:vm");
const [script, ...queries] = process.argv.slice(1);
const read = (query) => {
  const addresses = [];
  const page = {
    location: { search: query && `?${query}`, pathname: "/verify.html" },
    history: { replaceState: (state, title, address) => addresses.push(address) },
    URLSearchParams,
  };
  runInNewContext(readFileSync(script, "utf8"), page);
  return { callback: page.mfaCallback, addresses };
};
console.log(JSON.stringify(queries.map(read)));
"""


def test_the_page_reads_its_address_as_these_tests_do(generated: Path) -> None:
    script = generated / "Csr" / "frontend" / "public" / "verify.js"
    done = subprocess.run(
        [node.program("node"), "-e", READ, str(script), *QUERIES], capture_output=True, text=True, check=True
    )
    expected = [{"callback": person.callback(query), "addresses": ["/verify.html"]} for query in QUERIES]
    assert json.loads(done.stdout) == expected
