"""The attempts that every integration has to pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from q2mfa_cli.platform.verify.customer import Customer, Deviation, check_hq

MADE_UP_TOKEN = "a-token-that-nobody-has-set-with-HQ-0123456789"


@dataclass(frozen=True)
class Attempt:
    """Something to try.

    :param run: takes the integration's customer, returns how the attempt was refused and raises :class:`Deviation` if it
        went wrong. :param shows_sequence: whether the report shows the sequence even if all went well.
    """

    label: str
    run: Callable[[Any], Awaitable[str]]
    shows_sequence: bool = False


async def right_user(customer: Customer) -> str:
    challenge = await customer.open_challenge()
    token = await customer.get_token(challenge, await customer.proof(challenge))
    reason = await customer.verify_mfa(challenge, token)
    if reason or not challenge.session.mfa_complete:
        raise Deviation(f"verifyMFA rejects: {reason}")
    return ""


async def no_proof(customer: Customer) -> str:
    return await customer.expect_refusal(await customer.open_challenge(), {})


async def used_proof(customer: Customer) -> str:
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    await customer.get_token(challenge, proof)
    return await customer.expect_refusal(challenge, proof, tokens=1)


async def proof_of_another_session(customer: Customer) -> str:
    mine, other = await customer.open_challenge(), await customer.open_challenge()
    return await customer.expect_refusal(other, await customer.proof(mine))


async def no_session(customer: Customer) -> str:
    challenge = await customer.open_challenge()
    proof = await customer.proof(challenge)
    uux = customer.preview.uux
    url = f"{uux.extension_origin}/{uux.extension.name}/{customer.route}"
    answer = await customer.fetch(url, proof, uux.extension_origin)
    if answer.code < 400:
        raise Deviation(f"not refused: {answer.code}")
    check_hq(challenge, 0)
    return f"{answer.code}"


async def made_up_token(customer: Customer) -> str:
    return await customer.expect_token_refusal(await customer.open_challenge(), MADE_UP_TOKEN)


async def token_of_another_session(customer: Customer) -> str:
    mine, other = await customer.open_challenge(), await customer.open_challenge()
    token = await customer.get_token(mine, await customer.proof(mine))
    await customer.get_token(other, await customer.proof(other))
    return await customer.expect_token_refusal(other, token)


async def used_token(customer: Customer) -> str:
    challenge = await customer.open_challenge()
    token = await customer.get_token(challenge, await customer.proof(challenge))
    await customer.verify_mfa(challenge, token)
    return await customer.expect_token_refusal(challenge, token)


RIGHT_USER = Attempt("the right user completes MFA", right_user, shows_sequence=True)
NO_PROOF = Attempt("refused: no proof", no_proof)
USED_PROOF = Attempt("refused: a used proof", used_proof)
PROOF_OF_ANOTHER_SESSION = Attempt("refused: another session's proof", proof_of_another_session)
ABOUT_TOKENS = (
    Attempt("refused: no session", no_session),
    Attempt("refused: a made-up token", made_up_token),
    Attempt("refused: another session's token", token_of_another_session),
    Attempt("refused: a used token", used_token),
)
