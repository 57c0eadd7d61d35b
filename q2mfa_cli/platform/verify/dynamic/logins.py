"""Logins at a hostile identity provider, from which the redirect checks are built."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from q2mfa_cli.platform.preview import prove_script
from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.prove_script import ProveScriptError
from q2mfa_cli.platform.preview.providers import private_key_for
from q2mfa_cli.platform.verify.check import NotApplicable, Problem, Severity, Skipped
from q2mfa_cli.platform.verify.customers.customer import Deviation, NotTried
from q2mfa_cli.platform.verify.customers.login import LoginCustomer
from q2mfa_cli.platform.verify.customers.scripted import ScriptedCustomer
from q2mfa_cli.platform.verify.dynamic.bench import Bench, stable
from q2mfa_cli.platform.verify.hostile import HONEST, Client, HostileProvider, Lie, running
from q2mfa_cli.platform.verify.hostile.changes import Change, honest

CLIENT_ID = "q2mfa-verify"
# The same value for every claim and attribute, so that it is right whichever of them the extension compares.
PERSON = "jane.doe@bank.example"
ANOTHER_PERSON = "mallory@bank.example"
ATTRIBUTES = ("sso_identifier", "registration_value")

# Errors that a wrong response may cause in hand-written code. None of them sets a token.
REFUSALS: tuple[type[Exception], ...] = (
    Deviation,
    NotTried,
    OSError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)


@dataclass(frozen=True)
class Case:
    """A login that must not complete MFA.

    :param what: what the extension accepts, as the end of a sentence. :param lie: the provider's lie. :param back: changes the
        authorization response in the browser. :param mfa_info: HQ's attributes, if the customer is not the right person.
    :param fresh: whether the extension's cache is empty. :param severity: if it differs from the check's.
    """

    what: str
    lie: Lie = HONEST
    back: Change = honest
    mfa_info: Mapping[str, Any] | None = None
    fresh: bool = False
    severity: Severity | None = None


@dataclass(frozen=True)
class Login:
    """One login. :param refusal: why it failed; empty if HQ got a token. :param body: what the page sent as the proof."""

    customer: Any
    challenge: Challenge
    refusal: str
    body: dict[str, Any]

    @property
    def is_accepted(self) -> bool:
        """Whether HQ got a token. The extension's response does not count."""
        return bool(self.challenge.session.tokens)


class Logins:
    """The logins of one check at one provider.

    :ivar start_route: the route whose response sent the browser to the provider. :ivar leave: ends the use of the provider's
        configuration. Requests that have started keep it.
    """

    def __init__(
        self,
        bench: Bench,
        provider: HostileProvider,
        configuration: Mapping[str, Any],
        leave: Callable[[], None],
    ) -> None:
        self.bench, self.provider, self.configuration = bench, provider, configuration
        self.leave = leave
        self.start_route = ""

    async def log_in(self, case: Case | None = None) -> Login:
        """Log in as a new customer, with *case* as the defect."""
        case = case or Case("")
        if case.fresh:
            self.forget()
        self.provider.lie = case.lie
        customer, body, refusal = self.bench.customer(), {}, ""
        challenge = await self.open(customer, case.mfa_info)
        self.at_provider(customer, case.back)
        try:
            body = await customer.proof(challenge)
            await customer.get_token(challenge, body)
        except REFUSALS as error:
            refusal = stable(str(error))
        self.provider.lie = HONEST
        if case.fresh:
            self.forget()
        return Login(customer, challenge, refusal, body)

    async def open(self, customer: Any, mfa_info: Mapping[str, Any] | None = None) -> Challenge:
        known = dict.fromkeys(ATTRIBUTES, PERSON) if mfa_info is None else dict(mfa_info)
        missing = [name for name in ATTRIBUTES if name not in known]
        challenge: Challenge = await customer.open_challenge(without=missing, **known)
        return challenge

    def at_provider(self, customer: Any, back: Change = honest) -> None:
        """Make *customer*'s browser change the authorization response, and add the login to the sequence."""

        def bring_back(parameters: dict[str, Any]) -> dict[str, Any]:
            if customer.answers:
                self.start_route = customer.answers[-1][0]
            customer.challenges[-1].trace.add("page", "idp", "The customer logs in at the provider")
            given: dict[str, Any] = back(parameters)
            return given

        customer.user_agent.bring_back = bring_back

    async def accepted(self, *groups: Iterable[Case]) -> list[Problem]:
        """Return one problem for each of *groups* with a case that completes MFA. Its other cases have the same cause.

        :raises Skipped: the right user cannot log in after these tries, so the refusals prove nothing.
        """
        problems = []
        for group in groups:
            for case in group:
                login = await self.log_in(case)
                if login.is_accepted:
                    message = f"The extension accepts {case.what}."
                    problems.append(self.bench.problem(message, login.customer, severity=case.severity))
                    break
        if not problems:
            await self.expect_honest_login("after these tries")
        return problems

    async def expect_honest_login(self, when: str) -> Login:
        """:raises Skipped: the right user cannot log in."""
        login = await self.log_in()
        if not login.is_accepted:
            raise Skipped(f"The right user cannot log in at q2mfa's own provider {when}: {login.refusal}.")
        return login

    def forget(self) -> None:
        """Clear what the extension knows about the provider, as if it had just started."""
        self.bench.platform.cache.flush_all(noreply=False)
        self.bench.reload()

    @contextlib.contextmanager
    def configured(self, **values: Any) -> Iterator[None]:
        """Change settings of a generated extension, in this provider's configuration."""
        with self.bench.configured({**self.configuration, **values}):
            yield

    def has_setting(self, name: str) -> bool:
        """Return whether the extension has the setting *name*, as generated extensions do."""
        return hasattr(self.bench.preview.extension.configuration, name)


@contextlib.asynccontextmanager
async def logins(bench: Bench) -> AsyncIterator[Logins]:
    """Configure the extension with a hostile provider, and log in honestly once.

    :raises NotApplicable: the extension does not use an identity provider.
    :raises Skipped: it cannot be configured with another provider, or the right user cannot log in there.
    """
    configure = _configuring(bench)
    key = private_key_for(bench.preview.extension)
    secret = json.dumps(key.as_dict(private=True)) if key else secrets.token_urlsafe(32)
    client = Client(CLIENT_ID, secret, is_checked=False)
    bench.platform.allowed_hosts.add("127.0.0.1")
    with running(client) as providers:
        provider = providers.new()
        provider.user = provider.email = PERSON
        provider.more_claims = {"preferred_username": PERSON, "upn": PERSON}
        configuration = configure(provider)
        with contextlib.ExitStack() as stack:
            stack.enter_context(bench.configured(configuration))
            made = Logins(bench, provider, configuration, stack.close)
            login = await made.log_in()
            if not login.is_accepted:  # FAPI 2.0 does not allow the provider's first algorithm
                provider.change_keys(replace(provider.key, kid="second", alg="PS256"))
                made.forget()
                login = await made.log_in()
            if not login.is_accepted:
                raise Skipped(f"The right user cannot log in at q2mfa's own provider: {login.refusal}.")
            yield made


def _configuring(bench: Bench) -> Callable[[HostileProvider], dict[str, Any]]:
    """Return a function that returns the extension's configuration for a provider.

    :raises NotApplicable: see :func:`logins`. :raises Skipped: see :func:`logins`.
    """
    extension = bench.preview.extension
    if bench.customer_class is ScriptedCustomer and prove_script.redirects(extension):

        def own_configuration(provider: HostileProvider) -> dict[str, Any]:
            client, metadata = provider.client, provider.metadata()
            settings = prove_script.settings_of(metadata, client.id, client.secret)
            try:
                return prove_script.configuration_of(extension, settings)
            except ProveScriptError as error:
                raise Skipped(f"{error}.") from error

        return own_configuration
    has_issuer = hasattr(extension.configuration, "ISSUER")
    if bench.customer_class is not LoginCustomer and not has_issuer:
        raise NotApplicable("The extension does not use an identity provider.")
    # Read the file's own method. The embedded provider replaced it, unless it is private_key_jwt.
    module = sys.modules.get(f"configuration.{extension.name}")
    method = getattr(module, "CLIENT_AUTH_METHOD", "")
    return lambda provider: {
        "ISSUER": provider.issuer,
        "CLIENT_ID": provider.client.id,
        "CLIENT_SECRET": provider.client.secret,
        "CLIENT_AUTH_METHOD": method,
    }
