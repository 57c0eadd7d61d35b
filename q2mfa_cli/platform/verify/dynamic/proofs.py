"""The right and wrong proofs that dynamic checks send."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import pyotp

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.verify.customers.customer import Customer, Deviation, NotTried
from q2mfa_cli.platform.verify.customers.passcode import PasscodeCustomer

STEP_SECONDS = 30

# By the name in a message.
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
    """Yield bodies that prove nothing, each with a label: without the fields *names*, or with empty ones."""
    names = list(names)
    yield "an empty body", {}
    if names:
        for label, value in EMPTY_VALUES.items():
            yield f"{label} in each field", dict.fromkeys(names, value)


def odd_bodies(proof: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield *proof* with one field of another type or size, with the field's name and a label."""
    for name in proof or ["code"]:
        for label, value in ODD_VALUES.items():
            yield name, label, {**proof, name: value}


async def right_fields(customer: Customer) -> list[str]:
    """Return the field names of a right proof; empty if q2mfa does not know a right proof."""
    try:
        return list(await customer.proof(await customer.open_challenge()))
    except (Deviation, NotTried):
        return []


async def ask(customer: Customer, challenge: Challenge, body: dict[str, Any]) -> dict[str, Any]:
    """Send *body* to the route that takes the proof."""
    return await customer.request_extension_data(challenge, customer.route, body)


async def complete_mfa(customer: Customer) -> Challenge:
    """Complete MFA as the right user.

    :raises Deviation: the right user cannot complete MFA.
    """
    challenge = await customer.open_challenge()
    token = await customer.get_token(challenge, await customer.proof(challenge))
    reason = await customer.verify_mfa(challenge, token)
    if reason or not challenge.session.mfa_complete:
        raise Deviation(f"verifyMFA rejects the right user's token: {reason}")
    return challenge


async def next_proof(customer: Customer, challenge: Challenge) -> dict[str, Any]:
    """Return another right proof in the same session, without waiting for the authenticator app's next step.

    :raises Deviation: the extension refuses another proof.
    """
    if isinstance(customer, PasscodeCustomer):
        totp = pyotp.TOTP(challenge.session.mfa_info["registration_value"])
        return {"passcode": totp.at(int(time.time()) + STEP_SECONDS)}
    return await customer.proof(challenge)


def has_token(answer: dict[str, Any]) -> bool:
    """Return whether the response looks like a token."""
    data = answer["data"]
    while isinstance(data, dict) and "data" in data:
        data = data["data"]
    return answer["status"] < 400 and (isinstance(data, str) or (isinstance(data, dict) and "token" in data))
