"""Authorization codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class AuthorizationCode:
    """An authorization code, with its request and user. A spent code is kept, so that a replay is recognized.

    Authlib calls the ``get_`` methods.

    :param expires: When the code expires, in seconds since 1970.
    :param access_token: The access token that was issued for the code; empty until then.
    """

    parameters: Mapping[str, str]
    scope: str
    user: str
    auth_time: int
    expires: float
    spent: bool = False
    access_token: str = ""

    @property
    def code_challenge(self) -> str:
        return self.parameters["code_challenge"]

    @property
    def code_challenge_method(self) -> str:
        return self.parameters["code_challenge_method"]

    def get_redirect_uri(self) -> str:
        return self.parameters["redirect_uri"]

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.parameters["nonce"]

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str | None:
        """Return the first of ``acr_values``, the client's preferred one (OpenID Connect Core 3.1.2.1)."""
        return next(iter(self.parameters.get("acr_values", "").split()), None)

    def get_amr(self) -> None:
        return None
