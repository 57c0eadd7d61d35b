"""The extension, as a client that is registered with the provider."""

from __future__ import annotations

import secrets
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin

SCOPES = ("openid", "profile", "email")


class Client(ClientMixin):
    """The provider's only client."""

    def __init__(self, identifier: str, secret: str, redirect_uri: str) -> None:
        self.identifier, self.secret, self.redirect_uri = identifier, secret, redirect_uri

    def get_client_id(self) -> str:
        return self.identifier

    def get_default_redirect_uri(self) -> str:
        return ""  # OpenID Connect Core 3.1.2.1: the request must contain a redirect URI

    def get_allowed_scope(self, scope: Any) -> str:
        """Return the supported scopes in *scope*. Others are ignored (OpenID Connect Core 3.1.2.1)."""
        return " ".join(name for name in SCOPES if name in str(scope).split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return True  # the server tries only the supported methods

    def check_response_type(self, response_type: str) -> bool:
        return True  # the grant checks it

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"
