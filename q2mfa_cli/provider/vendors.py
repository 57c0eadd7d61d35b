"""Vendors and what to change in their products, from their documentation.

``docs/how-to/identity-providers`` has a page for most of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from q2mfa_cli.provider.observation import Observation


@dataclass(frozen=True)
class Vendor:
    """A vendor of identity providers, or an identity provider that people host themselves.

    :param page: The name of its page in ``docs/how-to/identity-providers``; empty if it has none.
    :param is_it: Maps the issuer's host and the metadata to whether the provider is of this vendor.
    :param remedies: What to change at this vendor, by the check's id.
    :param impossible: Why this vendor cannot pass a check, by the check's id.
    :param settings: Settings that the extension's configuration needs in addition to the usual ones.
    """

    name: str
    page: str
    is_it: Callable[[str, Mapping[str, Any]], bool]
    remedies: Mapping[str, str] = field(default_factory=dict)
    impossible: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def _host(*suffixes: str) -> Callable[[str, Mapping[str, Any]], bool]:
    return lambda host, metadata: any(host == each or host.endswith(f".{each}") for each in suffixes)


def _endpoint(suffix: str) -> Callable[[str, Mapping[str, Any]], bool]:
    return lambda host, metadata: str(metadata.get("authorization_endpoint", "")).endswith(suffix)


VENDORS: tuple[Vendor, ...] = (
    Vendor(
        "Microsoft Entra ID",
        "entra-id",
        _host("login.microsoftonline.com", "login.microsoftonline.us", "login.windows.net"),
        remedies={
            "issuer-match": "Use the tenant's id: https://login.microsoftonline.com/TENANT-ID/v2.0.",
            "claims": "Token configuration > Add optional claim > ID: add auth_time.",
        },
        impossible={
            "framing": "Entra ID has no setting for frames. Connect it through a provider whose pages can be framed, "
            "and that shows no page of Entra ID itself."
        },
        settings={"IDENTITY_CLAIM": "oid", "SCOPES": "openid profile"},
    ),
    Vendor(
        "Google",
        "",
        _host("accounts.google.com"),
        impossible={
            "framing": "Google has no setting for frames. Connect it through a provider whose pages can be framed, "
            "and that shows no page of Google itself."
        },
    ),
    Vendor(
        "Auth0",
        "auth0",
        _host("auth0.com"),
        remedies={
            "framing": "Ask Auth0 about frames: it documents them for development environments only "
            "(Branding > Universal Login > Core configuration).",
            "par": "Settings > Advanced: turn on Allow Pushed Authorization Requests (PAR). It needs the Enterprise plan "
            "with Highly Regulated Identity.",
        },
    ),
    Vendor(
        "Okta",
        "okta",
        _host("okta.com", "oktapreview.com", "okta-emea.com"),
        remedies={
            "framing": "Security > API > Trusted Origins: add the origin of online banking with the type iFrame embed.",
            "frame-cookies": "Browsers that block third-party cookies need Okta and online banking under one domain.",
        },
    ),
    Vendor(
        "PingOne",
        "ping",
        _host("pingone.com", "pingone.eu", "pingone.ca", "pingone.asia", "pingone.com.au"),
        remedies={"framing": "Ask Ping Identity whether the sign-on pages can be shown in a frame."},
    ),
    Vendor(
        "Keycloak",
        "keycloak",
        _endpoint("/protocol/openid-connect/auth"),
        remedies={
            "framing": "Realm settings > Security defenses: add the origin of online banking to frame-ancestors of "
            "Content-Security-Policy, and clear X-Frame-Options.",
            "pkce": "Client > Advanced: set Proof Key for Code Exchange Code Challenge Method to S256.",
        },
    ),
    Vendor(
        "Glewlwyd",
        "glewlwyd",
        lambda host, metadata: (
            str(metadata.get("authorization_endpoint", "")).endswith("/auth")
            and str(metadata.get("jwks_uri", "")).endswith("/jwks")
            and "/api/" in str(metadata.get("jwks_uri", ""))
        ),
        remedies={
            "framing": "Set add_x_frame_option_header_deny=false in glewlwyd.conf.",
            "frame-cookies": 'Set cookie_same_site="none" and cookie_secure=1 in glewlwyd.conf.',
            "par": "Plugin: enable pushed authorization requests.",
        },
        settings={"CHECK_AUTH_TIME": False, "IDENTITY_CLAIM": "username"},
    ),
)


def vendor_of(seen: Observation) -> Vendor | None:
    """Return the vendor of the provider; ``None`` if it is not in the table."""
    host = urlsplit(seen.issuer).hostname or ""
    return next((vendor for vendor in VENDORS if vendor.is_it(host, seen.metadata)), None)
