"""Claims about the user."""

from __future__ import annotations

from typing import Any

from authlib.oidc.core import UserInfo


def user_claims(user: str, scope: str) -> UserInfo:
    """Return the claims that *scope* requests (OpenID Connect Core 5.4). All are derived from the user name."""
    claims: dict[str, Any] = {"sub": user}
    if "profile" in scope.split():
        claims["preferred_username"] = user
    if "email" in scope.split() and "@" in user:
        claims.update(email=user, email_verified=True)
    return UserInfo(claims)
