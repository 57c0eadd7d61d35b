"""One-time passcodes. Each check sends codes that are right, wrong, used, old or malformed."""

from __future__ import annotations

import base64
import contextlib
import hmac
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import time_machine

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.check import NotApplicable, Problem, Severity, Skipped
from q2mfa_cli.platform.verify.customers.customer import Deviation, NotTried
from q2mfa_cli.platform.verify.dynamic.bench import Bench

STEP_SECONDS = 30
SECRET_BYTES = 20  # RFC 4226, 4
TOTP_DIGITS = 6

MAX_WRONG = 100  # NIST SP 800-63B-4, 3.2.2
TRIES_OF_A_SESSION = 3  # so few that no limit of a session stops them
AT_ONCE = 20

STEPS = 10  # that are looked at, before and after now
ALLOWED_STEPS, MANY_STEPS = 1, 4
WEAK_SECRETS = ((10, Severity.MEDIUM), (14, Severity.NOTE))  # bytes

MIN_DIGITS = 6
LIFETIME_SECONDS = 600
SAMPLES = 5
MESSAGES = 20

# Errors that a refusal or an unexpected response causes. None of them sets a token.
REFUSALS: tuple[type[Exception], ...] = (Deviation, NotTried, OSError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Try:
    """A session that is ready for a code.

    :param body: what the page sends with the right code.
    """

    customer: Any
    challenge: Challenge
    body: dict[str, Any]

    @property
    def tokens(self) -> int:
        return len(self.challenge.session.tokens)


class Codes:
    """The codes of one check.

    :ivar field: the field of the page's request that holds the code. :ivar is_sent: whether the code is sent to the customer;
        else it is one of an authenticator app.
    """

    def __init__(self, bench: Bench, field: str, is_sent: bool) -> None:
        self.bench, self.field, self.is_sent = bench, field, is_sent

    async def begin(self, registration: str = "", customer: Any = None) -> Try:
        """Open a session up to the request with the code, for a new person unless *registration* is given.

        :raises Deviation: the extension refuses the customer before the proof.
        """
        customer = customer or self.bench.customer()
        given = {"registration_value": registration or self._new_registration()}
        challenge = await customer.open_challenge(**given)
        return Try(customer, challenge, await customer.proof(challenge))

    async def send(self, tried: Try, code: object) -> bool:
        """Send *code*. Return whether HQ got a token for it."""
        before = tried.tokens
        try:
            body = {**tried.body, self.field: code}
            await tried.customer.request_extension_data(tried.challenge, tried.customer.route, body)
        except REFUSALS:
            pass
        return tried.tokens > before

    async def send_right(self, tried: Try) -> bool:
        """Send the current right code."""
        if self.is_sent:
            return await self.send(tried, tried.body[self.field])
        while True:
            step = current_step()
            if await self.send(tried, code_at(self.secret(tried), step)):
                return True
            if step == current_step():  # else the code may have become an old one on its way
                return False

    def secret(self, tried: Try) -> bytes:
        return decoded(tried.challenge.session.mfa_info["registration_value"])

    def wrong(self, tried: Try) -> Iterator[str]:
        """Return codes that are wrong now and in nearby time steps."""
        if self.is_sent:
            right = {tried.body[self.field]}
        else:
            steps = range(current_step() - STEPS, current_step() + STEPS + 1)
            right = {code_at(self.secret(tried), step) for step in steps}
        digits = len(tried.body[self.field])
        return (code for code in (f"{n:0{digits}}" for n in range(10**digits)) if code not in right)

    async def send_wrong(self, tried: Try, times: int) -> None:
        for _, code in zip(range(times), self.wrong(tried), strict=False):
            await self.send(tried, code)

    def _new_registration(self) -> str:
        if self.is_sent:
            return f"+1 555 {secrets.randbelow(10**3):03} {secrets.randbelow(10**4):04}"
        return new_secret()


async def _codes(bench: Bench) -> Codes:
    """Prove once, and find the code in the page's request.

    :raises NotApplicable: there is no code. :raises Skipped: the right user gets no token.
    """
    customer = bench.customer()
    challenge = await customer.open_challenge()
    body = await customer.proof(challenge)
    sent = " ".join(message["text"] for message in challenge.messages)
    registration = challenge.session.mfa_info.get("registration_value")
    app = codes_around_now(registration) if isinstance(registration, str) else set()
    for name, value in body.items():
        if isinstance(value, str) and value.isascii() and value.isdigit() and 4 <= len(value) <= 10:
            if value in sent:
                return await _proven(Codes(bench, name, is_sent=True))
            if value in app:
                return await _proven(Codes(bench, name, is_sent=False))
    raise NotApplicable("The page sends no code from an authenticator app or a message.")


async def _proven(codes: Codes) -> Codes:
    tried = await codes.begin()
    if not await codes.send_right(tried):
        raise Skipped("The right code gets no token.")
    return codes


# ---- codes of an authenticator app -------------------------------------------------------------------


def current_step() -> int:
    return int(time.time() // STEP_SECONDS)


def code_at(secret: bytes, step: int) -> str:
    """Return the code of *step* (RFC 4226, 5.3). pyotp refuses short secrets."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**TOTP_DIGITS:0{TOTP_DIGITS}}"


def decoded(secret: str) -> bytes:
    return base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)


def codes_around_now(registration: str) -> set[str]:
    """Return the codes of the secret *registration* for the current and adjacent steps; none if it is not a secret."""
    try:
        secret = decoded(registration)
    except ValueError:
        return set()
    return {code_at(secret, current_step() + step) for step in (-1, 0, 1)}


def new_secret(size: int = SECRET_BYTES) -> str:
    """Return a base32 secret whose nearby codes all differ and do not start with 0."""
    while True:
        secret = secrets.token_bytes(size)
        steps = range(current_step() - 2 * STEPS, current_step() + 2 * STEPS + 1)
        around = [code_at(secret, step) for step in steps]
        near = [code_at(secret, current_step() + step) for step in (-1, 0, 1)]
        if len(set(around)) == len(around) and not any(code.startswith("0") for code in near):
            return base64.b32encode(secret).decode().rstrip("=")


# ---- the checks --------------------------------------------------------------------------------------


async def otp_replay(codes: Codes) -> list[Problem]:
    tried = await codes.begin()
    code = tried.body[codes.field]
    if await codes.send(tried, code) and await codes.send(tried, code):
        return [codes.bench.problem("The extension accepts a code twice in one session.", tried.customer)]
    return []


async def otp_replay_account(codes: Codes) -> list[Problem]:
    first = await codes.begin()
    code = first.body[codes.field]
    registration = first.challenge.session.mfa_info["registration_value"]
    if not await codes.send(first, code):
        raise Skipped("The right code gets no token.")
    challenge = await first.customer.open_challenge(registration_value=registration)
    if not codes.is_sent:  # a new code would take the place of the one that was sent
        await _proof_or_nothing(first.customer, challenge)
    if await codes.send(Try(first.customer, challenge, first.body), code):
        message = "The extension accepts a code that was used in another session."
        return [codes.bench.problem(message, first.customer)]
    return []


async def _proof_or_nothing(customer: Any, challenge: Challenge) -> None:
    with contextlib.suppress(*REFUSALS):
        await customer.proof(challenge)


async def otp_tries(codes: Codes) -> list[Problem]:
    tried = await codes.begin()
    await codes.send_wrong(tried, MAX_WRONG)
    if not await codes.send_right(tried):
        return []
    message = f"The extension accepts the right code after {MAX_WRONG} wrong ones."
    return [codes.bench.problem(message, tried.customer)]


async def otp_tries_account(codes: Codes) -> list[Problem]:
    """Try only a few codes per session, so that no limit per session stops them."""
    first = await codes.begin()
    registration = first.challenge.session.mfa_info["registration_value"]
    sessions = -(-MAX_WRONG // TRIES_OF_A_SESSION)
    await codes.send_wrong(first, TRIES_OF_A_SESSION)
    for _ in range(sessions - 1):
        customer = codes.bench.customer()
        try:
            tried = await codes.begin(registration, customer)
        except REFUSALS:  # it sends no code now: the tries go on without
            tried = Try(customer, customer.challenges[-1], first.body)
        await codes.send_wrong(tried, TRIES_OF_A_SESSION)
    last = codes.bench.customer()
    try:
        accepted = await codes.send_right(await codes.begin(registration, last))
    except REFUSALS:
        accepted = False
    if not accepted:
        return []
    message = f"The extension accepts the right code after {sessions * TRIES_OF_A_SESSION} wrong ones in other sessions."
    return [codes.bench.problem(message, last)]


async def otp_tries_race(codes: Codes) -> list[Problem]:
    """Handle each wrong code in a worker that read the cache before the others wrote to it."""
    one_by_one = await codes.begin()
    await codes.send_wrong(one_by_one, AT_ONCE)
    if await codes.send_right(one_by_one):
        raise NotApplicable(f"Not even {AT_ONCE} wrong codes one after the other lock the customer out.")
    at_once, memcached = await codes.begin(), codes.bench.platform.memcached
    await codes.send_wrong(at_once, 1)  # what counts is there, and only has to be changed
    before = memcached.snapshot()
    for _, code in zip(range(1, AT_ONCE), codes.wrong(at_once), strict=False):
        with memcached.read_first_from(before):
            await codes.send(at_once, code)
    if not await codes.send_right(at_once):
        return []
    message = f"The extension accepts the right code after {AT_ONCE} simultaneous wrong ones."
    return [codes.bench.problem(message, at_once.customer)]


async def otp_window(codes: Codes) -> list[Problem]:
    _only_app(codes)
    accepted, customer = [], None
    for offset in range(-STEPS, STEPS + 1):
        while True:
            tried = await codes.begin()
            step = current_step()
            is_accepted = await codes.send(tried, code_at(codes.secret(tried), step + offset))
            if step == current_step():
                break
        if is_accepted and abs(offset) > ALLOWED_STEPS:
            accepted.append(offset)
            customer = tried.customer
    if customer is None:
        return []
    first, last = min(accepted), max(accepted)
    steps = [f"{-first} steps before now" if first < 0 else "", f"{last} steps after now" if last > 0 else ""]
    message = f"The extension accepts the code of {' and of '.join(filter(None, steps))}."
    severity = Severity.HIGH if max(map(abs, accepted)) > MANY_STEPS else Severity.MEDIUM
    return [codes.bench.problem(message, customer, severity=severity)]


async def otp_weak_secret(codes: Codes) -> list[Problem]:
    _only_app(codes)
    first = await codes.begin()
    for size, severity in WEAK_SECRETS:
        customer = codes.bench.customer()
        challenge = await customer.open_challenge(registration_value=new_secret(size))
        await _proof_or_nothing(customer, challenge)
        customer.route = first.customer.route
        if await codes.send_right(Try(customer, challenge, first.body)):
            message = f"The extension accepts a secret of {size * 8} bits."
            return [codes.bench.problem(message, customer, severity=severity)]
    return []


async def otp_unicode(codes: Codes) -> list[Problem]:
    odd: dict[str, Callable[[str], object]] = {
        "in Arabic-Indic digits": lambda code: "".join(chr(0x660 + int(digit)) for digit in code),
        "in full-width digits": lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
        "as a number": int,
        "in a list": lambda code: [code],
    }
    problems = []
    for what, change in odd.items():
        tried = await _without_leading_zero(codes)
        if await codes.send(tried, change(tried.body[codes.field])):
            message = f"The extension accepts a code {what}."
            problems.append(codes.bench.problem(message, tried.customer))
    return problems


async def _without_leading_zero(codes: Codes) -> Try:
    """Return a code that does not start with 0, if the extension has one."""
    for _ in range(SAMPLES * 10):
        tried = await codes.begin()
        if not tried.body[codes.field].startswith("0"):
            break
    return tried


async def otp_made_here(codes: Codes) -> list[Problem]:
    if not codes.is_sent:
        raise NotApplicable("The code comes from an authenticator app, not from the extension.")
    samples = [await codes.begin() for _ in range(SAMPLES)]
    numbers = [int(tried.body[codes.field]) for tried in samples]
    digits = max(len(tried.body[codes.field]) for tried in samples)
    found: list[tuple[str, Try, Severity | None]] = []
    if digits < MIN_DIGITS:
        found.append((f"The code has {digits} digits.", samples[0], None))
    if len({after - before for before, after in itertools.pairwise(numbers)}) == 1:
        found.append(("Each code can be derived from the previous one.", samples[-1], Severity.CRITICAL))
    for run in (_code_of_another_session, _old_code, _many_messages):
        found += await run(codes)
    return [
        codes.bench.problem(message, tried.customer, severity=severity) for message, tried, severity in found
    ]


Found = list[tuple[str, Try, Severity | None]]


async def _code_of_another_session(codes: Codes) -> Found:
    first = await codes.begin()
    registration = first.challenge.session.mfa_info["registration_value"]
    challenge = await first.customer.open_challenge(registration_value=registration)
    other = Try(first.customer, challenge, first.body)
    if await codes.send_right(other):
        return [("The extension accepts a code that another session asked for.", other, None)]
    return []


async def _old_code(codes: Codes) -> Found:
    tried = await codes.begin()
    with time_machine.travel(time.time() + LIFETIME_SECONDS + 1):
        if not await codes.send_right(tried):
            return []
    message = f"The extension accepts a code after {LIFETIME_SECONDS // 60} minutes."
    return [(message, tried, Severity.MEDIUM)]


async def _many_messages(codes: Codes) -> Found:
    registration, tried = "", None
    for _ in range(MESSAGES):
        try:
            tried = await codes.begin(registration)
        except REFUSALS:
            return []
        registration = tried.challenge.session.mfa_info["registration_value"]
    assert tried is not None
    message = f"The extension sends {MESSAGES} messages to a customer within a moment."
    return [(message, tried, Severity.MEDIUM)]


def _only_app(codes: Codes) -> None:
    if codes.is_sent:
        raise NotApplicable("The code does not come from an authenticator app.")


def _check(
    run: Callable[[Codes], Awaitable[list[Problem]]],
) -> Callable[[Bench], Awaitable[Iterable[Problem]]]:
    async def check(bench: Bench) -> Iterable[Problem]:
        return await run(await _codes(bench))

    return check


CHECKS: dict[str, Callable[[Bench], Awaitable[Iterable[Problem]]]] = {
    "otp-replay": _check(otp_replay),
    "otp-replay-account": _check(otp_replay_account),
    "otp-tries": _check(otp_tries),
    "otp-tries-account": _check(otp_tries_account),
    "otp-tries-race": _check(otp_tries_race),
    "otp-window": _check(otp_window),
    "otp-weak-secret": _check(otp_weak_secret),
    "otp-unicode": _check(otp_unicode),
    "otp-made-here": _check(otp_made_here),
}
