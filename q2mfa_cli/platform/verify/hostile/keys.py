"""Keys that sign ID tokens, and signed tokens that no library would create."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

Json: TypeAlias = Any
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Key:
    """A signing key, and its JWK."""

    kid: str
    alg: str
    private: PrivateKey

    @property
    def jwk(self) -> dict[str, Any]:
        values = jwt.get_algorithm_by_name(self.alg).to_jwk(self.private.public_key(), as_dict=True)
        values.pop("key_ops", None)
        return {**values, "kid": self.kid, "use": "sig", "alg": self.alg}

    @property
    def pem(self) -> bytes:
        """The public key in PEM, which the RS256-to-HS256 confusion attack uses as the shared secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, claims: Json, **header: Any) -> str:
        """Return a JWS signed with this key. Headers with the value None are left out."""
        given = {"typ": "JWT", "kid": self.kid, "alg": self.alg, **header}
        named = {name: value for name, value in given.items() if value is not None}
        return signed(named, claims, self.signature)

    def signature(self, signing_input: bytes) -> bytes:
        return jwt.get_algorithm_by_name(self.alg).sign(signing_input, self.private)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Json, claims: Json, signature: Callable[[bytes], bytes]) -> str:
    """Return a JWS, built without a library, which would refuse most of a hostile provider's tokens."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    signing_input = ".".join(map(base64url, parts))
    return f"{signing_input}.{base64url(signature(signing_input.encode()))}"


# Generated on first use, because RSA keys are slow to generate.


@functools.cache
def rsa_key() -> rsa.RSAPrivateKey:
    """Return the providers' private key, which is new in every process."""
    return rsa.generate_private_key(65537, 2048)


@functools.cache
def another_key() -> Key:
    """Return a key that is in no provider's JWKS."""
    return Key("another", "RS256", rsa.generate_private_key(65537, 2048))


@functools.cache
def weak_key() -> Key:
    """Return a key that is too short (RFC 7518, 3.3)."""
    return Key("weak", "RS256", rsa.generate_private_key(65537, 1024))
