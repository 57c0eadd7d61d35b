"""Proofs, right and wrong: what the dynamic checks send."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import pyotp

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.standard import PasscodeCustomer

STEP_SECONDS = 30

# By what each is called in a message.
EMPTY_VALUES: dict[str, Any] = {
    "null": None,
    "an empty text": "",
    "0": 0,
    "true": True,
    "an empty list": [],
    "an empty object": {},
}

LONG = "x" * 100_000
ODD_VALUES: dict[str, Any] = {
    "a number": 7,
    "a fraction": 0.5,
    "true": True,
    "null": None,
    "a list": ["x"],
    "an object": {"x": {}},
    "100,000 characters": LONG,
    "characters that are no ASCII": "٣٤٥\u0000é",
}


def empty_bodies(names: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Bodies that prove nothing, each with what it is: none of the fields *names*, or each of them empty."""
    names = list(names)
    yield "an empty body", {}
    if names:
        for label, value in EMPTY_VALUES.items():
            yield f"{label} in each field", dict.fromkeys(names, value)


def odd_bodies(proof: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """*proof* with one field of another type or size, with the field and what it is."""
    for name in proof or ["code"]:
        for label, value in ODD_VALUES.items():
            yield name, label, {**proof, name: value}


async def right_fields(customer: Customer) -> list[str]:
    """The names of the fields of a right proof; empty if it is not known how to make one."""
    try:
        return list(await customer.proof(await customer.open_challenge()))
    except (Deviation, NotTried):
        return []


async def ask(customer: Customer, challenge: Challenge, body: dict[str, Any]) -> dict[str, Any]:
    """Send *body* to the route that takes the proof."""
    return await customer.request_extension_data(challenge, customer.route, body)


async def complete_mfa(customer: Customer) -> Challenge:
    """Do what the right user does, to the end.

    :raises Deviation: they do not complete MFA.
    """
    challenge = await customer.open_challenge()
    token = await customer.get_token(challenge, await customer.proof(challenge))
    reason = await customer.verify_mfa(challenge, token)
    if reason or not challenge.session.mfa_complete:
        raise Deviation(f"verifyMFA rejects the right user's token: {reason}")
    return challenge


async def next_proof(customer: Customer, challenge: Challenge) -> dict[str, Any]:
    """A right proof after another one in the same session, without waiting for the next step of an authenticator app.

    :raises Deviation: the extension does not let the customer prove again.
    """
    if isinstance(customer, PasscodeCustomer):
        totp = pyotp.TOTP(challenge.session.mfa_info["registration_value"])
        return {"passcode": totp.at(int(time.time()) + STEP_SECONDS)}
    return await customer.proof(challenge)


def has_token(answer: dict[str, Any]) -> bool:
    """Whether the extension answered with what looks like a token."""
    data = answer["data"]
    while isinstance(data, dict) and "data" in data:
        data = data["data"]
    return answer["status"] < 400 and (isinstance(data, str) or (isinstance(data, dict) and "token" in data))
