"""Wrong signatures of ID tokens. Each function takes the provider and the claims, and returns the token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from q2mfa_cli.platform.verify.hostile.keys import Json, another_key, base64url, signed, weak_key
from q2mfa_cli.platform.verify.hostile.provider import HostileProvider

Sign: TypeAlias = Callable[[HostileProvider, Json], Json]


def hs256(key: Callable[[HostileProvider], bytes]) -> Sign:
    def sign(provider: HostileProvider, claims: Json) -> str:
        header = {"typ": "JWT", "alg": "HS256", "kid": provider.key.kid}
        return signed(header, claims, lambda data: hmac.digest(key(provider), data, "sha256"))

    return sign


def unsigned(alg: Any) -> Sign:
    return lambda provider, claims: signed({"alg": alg, "kid": provider.key.kid}, claims, lambda data: b"")


def with_header(**header: Any) -> Sign:
    return lambda provider, claims: provider.key.sign(claims, **header)


def tampered(provider: HostileProvider, claims: Json) -> str:
    whole = provider.key.sign(claims)
    return whole[:-6] + ("A" if whole[-6] != "A" else "B") + whole[-5:]


def reused(provider: HostileProvider, claims: Json) -> str:
    """Sign with the signature of another payload."""
    header, _, signature = provider.key.sign({**claims, "sub": "someone else"}).split(".")
    return f"{header}.{base64url(json.dumps(claims).encode())}.{signature}"


def by_another_key(provider: HostileProvider, claims: Json) -> str:
    return replace(another_key(), alg=provider.key.alg).sign(claims, kid=provider.key.kid)


def by_weak_key(provider: HostileProvider, claims: Json) -> str:
    return weak_key().sign(claims, kid=provider.key.kid)


def with_own_key(place: str) -> Sign:
    """Sign with a key that the token contains (``jwk``) or links to (``jku``)."""

    def sign(provider: HostileProvider, claims: Json) -> str:
        brought = {"jwk": another_key().jwk, "jku": f"{provider.issuer.rpartition('/')[0]}/elsewhere/keys"}
        key = replace(another_key(), alg=provider.key.alg)
        return key.sign(claims, kid=provider.key.kid, **{place: brought[place]})

    return sign
