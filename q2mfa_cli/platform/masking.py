"""Mask secrets in everything that is shown, logged or reported.

Only fields in an allowlist of names are shown. All other strings and numbers are masked, and so is a new kind of secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MASK = "••••••"
_MASKED = re.compile(rf"{MASK}( \(\d+ characters\))?")
_QUERY = re.compile(r"\?[^\s'\"]+")

# The names of fields that are not secret.
SHOWN = frozenset(
    {
        # around a request
        *("purpose", "status", "host", "endpoint", "exit", "provider", "seconds", "kids", "pushed", "by"),
        *("error", "error_description", "user", "typed", "issuer", "client_authentication"),
        # OAuth 2.0 and OpenID Connect parameters
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "prompt", "max_age"),
        *("grant_type", "login_hint", "acr_values", "code_challenge", "code_challenge_method"),
        "client_assertion_type",
        # claims
        *("iss", "sub", "aud", "exp", "iat", "auth_time", "acr"),
        *("preferred_username", "email", "email_verified"),
    }
)


def mask(value: Any, shown: bool = False) -> Any:
    """Return a copy of *value* in which only fields named in :data:`SHOWN` keep their strings and numbers.

    In a URL, only the values of the query are masked. Masking twice gives the same result as masking once.

    :param shown: Whether *value* itself may be shown.
    """
    if isinstance(value, Mapping):
        return {str(name): mask(item, name in SHOWN) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask(item, shown) for item in value]
    if shown or value is None or isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return MASK
    if value.startswith(("http://", "https://")):
        return mask_url(value)
    return value if _MASKED.fullmatch(value) else f"{MASK} ({len(value)} characters)"


def mask_url(url: str) -> str:
    """Return *url* with the values of its query masked, and without user name, password and fragment."""
    try:
        address = urlsplit(url)
        host = address.netloc.rpartition("@")[2]
    except ValueError:
        return MASK
    names = "&".join(f"{name}={MASK}" for name, _ in parse_qsl(address.query, keep_blank_values=True))
    return f"{address.scheme}://{host}{address.path}{'?' + names if names else ''}"


def mask_queries(text: str) -> str:
    """Return *text*, a line of a log, with the queries of all URLs in it masked."""
    return _QUERY.sub(f"?{MASK}", text)
