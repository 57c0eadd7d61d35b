"""``q2mfa provider ISSUER``: check whether a real identity provider works in an outlet."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from q2mfa_cli.errors import ToolFailed, UsageError, shown
from q2mfa_cli.provider.observation import is_safe_url, origin_of
from q2mfa_cli.validators import check_client_id, check_scopes

if TYPE_CHECKING:
    # These modules need the sandbox extra. check_provider reports if it is missing.
    from q2mfa_cli.provider.judgment import Judgment

NEEDED = ("requests", "jwt", "cryptography", "publicsuffixlist")


def check_provider(
    issuer: str,
    *,
    client_id: str | None = None,
    secret_variable: str | None = None,
    redirect_uri: str | None = None,
    embedder: str | None = None,
    scopes: Sequence[str] = (),
    acr_values: str = "",
    requires_par: bool = False,
    profile: str = "",
    in_browser: bool = False,
) -> Judgment:
    """Query an identity provider, and return the judgment.

    :param secret_variable: The environment variable with the client's secret, or its private key as a JWK.
    :raises UsageError: An argument is not valid.
    :raises ToolFailed: The provider cannot be reached, or a package is missing.
    """
    missing = [module for module in NEEDED if importlib.util.find_spec(module) is None]
    if missing:
        raise ToolFailed(
            f"The checks need {', '.join(missing)}, which this Python does not have.",
            'Install it: pip install "q2mfa-cli[sandbox]"',
            "sandbox_missing",
        )
    from q2mfa_cli.provider.judgment import judge  # needs the extra
    from q2mfa_cli.provider.visit import Target, UnusableKey, visit  # needs the extra

    target = Target(
        issuer=issuer,
        client_id=check_client_id(client_id) if client_id is not None else "",
        redirect_uri=_redirect_uri(redirect_uri),
        embedder=_origin(embedder),
        scopes=check_scopes(scopes),
        acr_values=acr_values.split(),
        secret=_secret(secret_variable, client_id),
        requires_par=requires_par,
        profile=profile,
        in_browser=in_browser,
    )
    try:
        judgment = judge(visit(target))
    except UnusableKey:
        raise UsageError(
            f"The private key in {secret_variable} cannot be used.",
            'It must be a JWK with "alg" and "kid", such as an ES256 key.',
            "bad_key",
        ) from None
    if judgment.is_unreachable:
        (reason,) = (f.outcome.text for f in judgment.findings if f.check.id == "discovery")
        raise ToolFailed(
            f"Nothing could be checked at {shown(issuer)}. {reason}",
            "Check the issuer, and whether this machine may connect to it (proxy, VPN).",
            "unreachable",
        )
    return judgment


def shown_report(judgment: Judgment, output_format: str, min_severity: str) -> str:
    """Return the report of *judgment* in *output_format*, ``text`` or ``json``."""
    from q2mfa_cli.provider import report  # needs the extra

    return report.as_json(judgment) if output_format == "json" else report.as_text(judgment, min_severity)


def _secret(variable: str | None, client_id: str | None) -> str:
    if variable is None:
        return ""
    if client_id is None:
        raise UsageError("A client secret needs a client ID.", "Add --client-id.", "client_id_missing")
    secret = os.environ.get(variable, "")
    if not secret:
        raise UsageError(
            f"The environment variable {shown(variable)} is not set, or empty.",
            "Set it to the client's secret; --client-secret-env takes the variable's name, not the secret.",
            "secret_missing",
        )
    return secret


def _redirect_uri(url: str | None) -> str:
    if url is None:
        return ""
    if urlsplit(url).scheme not in ("http", "https") or not url.isascii() or "#" in url:
        raise UsageError(
            f"{shown(url)} is not a valid redirect URI.",
            "Use the client's registered redirect URI: <base_assets_url>/verify.html.",
            "bad_redirect_uri",
        )
    return url


def _origin(url: str | None) -> str:
    """Return *url*, which may end in a slash, as an origin."""
    if url is None:
        return ""
    if not is_safe_url(url, "http://") or urlsplit(url).path not in ("", "/") or "?" in url:
        raise UsageError(
            f"{shown(url)} is not a valid origin.",
            "Use the scheme and host of online banking, such as https://online.bank.example.",
            "bad_embedder",
        )
    return origin_of(url)
