"""The one table of checks. ``docs/reference/provider-checks.md`` is written from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from q2mfa_cli.provider import capabilities, credentials, discovery, framing, keys, transport
from q2mfa_cli.provider.observation import Observation
from q2mfa_cli.provider.outcome import Outcome


@dataclass(frozen=True)
class Check:
    """One check.

    :param what: what has to hold, for the documentation. :param source: what asks for it.
    :param severity: of what it finds. A finding of ``high`` or more lets no customer through.
    :param remedy: what to change. :param run: from what was seen to what that means.
    """

    id: str
    what: str
    source: str
    severity: str
    remedy: str
    run: Callable[[Observation], Iterable[Outcome]]


CHECKS: tuple[Check, ...] = (
    Check(
        "issuer-form",
        "The issuer is an https URL without query and fragment.",
        "RFC 8414, 2",
        "high",
        "Use the issuer that the provider's metadata name.",
        discovery.issuer_form,
    ),
    Check(
        "tls",
        "Each host has TLS 1.2 or newer and a certificate that this machine trusts, for 21 days at least; HSTS.",
        "RFC 8414, 6.1; RFC 6797",
        "high",
        "Renew or complete the certificate chain, or send Strict-Transport-Security.",
        transport.tls,
    ),
    Check(
        "discovery",
        "The metadata are a JSON object of at most 100,000 bytes, without a redirect.",
        "Discovery, 4",
        "high",
        "Check the issuer: its address followed by /.well-known/openid-configuration has to answer.",
        discovery.discovery,
    ),
    Check(
        "issuer-match",
        "The metadata name exactly this issuer.",
        "Discovery, 4.3",
        "high",
        "Set ISSUER to the spelling of the provider's metadata.",
        discovery.issuer_match,
    ),
    Check(
        "endpoints",
        "authorization_endpoint, token_endpoint and jwks_uri are there and have https URLs.",
        "Discovery, 3",
        "high",
        "Let the provider publish https URLs for these endpoints.",
        discovery.endpoints,
    ),
    Check(
        "hosts",
        "Tells the hosts for OUTBOUND_WHITELIST, and the other origins of the login pages.",
        "Q2 SDK",
        "info",
        "",
        discovery.hosts,
    ),
    Check(
        "response-type",
        "There are the response type code, the response mode query and the authorization code grant.",
        "RFC 9700, 2.1.2",
        "high",
        "Turn on the authorization code grant (response type code).",
        capabilities.response_type,
    ),
    Check(
        "pkce",
        "S256 is announced among the code challenge methods, and plain is not.",
        "RFC 9700, 2.1.1",
        "medium",
        "Turn on PKCE with S256 for the client, and turn off plain.",
        capabilities.pkce,
    ),
    Check(
        "par",
        "Pushed authorization requests are announced.",
        "RFC 9126, 5",
        "low",
        "Turn on pushed authorization requests (PAR) if the provider has them.",
        capabilities.par,
    ),
    Check(
        "iss",
        "The authorization response names the issuer.",
        "RFC 9207, 3",
        "low",
        "Turn on iss in authorization responses (RFC 9207) if the provider has it.",
        capabilities.iss,
    ),
    Check(
        "id-token-alg",
        "An asymmetric algorithm signs ID tokens, and none is not announced.",
        "RFC 8725, 3.1",
        "high",
        "Let the client's ID tokens be signed with PS256, ES256 or RS256.",
        capabilities.id_token_alg,
    ),
    Check(
        "client-auth",
        "The client can authenticate with client_secret_basic, client_secret_post or private_key_jwt.",
        "Core, 9",
        "high",
        "Register a confidential client with one of these methods.",
        capabilities.client_auth,
    ),
    Check(
        "acr",
        "The ACR values that the extension asks for are announced.",
        "Core, 3.1.2.1",
        "medium",
        "Set ACR_VALUES to values that the provider announces, or let it announce these.",
        capabilities.acr,
    ),
    Check(
        "claims",
        "auth_time is announced.",
        "Core, 2",
        "medium",
        "Let the provider add auth_time to the ID token.",
        capabilities.claims,
    ),
    Check(
        "subject",
        "Tells whether sub is the same for all clients.",
        "Core, 8",
        "info",
        "",
        capabilities.subject,
    ),
    Check(
        "jwks",
        "A key for signatures can be used, RSA keys have 2048 bits, a kid is unique, and no secret is published.",
        "RFC 7517, 4; RFC 7518, 3.3",
        "medium",
        "Publish only public keys, each with a kid of its own; RSA keys of 2048 bits or more.",
        keys.jwks,
    ),
    Check(
        "client",
        "The provider accepts the client's credentials and its redirect URI.",
        "RFC 9126, 2; RFC 6749, 5.2",
        "high",
        "Compare the client id, the secret and the method of authentication with the client's registration.",
        credentials.client,
    ),
    Check(
        "framing",
        "The login page lets online banking frame it.",
        "RFC 9700, 4.16",
        "high",
        "Add the origin of online banking to frame-ancestors of the login pages, and remove X-Frame-Options.",
        framing.framing,
    ),
    Check(
        "browser",
        "Chromium shows the login page in a frame of online banking. Only with --browser.",
        "HTML Standard; CSP Level 3",
        "high",
        "Add the origin of online banking to frame-ancestors of the login pages, remove X-Frame-Options, and have no "
        "script that hides a framed page.",
        framing.browser,
    ),
    Check(
        "frame-cookies",
        "The cookies on the way to the login page reach the provider in a frame of another site.",
        "RFC 6265bis, 5.2",
        "high",
        "Set them SameSite=None; Secure; Partitioned, or host the login page in online banking's own domain.",
        framing.frame_cookies,
    ),
    Check(
        "passkeys",
        "The login page does not need passkeys.",
        "WebAuthn Level 3, 5.10",
        "low",
        "Offer another factor, or have online banking's frame allow publickey-credentials-get (allowDirectives).",
        framing.passkeys,
    ),
    Check(
        "clock",
        "The provider's clock and this machine's differ by less than the leeway of 60 seconds.",
        "Core, 3.1.3.7",
        "medium",
        "Synchronize the clock that is wrong.",
        transport.clock,
    ),
    Check(
        "cors",
        "The authorization endpoint does not answer scripts of other origins.",
        "RFC 9700, 2.6",
        "low",
        "Turn off CORS at the authorization endpoint.",
        transport.cors,
    ),
)
