"""Checks of the issuer and its metadata: OpenID Connect Discovery 1.0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from q2mfa_cli.errors import UsageError, shown
from q2mfa_cli.provider.observation import NoResponse, Observation, Response, origin_of
from q2mfa_cli.provider.outcome import Outcome, found, info, passed, skipped
from q2mfa_cli.validators import check_issuer

WELL_KNOWN = "/.well-known/openid-configuration"
PAR_ENDPOINT = "pushed_authorization_request_endpoint"
REQUIRED_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# The endpoints that the extension's backend calls. Only the browser visits the authorization endpoint.
BACKEND_ENDPOINTS = ("token_endpoint", "jwks_uri", PAR_ENDPOINT)


def metadata_url(issuer: str) -> str:
    """Return the URL of the metadata of *issuer* (Discovery, 4)."""
    return issuer.rstrip("/") + WELL_KNOWN


def issuer_problem(issuer: str) -> tuple[str, str] | None:
    """Return why *issuer* is not valid, and the remedy; ``None`` if it is valid."""
    try:
        spelling = check_issuer(issuer)
    except UsageError as error:
        return error.message, error.hint
    if spelling != issuer:
        return "This is the URL of the metadata, not the issuer.", f"Use {spelling} as the issuer."
    return None


def issuer_form(seen: Observation) -> Iterable[Outcome]:
    problem = issuer_problem(seen.issuer)
    if problem:
        yield found(problem[0], remedy=problem[1])
    elif seen.on_loopback:
        yield passed("The issuer is an http URL on this machine, which is for testing only.")
    else:
        yield passed("The issuer is an https URL without a query or fragment.")


def discovery(seen: Observation) -> Iterable[Outcome]:
    if issuer_problem(seen.issuer):
        yield skipped("The issuer is not valid, so the provider was not queried.")
        return
    response = seen.discovery
    if isinstance(response, NoResponse):
        yield found(f"The provider {response.failure.value}.", seen_at=response.url)
    elif 300 <= response.status < 400:
        yield found(
            "The URL of the metadata redirects, which the extension does not follow.",
            remedy="Use the issuer that the redirect leads to.",
            seen_at=response.url,
        )
    elif response.status != 200:
        yield found(f"The URL of the metadata responds with status {response.status}.", seen_at=response.url)
    elif not isinstance(response.json, dict):
        yield found("The metadata is not a JSON object.", seen_at=response.url)
    else:
        yield passed(f"The metadata is a JSON object of {len(response.body):,} bytes.")


def right_spelling(seen: Observation) -> str:
    """Return the issuer in the metadata if it is valid; otherwise, an empty string."""
    issuer = seen.metadata.get("issuer")
    is_issuer = isinstance(issuer, str) and not issuer_problem(issuer) and "{" not in issuer
    return str(issuer) if is_issuer else ""


def matches_loosely(one: str, other: str) -> bool:
    """Return whether two issuers are equal, ignoring letter case and trailing slashes."""
    return one.rstrip("/").lower() == other.rstrip("/").lower()


def issuer_match(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield skipped("There is no metadata.")
        return
    issuer = seen.metadata.get("issuer")
    if issuer == seen.issuer:
        yield passed("The issuer in the metadata matches exactly.")
    elif not isinstance(issuer, str):
        yield found("The metadata does not contain an issuer.")
    elif "{" in issuer:
        yield found(
            f"The metadata names {shown(issuer)}, a placeholder that no ID token matches.",
            remedy="Use the issuer of one tenant, which contains the tenant's ID.",
        )
    elif spelling := right_spelling(seen):
        yield found(f"The metadata names {shown(issuer)}.", remedy=f"Set ISSUER to {spelling}.")
    else:
        yield found(f"The metadata names {shown(issuer)}, which is not a valid issuer.")


def endpoints(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield skipped("There is no metadata.")
        return
    wrong = []
    for name in (*REQUIRED_ENDPOINTS, PAR_ENDPOINT):
        value = seen.metadata.get(name)
        if value is None and name == PAR_ENDPOINT:
            continue
        if value is None:
            wrong.append(f"{name} is missing")
        elif not seen.is_safe(value):
            wrong.append(f"{name} is {shown(value)}, which is not an https URL")
    if wrong:
        yield found(f"The metadata contains invalid endpoints: {'; '.join(wrong)}.")
    else:
        yield passed("The authorization endpoint, the token endpoint and the keys have https URLs.")


def backend_hosts(seen: Observation) -> list[str]:
    """Return the hosts for ``OUTBOUND_WHITELIST``: those of the issuer and of the endpoints that the backend calls."""
    urls: list[Any] = [seen.issuer, *(seen.metadata.get(name) for name in BACKEND_ENDPOINTS)]
    return list(dict.fromkeys(urlsplit(url).hostname or "" for url in urls if seen.is_safe(url)))


def page_origins(seen: Observation) -> list[str]:
    """Return the origins of the authorization endpoint and the login pages, without the issuer's origin."""
    urls: list[Any] = [
        seen.metadata.get("authorization_endpoint"),
        *(page.url for page in seen.pages if isinstance(page, Response)),
    ]
    origins = dict.fromkeys(origin_of(url) for url in urls if seen.is_safe(url))
    return [origin for origin in origins if origin != origin_of(seen.issuer)]


def hosts(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield skipped("There is no metadata.")
        return
    yield info(f"The backend sends requests to {', '.join(backend_hosts(seen))}.")
    if origins := page_origins(seen):
        yield info(f"The browser also visits {', '.join(origins)}. Add each to additionalDomains.")
