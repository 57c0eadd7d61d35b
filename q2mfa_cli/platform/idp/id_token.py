"""The ID token (OpenID Connect Core 3.1.3.6)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import ECKey, RSAKey

from q2mfa_cli.platform.idp.authorization_server import TOKEN_SECONDS, AuthorizationServer
from q2mfa_cli.platform.idp.claims import user_claims


class IdToken(OpenIDCode):
    """Adds an ID token to the token response. The authorization request must have a new nonce."""

    def __init__(self, server: AuthorizationServer) -> None:
        super().__init__(require_nonce=True)
        self.server = server

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return nonce in self.server.nonces

    def resolve_client_private_key(self, client: ClientMixin) -> RSAKey | ECKey:
        return self.server.keys.current

    def get_client_algorithm(self, client: ClientMixin) -> str:
        return self.server.keys.algorithm

    def get_encode_header(self, client: ClientMixin) -> dict[str, Any]:
        keys = self.server.keys
        return {"typ": "JWT", "alg": keys.algorithm, "kid": keys.current.kid}

    def get_client_claims(self, client: ClientMixin) -> dict[str, Any]:
        now = int(self.server.clock())
        return {
            "iss": self.server.issuer,
            "aud": client.get_client_id(),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }

    def generate_user_info(self, user: str, scope: str) -> UserInfo:
        return user_claims(user, scope)
