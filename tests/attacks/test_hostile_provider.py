"""Generated extensions against hostile providers, manipulated callbacks and wrong users."""

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
from providers import user_agent

from attacks.all_attacks import ATTACKS
from attacks.attack import Attack, Setting, right_user
from attacks.conforming_logins import CONFORMING_LOGINS
from attacks.endpoint_attacks import PRIVATE_KEY, SLOW
from attacks.served_extension import CLIENT, Answer, serving
from q2mfa_cli.platform.verify.hostile import ELSEWHERE, HONEST, HostileProviders, running
from q2mfa_cli.platform.verify.hostile.changes import honest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def providers() -> Iterator[HostileProviders]:
    with running(CLIENT) as providers:
        yield providers


@contextmanager
def make_setting(
    generated: Path, folder: Path, providers: HostileProviders, settings: Mapping[str, Any]
) -> Iterator[Setting]:
    """Serve an extension that has nothing of its provider in its cache."""
    provider, other_provider = providers.new(), providers.new()
    settings = {"ISSUER": provider.issuer, **settings}
    with serving(generated, folder / "workspace", "Csr", settings) as extension:
        yield Setting(extension, provider, other_provider)


SettingFor = Callable[[Attack], Setting]


@pytest.fixture(scope="module")
def setting_for(
    generated: Path, providers: HostileProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SettingFor]:
    """Serve an extension with the attack's settings, after one honest login."""
    with ExitStack() as stack:
        made: dict[str, Setting] = {}

        def get(attack: Attack) -> Setting:
            key = json.dumps(attack.settings)
            if key not in made:
                folder = tmp_path_factory.mktemp("setting_for")
                made[key] = stack.enter_context(make_setting(generated, folder, providers, attack.settings))
                assert honest_login(made[key], attack).status == 200
            return made[key]

        yield get


@dataclass(frozen=True)
class Outcome:
    """The result of an attack.

    :param answer: the last answer to the page. :param granted: the tokens that the page got.
    :param tokens: the tokens that HQ got. :param denials: the number of answers that denied.
    :param log: the log of the extension. :param asked: the server's requests to the provider.
    :param secrets: values that may not be in the log. :param afterwards: the answer to an honest login afterwards.
    """

    answer: Answer
    granted: list[str]
    tokens: list[str]
    denials: int
    log: list[str]
    asked: list[str]
    secrets: set[str]
    afterwards: Answer

    def leaked(self, answer: str = "") -> list[str]:
        """The secrets that stand in the log, or in the text of *answer*."""
        text = "\n".join([*self.log, answer])
        return [secret for secret in self.secrets if secret in text]


def honest_login(setting: Setting, attack: Attack) -> Answer:
    setting.provider.lie = HONEST
    login = setting.extension.login(**right_user(attack.settings))
    answer = login.finish(setting.log_in_at_provider(login))
    assert login.tokens == [answer.token]
    return answer


def run(setting: Setting, attack: Attack) -> Outcome:
    """Run *attack*, collect what HQ and the log have of it, then log in honestly."""
    extension, provider = setting.extension, setting.provider
    if attack.lie.keys is not honest:
        provider.change_keys()
    if attack.fresh:
        extension.empty_cache()
    provider.asked.clear()
    before, keys_before = len(extension.logins), len(extension.cache_keys)
    user = extension.login(**(right_user(attack.settings) if attack.user is None else attack.user))
    answer = attack.steps(setting, attack, user)
    asked = [request for request in provider.asked if request != "GET /authorize"]
    logins = extension.logins[before:]
    answers = [answer for login in logins for answer in login.answers]
    granted = [answer.token for answer in answers if answer.token]
    tokens = [token for login in logins for token in login.tokens]
    # The platform shows the keys of its cache to operators, so no secret may be in them either.
    log = [*user.log, *extension.cache_keys[keys_before:]]
    # The extension caches metadata and keys for an hour.
    if attack.kept:
        extension.empty_cache()
    if attack.lie.keys is not honest:
        provider.change_keys()
    afterwards = honest_login(setting, attack)
    if attack.fresh:
        # The next attacks need the honest metadata in the cache.
        extension.empty_cache()
        honest_login(setting, attack)
    return Outcome(
        answer=answer,
        granted=granted,
        tokens=tokens,
        denials=len([answer for answer in answers if answer.status != 200]),
        log=log,
        asked=asked,
        secrets=provider.secrets | setting.other_provider.secrets | set(granted) | {PRIVATE_KEY["d"]},
        afterwards=afterwards,
    )


def by_name(attack: Attack) -> str:
    return attack.name


def is_slow(attack: Attack) -> bool:
    return attack.name.endswith(SLOW)


@pytest.fixture(scope="module")
def outcomes_of_slow_attacks(
    generated: Path, providers: HostileProviders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Outcome]]]:
    """Run the slow attacks at once, each on its own extension: they wait for the timeout of oidc.py."""

    def run_separately(attack: Attack, folder: Path) -> Outcome:
        with make_setting(generated, folder, providers, attack.settings) as setting:
            if not attack.fresh:
                assert honest_login(setting, attack).status == 200
            return run(setting, attack)

    slow = [attack for attack in ATTACKS if is_slow(attack)]
    with ThreadPoolExecutor(len(slow)) as pool:
        yield {
            attack.name: pool.submit(run_separately, attack, tmp_path_factory.mktemp("slow"))
            for attack in slow
        }


@pytest.fixture
def outcome(attack: Attack, request: pytest.FixtureRequest) -> Outcome:
    if is_slow(attack):
        outcomes: Mapping[str, Future[Outcome]] = request.getfixturevalue("outcomes_of_slow_attacks")
        return outcomes[attack.name].result()
    setting_for: SettingFor = request.getfixturevalue("setting_for")
    return run(setting_for(attack), attack)


@pytest.mark.parametrize("attack", ATTACKS, ids=by_name)
def test_attack_is_denied(attack: Attack, outcome: Outcome) -> None:
    """The expected check denies it, HQ gets no token, the log has no secret, and an honest login still passes."""
    assert attack.denial
    answer, log = outcome.answer, outcome.log
    assert (answer.status, answer.code) == (400, attack.code or attack.denial.code)
    if attack.reason:
        assert answer.reason.startswith(attack.reason)
    else:
        assert attack.denial.matches(answer.reason)
    denials = [line for line in log if line.startswith("External MFA denied: ")]
    assert not [line for line in denials if "\n" in line], "the provider can write lines into the log"
    assert len(denials) == outcome.denials
    assert f"External MFA denied: {answer.code}: {answer.reason}" in denials
    assert log.count("External MFA: the identity provider confirmed the user") == len(outcome.granted)
    assert sorted(outcome.tokens) == sorted(outcome.granted)
    assert attack.asked in (None, outcome.asked) and ELSEWHERE not in outcome.asked
    assert outcome.leaked(str(answer.body)) == []
    assert outcome.afterwards.status == 200


@pytest.mark.parametrize("attack", CONFORMING_LOGINS, ids=by_name)
def test_conforming_login_passes(attack: Attack, outcome: Outcome) -> None:
    """HQ and the page get the same token, and the log has no secret."""
    assert outcome.answer.status == 200, outcome.answer
    assert sorted(outcome.tokens) == sorted(outcome.granted)
    assert outcome.answer.token in outcome.granted
    assert attack.asked in (None, outcome.asked) and ELSEWHERE not in outcome.asked
    assert outcome.leaked() == []


def test_hostile_provider_records_every_secret_of_a_login(setting_for: SettingFor) -> None:
    """Otherwise the search for secrets in the log would always succeed."""
    setting = setting_for(CONFORMING_LOGINS[0])
    setting.provider.secrets.clear()
    login = setting.extension.login(**right_user({}))
    callback = setting.log_in_at_provider(login)
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


@pytest.mark.node
def test_verify_script_reads_the_callback_as_the_user_agent_does(generated: Path) -> None:
    script = generated / "Csr" / "frontend" / "public" / "verify.js"
    done = subprocess.run(
        [node.program("node"), "-e", READ, str(script), *QUERIES], capture_output=True, text=True, check=True
    )
    expected = [{"callback": user_agent.callback(query), "addresses": ["/verify.html"]} for query in QUERIES]
    assert json.loads(done.stdout) == expected
