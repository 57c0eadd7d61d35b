"""The check of the provider's public keys (RFC 7517)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from q2mfa_cli.provider.capabilities import ALGORITHMS
from q2mfa_cli.provider.observation import NoResponse, Observation
from q2mfa_cli.provider.outcome import Outcome, found, passed, skipped

PRIVATE = ("d", "p", "q", "dp", "dq", "qi")
RSA_BITS = 2048


def jwks(seen: Observation) -> Iterable[Outcome]:
    response = seen.jwks
    if response is None:
        yield skipped("There is no usable jwks_uri.")
        return
    if isinstance(response, NoResponse):
        yield found(f"The jwks_uri {response.failure.value}.", "high", seen_at=response.url)
        return
    published = response.json if response.status == 200 else None
    keys = published.get("keys") if isinstance(published, dict) else None
    if not isinstance(keys, list):
        yield found(
            f"The jwks_uri responds with status {response.status} and no list of keys.",
            "high",
            seen_at=response.url,
        )
        return
    problems = list(_problems([key for key in keys if isinstance(key, dict)]))
    yield from problems
    if not problems:
        yield passed(f"{len(keys)} key{'s' if len(keys) > 1 else ''}, and at least one is usable.")


def _problems(keys: list[dict[str, Any]]) -> Iterable[Outcome]:
    if any(key.get("kty") == "oct" for key in keys):
        yield found("A symmetric key is published. Anyone can sign with it.", "critical")
    if any(member in key for key in keys for member in PRIVATE):
        yield found("A private key is published. Anyone can sign with it.", "critical")
    signing = [key for key in keys if key.get("kty") != "oct" and key.get("use", "sig") == "sig"]
    readable = [(key, public) for key in signing if (public := _public_key(key)) is not None]
    usable = [key for key, public in readable if _is_strong(public)]
    if not usable:
        yield found("No key can verify the signature of an ID token.", "high")
    weak = [key for key, public in readable if not _is_strong(public)]
    if weak and usable:
        yield found(
            f"{len(weak)} RSA key{' has' if len(weak) == 1 else 's have'} fewer than {RSA_BITS} bits."
        )
    # The template's oidc.py needs exactly one matching key. It denies MFA if two keys of one type have the same kid.
    kinds = Counter((str(key.get("kid")), str(key.get("kty")), str(key.get("crv"))) for key in usable)
    if any(number > 1 for number in kinds.values()):
        yield found("Several signing keys have the same kid, or none.")


def _public_key(key: dict[str, Any]) -> Any:
    """Return the key as an object of the cryptography package; ``None`` if it is invalid or for another algorithm."""
    public = {name: value for name, value in key.items() if name not in PRIVATE}
    try:
        read = jwt.PyJWK(public)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return read.key if read.algorithm_name in ALGORITHMS else None


def _is_strong(public: Any) -> bool:
    return not isinstance(public, RSAPublicKey) or public.key_size >= RSA_BITS
