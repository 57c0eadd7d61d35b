"""Tokens, and the proofs that they are issued for."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.check import NotApplicable, Problem, Severity, Skipped
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.customers.login import LoginCustomer
from q2mfa_cli.platform.verify.customers.passcode import CODE
from q2mfa_cli.platform.verify.customers.scripted import ScriptedCustomer
from q2mfa_cli.platform.verify.dynamic.bench import Bench, stable
from q2mfa_cli.platform.verify.dynamic.proofs import (
    ask,
    complete_mfa,
    empty_bodies,
    has_token,
    next_proof,
    right_fields,
)

TOKENS = 20
TOKENS_OF_LOGINS = 8  # a login takes longer
MIN_CHARACTERS = 22  # 128 bits in base64
UUID_TIME_VERSIONS = (1, 2, 6, 7)


async def right_user(bench: Bench) -> Iterable[Problem]:
    customer = bench.customer()
    try:
        await customer.find_route()
    except NotTried as error:
        raise Skipped(f"{error}.") from None
    except Deviation:
        customer = bench.customer()  # the sequence is that of the attempt below
    try:
        await complete_mfa(customer)
    except Deviation as deviation:
        return [bench.problem(f"The right user does not complete MFA: {stable(str(deviation))}.", customer)]
    return []


async def token_without_proof(bench: Bench) -> Iterable[Problem]:
    problems = []
    fields = await right_fields(bench.customer())
    for route in await bench.routes():
        for label, body in empty_bodies(fields):
            customer = bench.customer()
            challenge = await customer.open_challenge()
            await customer.request_extension_data(challenge, route, body)
            if challenge.session.tokens:
                problems.append(bench.problem(f'Route "{route}" sets a token for {label}.', customer, route))
                break
    customer = bench.customer()
    with contextlib.suppress(Deviation, NotTried):
        challenge = await customer.open_challenge()
        await ask(customer, challenge, await customer.wrong_proof(challenge))
        if challenge.session.tokens and not problems:
            message = f'Route "{customer.route}" sets a token for a wrong proof.'
            problems.append(bench.problem(message, customer))
    return problems


async def proof_reused(bench: Bench) -> Iterable[Problem]:
    customer = bench.customer()
    if not isinstance(customer, ScriptedCustomer):
        raise NotApplicable("The otp-* and rp-* checks cover it.")
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    if any(isinstance(value, str) and CODE.fullmatch(value) for value in proof.values()):
        raise NotApplicable("The otp-* checks cover it.")
    await customer.get_token(challenge, proof)
    before = len(challenge.session.tokens)
    await ask(customer, challenge, proof)
    if len(challenge.session.tokens) > before:
        return [bench.problem("The same proof gets a second token.", customer)]
    return []


async def token_guessable(bench: Bench) -> Iterable[Problem]:
    count = TOKENS_OF_LOGINS if bench.customer_class is LoginCustomer else TOKENS
    got = [await _right_token(bench) for _ in range(count)]
    tokens, (customer, _, _) = [token for _, _, token in got], got[-1]
    derived = any(_is_derived(token, known) for _, known, token in got)
    return [
        bench.problem(message, customer, severity=severity)
        for message, severity in _weaknesses(tokens, derived)
    ]


def _weaknesses(tokens: Sequence[str], is_derived: bool) -> Iterator[tuple[str, Severity]]:
    version = _uuid_version(tokens)
    changing = sum(len(set(characters)) > 1 for characters in zip(*tokens, strict=False))
    if is_derived:
        yield "The token derives from what mfa_info or the proof says.", Severity.CRITICAL
    elif version in UUID_TIME_VERSIONS:
        yield f"The token is a version {version} UUID, which derives from the time.", Severity.CRITICAL
    elif min(map(len, tokens)) < MIN_CHARACTERS:
        yield f"The token has fewer than {MIN_CHARACTERS} characters.", Severity.CRITICAL
    elif changing < MIN_CHARACTERS:
        yield f"Fewer than {MIN_CHARACTERS} characters of the token change.", Severity.CRITICAL
    elif version == 4:
        yield "The token is a version 4 UUID, which has 122 random bits.", Severity.NOTE


def _uuid_version(tokens: Sequence[str]) -> int | None:
    """Return the UUID version of *tokens*; None if they are not all UUIDs of the same version."""
    versions = set()
    for token in tokens:
        try:
            versions.add(uuid.UUID(token).version)
        except ValueError:
            return None
    return versions.pop() if len(versions) == 1 else None


def _is_derived(token: str, known: Iterable[str]) -> bool:
    """Return whether *token* is one of the *known* strings, or a common digest or encoding of one."""
    for text in known:
        data = text.encode()
        digests = {hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
        if token in {text, data.hex(), base64.b64encode(data).decode(), *digests}:
            return True
    return False


async def _right_token(bench: Bench) -> tuple[Customer, list[str], str]:
    """Return a new customer, the known strings about them, and the token for their proof."""
    customer = bench.customer()
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    await customer.get_token(challenge, proof)
    known = [str(value) for value in (*challenge.session.mfa_info.values(), *proof.values())]
    return customer, known, _token_of(challenge)


def _token_of(challenge: Challenge) -> str:
    return challenge.session.tokens[-1].value


async def token_reused(bench: Bench) -> Iterable[Problem]:
    customer = bench.customer()
    challenge = await customer.open_challenge()
    await customer.get_token(challenge, await customer.proof(challenge))
    tokens = [_token_of(challenge)]
    with contextlib.suppress(Deviation):
        await customer.get_token(challenge, await next_proof(customer, challenge))
        tokens.append(_token_of(challenge))
    for _ in range(2):
        *_, token = await _right_token(bench)
        tokens.append(token)
    if len(set(tokens)) < len(tokens):
        return [bench.problem("Two proofs get the same token.", customer)]
    return []


async def token_not_kept(bench: Bench) -> Iterable[Problem]:
    customer = bench.customer()
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    challenge.session.switches = {"hq_down"}
    answer = await ask(customer, challenge, proof)
    if has_token(answer):
        return [bench.problem("The page gets a token although HQ refused it.", customer)]
    return []
