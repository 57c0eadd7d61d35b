"""Faults around the extension, and missing configuration."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import Any

from q2mfa_cli.platform.verify.check import Location, NotApplicable, Problem, Severity
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.customers.login import LoginCustomer
from q2mfa_cli.platform.verify.dynamic.bench import Bench, location_in
from q2mfa_cli.platform.verify.dynamic.proofs import ask, empty_bodies, right_fields

MAX_FAULTS = 6  # uses of the cache in one request that are made to fail, one by one


async def fail_open(bench: Bench) -> Iterable[Problem]:
    uses = await _uses_of_the_cache(bench)
    problems: dict[str, Problem] = {}

    def add(message: str, customer: Customer, severity: Severity | None = None) -> None:
        problems.setdefault(message, bench.problem(message, customer, severity=severity))

    for working in range(min(uses, MAX_FAULTS)):
        customer = bench.customer()
        with contextlib.suppress(Deviation, NotTried):
            challenge = await customer.open_challenge()
            proof = await customer.wrong_proof(challenge)
            with bench.failing_cache(working):
                await ask(customer, challenge, proof)
            if challenge.session.tokens:
                add("A wrong proof gets a token when the cache fails.", customer)
        customer = bench.customer()
        challenge = await customer.open_challenge()
        with bench.failing_cache(working):
            await ask(customer, challenge, {})
        if challenge.session.tokens:
            add("A request without proof gets a token when the cache fails.", customer)
        customer = bench.customer()
        challenge = await customer.open_challenge()
        proof = await customer.proof(challenge)
        with bench.failing_cache(working):
            await ask(customer, challenge, proof)
        if challenge.session.tokens and not working:
            message = "MFA is granted while the cache is down, and with it what protects against guessing and reuse."
            add(message, customer, Severity.HIGH)
        elif challenge.session.tokens:
            await ask(customer, challenge, proof)
            if len(challenge.session.tokens) > 1:
                add("A proof gets a second token after the cache failed.", customer)
    if isinstance(bench.customer(), LoginCustomer):
        customer = bench.customer()
        challenge = await customer.open_challenge()
        proof = await customer.proof(challenge)
        challenge.provider_switches = {"down"}
        await ask(customer, challenge, proof)
        if challenge.session.tokens:
            add("A token is set while the provider is down.", customer)
    if not uses and not isinstance(bench.customer(), LoginCustomer):
        raise NotApplicable("The route that takes the proof uses neither a cache nor a provider.")
    return problems.values()


async def _uses_of_the_cache(bench: Bench) -> int:
    """Return the number of cache operations in the last request of a right proof."""
    customer = bench.customer()
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    with bench.failing_cache(after=1_000_000) as pool:
        await ask(customer, challenge, proof)
    return pool.used


async def config_fail_open(bench: Bench) -> Iterable[Problem]:
    blanks = {
        name: type(value)()
        for name, value in vars(bench.preview.extension.configuration).items()
        if name.isupper()
        and name != "FEATURE"
        and isinstance(value, str | int | list | tuple | dict)
        and value
    }
    if not blanks:
        raise NotApplicable("The configuration has no values.")
    fields = await right_fields(bench.customer())
    problems = []
    for name, blank in blanks.items():
        with bench.configured({name: blank}):
            customer = await _passing_customer(bench, fields)
        if customer is not None:
            message = f"{name} is empty, and a customer without a proof gets a token."
            location = _assignment(bench, name)
            problems.append(bench.problem_at(message, customer, location))
    return problems


async def _passing_customer(bench: Bench, fields: Iterable[str]) -> Customer | None:
    """Return a customer who gets a token without a right proof; None if there is none."""
    bodies: list[dict[str, Any] | None] = [None, *(body for _, body in empty_bodies(fields))]
    for body in bodies:
        customer: Customer = bench.customer()
        with contextlib.suppress(Deviation, NotTried):
            challenge = await customer.open_challenge()
            proof = await customer.wrong_proof(challenge) if body is None else body
            customer.route = customer.route or bench.known.route
            await ask(customer, challenge, proof)
            if challenge.session.tokens:
                return customer
    return None


def _assignment(bench: Bench, name: str) -> Location | None:
    """Return the line of the configuration that sets *name*."""
    extension = bench.preview.extension
    file = extension.workspace / "configuration" / f"{extension.name}.py"
    lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if re.match(rf"{re.escape(name)}\s*[:=]", line):
            return location_in(extension.workspace, file, number)
    return None
