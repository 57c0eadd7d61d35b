"""The table of checks. ``docs/reference/provider-checks.md`` is generated from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from q2mfa_cli.provider import capabilities, credentials, discovery, framing, keys, transport
from q2mfa_cli.provider.observation import Observation
from q2mfa_cli.provider.outcome import Outcome


@dataclass(frozen=True)
class Check:
    """One check.

    :param what: The requirement, for the documentation.
    :param source: The specification that has the requirement.
    :param severity: The severity of its findings. With ``high`` or ``critical``, no customer can log in.
    :param remedy: What to change.
    :param run: Returns the outcomes for an observation.
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
        "The issuer is an https URL without a query or fragment.",
        "RFC 8414, 2",
        "high",
        "Use the issuer from the provider's metadata.",
        discovery.issuer_form,
    ),
    Check(
        "tls",
        "Each host supports TLS 1.2 or later, with a trusted certificate that is valid for at least 21 days, and sends HSTS.",
        "RFC 8414, 6.1; RFC 6797",
        "high",
        "Renew the certificate, complete its chain, or send Strict-Transport-Security.",
        transport.tls,
    ),
    Check(
        "discovery",
        "The metadata is a JSON object of at most 100,000 bytes, served without a redirect.",
        "Discovery, 4",
        "high",
        "Check the issuer: the provider must respond at the issuer followed by /.well-known/openid-configuration.",
        discovery.discovery,
    ),
    Check(
        "issuer-match",
        "The issuer in the metadata matches exactly.",
        "Discovery, 4.3",
        "high",
        "Set ISSUER to the spelling of the provider's metadata.",
        discovery.issuer_match,
    ),
    Check(
        "endpoints",
        "authorization_endpoint, token_endpoint and jwks_uri are https URLs.",
        "Discovery, 3",
        "high",
        "Configure the provider to publish https URLs for these endpoints.",
        discovery.endpoints,
    ),
    Check(
        "hosts",
        "Lists the hosts for OUTBOUND_WHITELIST, and other origins of the login pages.",
        "Q2 SDK",
        "info",
        "",
        discovery.hosts,
    ),
    Check(
        "response-type",
        "The response type code, the response mode query and the authorization code grant are available.",
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
        "Turn on pushed authorization requests (PAR) if the provider supports them.",
        capabilities.par,
    ),
    Check(
        "iss",
        "The authorization response names the issuer.",
        "RFC 9207, 3",
        "low",
        "Turn on iss in authorization responses (RFC 9207) if the provider supports it.",
        capabilities.iss,
    ),
    Check(
        "id-token-alg",
        "ID tokens are signed with an asymmetric algorithm, and the algorithm none is not announced.",
        "RFC 8725, 3.1",
        "high",
        "Configure the client's ID tokens to be signed with PS256, ES256 or RS256.",
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
        "The ACR values that the extension requests are announced.",
        "Core, 3.1.2.1",
        "medium",
        "Set ACR_VALUES to values that the provider announces, or configure the provider to announce these.",
        capabilities.acr,
    ),
    Check(
        "claims",
        "auth_time is announced.",
        "Core, 2",
        "medium",
        "Configure the provider to add auth_time to the ID token.",
        capabilities.claims,
    ),
    Check(
        "subject",
        "Shows whether sub is the same for all clients.",
        "Core, 8",
        "info",
        "",
        capabilities.subject,
    ),
    Check(
        "jwks",
        "At least one signing key is usable, RSA keys have 2048 bits or more, each kid is unique, and no secret is published.",
        "RFC 7517, 4; RFC 7518, 3.3",
        "medium",
        "Publish only public keys, each with its own kid. Use RSA keys of 2048 bits or more.",
        keys.jwks,
    ),
    Check(
        "client",
        "The provider accepts the client's credentials and its redirect URI.",
        "RFC 9126, 2; RFC 6749, 5.2",
        "high",
        "Compare the client ID, the secret and the authentication method with the client's registration.",
        credentials.client,
    ),
    Check(
        "framing",
        "Online banking may frame the login page.",
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
        "Add the origin of online banking to frame-ancestors of the login pages, remove X-Frame-Options, and "
        "remove scripts that hide a framed page.",
        framing.browser,
    ),
    Check(
        "frame-cookies",
        "The provider's cookies up to the login page work in a cross-site frame.",
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
        "The authorization endpoint does not allow CORS requests.",
        "RFC 9700, 2.6",
        "low",
        "Turn off CORS at the authorization endpoint.",
        transport.cors,
    ),
)
