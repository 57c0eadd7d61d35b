"""Sessions, processes and transactions that a proof belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from q2mfa_cli.platform.verify.check import NotApplicable, Problem
from q2mfa_cli.platform.verify.customers.customer import Deviation
from q2mfa_cli.platform.verify.customers.passcode import MessageCustomer, PasscodeCustomer
from q2mfa_cli.platform.verify.customers.scripted import ScriptedCustomer
from q2mfa_cli.platform.verify.dynamic.bench import Bench, location_of_class
from q2mfa_cli.platform.verify.dynamic.proofs import ask

OTHER_TRANSACTIONS = [9001]


async def no_session(bench: Bench) -> Iterable[Problem]:
    uux, extension = bench.preview.uux, bench.preview.extension
    routes = await bench.routes()
    customer = bench.customer()
    problems = []
    for pattern in extension.url_patterns:
        for address in _addresses(pattern, extension.name, routes):
            for method in ("GET", "POST"):
                request = HTTPRequest(
                    f"{uux.extension_origin}{address}",
                    method,
                    headers={"Content-Type": "application/json", "Origin": uux.extension_origin},
                    body="{}" if method == "POST" else None,
                    follow_redirects=False,
                )
                answer = await AsyncHTTPClient().fetch(request, raise_error=False)
                if answer.code < 400:
                    message = f"{method} {address} is answered without a session."
                    location = location_of_class(extension.workspace, pattern.handler_class)
                    problems.append(bench.problem_at(message, customer, location))
    return problems


def _addresses(pattern: Any, name: str, routes: Iterable[str]) -> list[str]:
    """Return the paths that Tornado's *pattern* serves, as far as q2mfa can derive them."""
    regex = pattern.regex.pattern.removesuffix("$")
    plain = [regex] if re.fullmatch(r"/[\w/.-]*", regex) else []
    candidates = [*plain, f"/{name}", *(f"/{name}/{route}" for route in routes)]
    return [address for address in dict.fromkeys(candidates) if pattern.regex.match(address)]


async def cross_session(bench: Bench) -> Iterable[Problem]:
    problems = []
    customer = bench.customer()
    mine, other = await customer.open_challenge(), await customer.open_challenge()
    await ask(customer, other, await customer.proof(mine))
    if other.session.tokens:
        problems.append(
            bench.problem("The proof of one customer gets a token in another's session.", customer)
        )
    elif isinstance(customer, MessageCustomer) or _is_own_without_authenticator(customer):
        customer = bench.customer()
        mine = await customer.open_challenge()
        other = await customer.open_challenge(**mine.session.mfa_info)
        await ask(customer, other, await customer.proof(mine))
        if other.session.tokens:
            message = "The proof of one session gets a token in another session of the same customer."
            problems.append(bench.problem(message, customer))
    return problems


def _is_own_without_authenticator(customer: Any) -> bool:
    """Return whether a proof belongs to one session. An authenticator app's code does not."""
    return isinstance(customer, ScriptedCustomer) and not customer.has_authenticator


async def process_state(bench: Bench) -> Iterable[Problem]:
    problems = []
    customer = bench.customer()
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    bench.reload()
    try:
        await customer.get_token(challenge, proof)
    except Deviation:
        message = "The right user is refused if another process answers the last request."
        return [bench.problem(message, customer)]
    bench.reload()
    before = len(challenge.session.tokens)
    await ask(customer, challenge, proof)
    if len(challenge.session.tokens) > before:
        problems.append(bench.problem("Another process accepts a used proof.", customer))
    return problems


async def txn_bound(bench: Bench) -> Iterable[Problem]:
    customer = bench.customer()
    if isinstance(customer, PasscodeCustomer):
        raise NotApplicable("A code of an authenticator app cannot be bound to a transaction.")
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    if isinstance(customer, ScriptedCustomer) and customer.has_authenticator:
        raise NotApplicable("A code of an authenticator app cannot be bound to a transaction.")
    challenge.session.mfa_info["transaction_ids"] = OTHER_TRANSACTIONS
    await ask(customer, challenge, proof)
    if challenge.session.tokens:
        return [
            bench.problem("A flow that was started for some transactions approves another one.", customer)
        ]
    return []
