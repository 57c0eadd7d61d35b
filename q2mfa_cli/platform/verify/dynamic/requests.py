"""Requests, mfa_info, cache keys and the log."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.check import Problem, Severity
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.customers.login import LoginCustomer
from q2mfa_cli.platform.verify.customers.passcode import MessageCustomer, PasscodeCustomer
from q2mfa_cli.platform.verify.dynamic.bench import FAULT, Bench
from q2mfa_cli.platform.verify.dynamic.proofs import ask, empty_bodies, odd_bodies, right_fields

ABSENT = "absent"
MISSING: dict[str, Any] = {ABSENT: ABSENT, "None": None, "empty": ""}

CANARY = "q2mfa canary"
FORGED = "q2mfa-forged-line"

# Internals that an error must not reveal: a traceback, a file, an object, an exception.
INSIDE = re.compile(
    rf"Traceback|File \"|\b[\w/]+\.py\b|0x[0-9a-f]{{6,}}|\b[A-Z]\w+(?:Error|Exception)\b|{FAULT}|127\.0\.0\.1:\d"
)


async def missing_mfa_info(bench: Bench) -> Iterable[Problem]:
    problems = []
    names = {**bench.workflow.mfa_info, "registration_value": "", "sso_identifier": ""}
    for name in names:
        for label, value in MISSING.items():
            customer = bench.customer()
            with bench.crashes() as crashes:
                challenge = await _try_without(customer, name, value)
            if crashes:
                message = f"{crashes[0].kind} in a route if mfa_info.{name} is {label}."
                problems.append(bench.problem_at(message, customer, bench.location_of(crashes[0])))
            elif challenge is not None and challenge.session.tokens and name == _identity(bench, customer):
                problems.append(bench.problem(f"A token is set though mfa_info.{name} is {label}.", customer))
    return problems


async def _try_without(customer: Customer, name: str, value: Any) -> Challenge | None:
    """Prove with the attribute *name* replaced, or with another customer's proof if that is not possible.

    :returns: the challenge; None if there was no page.
    """
    challenge = None
    try:
        other = customer.__class__(customer.preview, customer.workflow)
        given = {} if value is ABSENT else {name: value}
        challenge = await customer.open_challenge(without=name if value is ABSENT else "", **given)
        try:
            proof = await customer.proof(challenge)
        except (Deviation, NotTried, KeyError, TypeError, ValueError, AttributeError):
            proof = await other.proof(await other.open_challenge())
        await ask(customer, challenge, proof)
    except (Deviation, NotTried):
        pass  # it refuses: that is right
    return challenge


def _identity(bench: Bench, customer: Customer) -> str:
    """Return the attribute that identifies the right user; empty if it is not known."""
    if isinstance(customer, PasscodeCustomer | MessageCustomer):
        return "registration_value"
    if isinstance(customer, LoginCustomer):
        return str(getattr(bench.preview.extension.configuration, "IDENTITY_ATTRIBUTE", "sso_identifier"))
    return ""


async def body_abuse(bench: Bench) -> Iterable[Problem]:
    problems: dict[str, Problem] = {}
    fields = await right_fields(bench.customer())
    proof_route = bench.known.route
    for route in await bench.routes():
        proofs = dict.fromkeys(fields, CANARY) if route != proof_route else None
        samples = odd_bodies(proofs or dict.fromkeys(fields, CANARY))
        for name, label, odd in samples:
            customer = bench.customer()
            with bench.crashes() as crashes:
                challenge = await customer.open_challenge()
                if route == proof_route and fields:
                    odd = {**await customer.proof(challenge), name: odd[name]}
                answer = await customer.request_extension_data(challenge, route, odd)
            if crashes or answer["status"] >= 500:
                what = crashes[0].kind if crashes else "An internal error"
                location = bench.location_of(crashes[0]) if crashes else None
                message = f'{what} in route "{route}" if "{name}" is {label}.'
                found = bench.problem_at(message, customer, location)
                problems.setdefault(f"{found.location.path}:{found.location.line}", found)
    return problems.values()


async def error_detail(bench: Bench) -> Iterable[Problem]:
    problems: dict[str, Problem] = {}
    fields = await right_fields(bench.customer())
    for label, customer in [
        *[each async for each in _refused(bench, fields)],
        *[each async for each in _with_faults(bench)],
    ]:
        for route, answer in customer.answers:
            told = json.dumps([answer["error"], answer["data"]], ensure_ascii=False)
            is_inside = INSIDE.search(told) or any(secret in told for secret in bench.secrets.values())
            if answer["status"] >= 400 and is_inside and route not in problems:
                message = f'Route "{route}" answers with what is inside, {label}.'
                problems[route] = bench.problem(message, customer, route)
    return problems.values()


async def _refused(bench: Bench, fields: Iterable[str]) -> Any:
    for route in await bench.routes():
        for label, body in empty_bodies(fields):
            customer = bench.customer()
            await customer.request_extension_data(await customer.open_challenge(), route, body)
            yield f"to {label}", customer


async def _with_faults(bench: Bench) -> Any:
    for route in await bench.routes():
        customer = bench.customer()
        challenge = await customer.open_challenge()
        proof = await _proof_or_nothing(customer, challenge)
        with bench.failing_cache():
            await customer.request_extension_data(challenge, route, proof)
        yield "with the cache down", customer
    customer = bench.customer()
    challenge = await customer.open_challenge()
    proof = await _proof_or_nothing(customer, challenge)
    challenge.session.switches = {"hq_down"}
    if customer.route:
        await ask(customer, challenge, proof)
    yield "with HQ down", customer


async def _proof_or_nothing(customer: Customer, challenge: Challenge) -> dict[str, Any]:
    try:
        return await customer.proof(challenge)
    except (Deviation, NotTried):
        return {}


async def cache_key(bench: Bench) -> Iterable[Problem]:
    problems: dict[str, Problem] = {}
    customer = bench.customer()
    with bench.cache_keys() as keys:
        challenge = await customer.open_challenge()
        proof = await customer.proof(challenge)
        said = {
            f"mfa_info.{name}": value
            for name, value in challenge.session.mfa_info.items()
            if isinstance(value, str) and name != "mfa_context"
        }
        said |= {f'"{name}" of the request': value for name, value in _texts(proof)}
        await customer.get_token(challenge, proof)
        for name, _ in _texts(proof):
            other = await customer.open_challenge()
            await ask(customer, other, {**await _proof_or_nothing(customer, other), name: CANARY})
            said[f'"{name}" of the request '] = CANARY
    for key, location in keys:
        for label, value in said.items():
            if len(value) >= 4 and holds(key, value):
                what = label.strip()
                message = f"A key of the cache holds {what}."
                problems.setdefault(what, bench.problem_at(message, customer, location))
    return problems.values()


def holds(text: str, value: str) -> bool:
    """Return whether *text* contains *value*. Digits must stand alone, since a hash or a time can contain them by chance."""
    if not value.isdigit():
        return value in text
    return re.search(rf"(?<![0-9A-Za-z]){value}(?![0-9A-Za-z])", text) is not None


def _texts(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in body.items() if isinstance(value, str) and value)


async def audit_trail(bench: Bench) -> Iterable[Problem]:
    problems = []
    customer = bench.customer()
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    with bench.log() as lines:
        await customer.get_token(challenge, proof)
        await asyncio.sleep(0)
    if not any(line.level >= logging.INFO for line in lines):
        problems.append(bench.problem("A success is not logged.", customer))
    customer = bench.customer()
    challenge = await customer.open_challenge()
    with bench.log() as lines:
        await ask(customer, challenge, {})
        await asyncio.sleep(0)
    if not any(line.level >= logging.INFO for line in lines):
        problems.append(bench.problem("A denial is not logged.", customer))
    for name, value in _texts(proof):
        customer = bench.customer()
        challenge = await customer.open_challenge()
        with bench.log() as lines:
            await ask(customer, challenge, {**proof, name: f"{value}\r\n{FORGED}"})
        forged = [line for line in lines if f"\n{FORGED}" in line.text and line.level >= logging.INFO]
        if forged:
            message = f'"{name}" of a request adds a line to the log.'
            problems.append(bench.problem_at(message, customer, forged[0].location))
    return problems


async def token_leak(bench: Bench) -> Iterable[Problem]:
    problems: dict[str, Problem] = {}
    customer = bench.customer()
    with bench.log() as lines:
        challenge = await customer.open_challenge()
        proof = await customer.proof(challenge)
        before_proof = len(customer.answers)
        await customer.get_token(challenge, proof)
        await asyncio.sleep(0)
    secret = {f"{name} of the configuration": value for name, value in bench.secrets.items()}
    registration = challenge.session.mfa_info.get("registration_value")
    if isinstance(registration, str) and len(registration) >= 8:
        secret["mfa_info.registration_value"] = registration
    proven = {f'"{name}" of the proof': value for name, value in _texts(proof) if _is_secret(value)}
    in_log = {**secret, **proven, "the token": challenge.session.tokens[-1].value}
    for line in lines:
        for label, value in in_log.items():
            if holds(line.text, value):
                is_debug = line.level < logging.INFO
                message = f"The log has {label}{' at level DEBUG' if is_debug else ''}."
                severity = Severity.MEDIUM if is_debug else None
                problems.setdefault(message, bench.problem_at(message, customer, line.location, severity))
    delivered = proven if challenge.messages else {}
    for where, text, values in [
        *(("The page", page, {**secret, **delivered}) for page in customer.pages),
        *(
            (f'The answer of route "{route}"', json.dumps(answer["data"]), {**secret, **delivered})
            for route, answer in customer.answers[:before_proof]
        ),
        *(
            (f'The answer of route "{route}"', json.dumps(answer["data"]), secret)
            for route, answer in customer.answers[before_proof:]
        ),
    ]:
        for label, value in values.items():
            if holds(text, value):
                message = f"{where} has {label}."
                problems.setdefault(message, bench.problem(message, customer, severity=Severity.CRITICAL))
    return problems.values()


def _is_secret(value: str) -> bool:
    """Return whether a field of a proof is a secret: a code or a random string, not a URL or a word."""
    has_digit = any(character.isdigit() for character in value)
    return len(value) >= 6 and has_digit and not value.startswith(("http://", "https://"))
