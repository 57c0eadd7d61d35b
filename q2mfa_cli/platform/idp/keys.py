"""The keys that sign ID tokens. They are new in each run."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from joserfc.jwk import ECKey, RSAKey

Algorithm = Literal["RS256", "ES256"]


class SigningKeys:
    """One key per algorithm. All public keys are published, and one key signs.

    :ivar algorithm: The algorithm of the key that signs.
    """

    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")

    def __init__(self) -> None:
        self.algorithm: Algorithm = "RS256"

    # The keys are generated on first use, because an RSA key takes longer than the rest of the startup.
    @cached_property
    def _keys(self) -> dict[Algorithm, RSAKey | ECKey]:
        return {
            "RS256": RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True),
            "ES256": ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True),
        }

    @property
    def current(self) -> RSAKey | ECKey:
        return self._keys[self.algorithm]

    @property
    def public(self) -> dict[str, Any]:
        """The public keys as a JWK set."""
        return {"keys": [key.as_dict(private=False) for key in self._keys.values()]}
