"""The checks of oidc.py: what the attacks expect to be denied by, and what docs/redirect-security.md shows.

A denial is known by its function and by its reason in the log, as both stand in oidc.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Denial:
    """A check of oidc.py, and how it denies.

    :param function: where the check is.
    :param reason: the line in the log, as oidc.py has it, with the fields of its f-string.
    :param section: what asks for the check.
    :param code: what the page is told.
    :param expression: the part of the statement that checks, where one reason stands for several checks.
    """

    function: str
    reason: str
    section: str
    code: str
    expression: str = ""

    def matches(self, reason: str) -> bool:
        """Whether *reason*, from the log, is this one. The provider's host is the one of the tests."""
        literals_and_fields = re.split(r"(\{[^}]*\})", self.reason)
        pattern = "".join(
            r"127\.0\.0\.1" if part == "{host}" else ".*" if part.startswith("{") else re.escape(part)
            for part in literals_and_fields
        )
        return re.fullmatch(pattern, reason) is not None


def _start(reason: str, section: str, code: str = "not_configured") -> Denial:
    return Denial("start", reason, section, code)


def _finish(reason: str, section: str, code: str = "not_trusted") -> Denial:
    return Denial("finish", reason, section, code)


def _claims(section: str, expression: str = "") -> Denial:
    reason = "the ID token is not valid: {type(error).__name__}"
    return Denial("_claims", reason, section, "not_trusted", expression)


def _fetch(reason: str, section: str) -> Denial:
    return Denial("_fetch", reason, section, "provider_unavailable")


CREDENTIALS = _start("there is no client id or secret", "RFC 6749, 2.3")
REQUEST_URI = _start("the pushed request has no request_uri", "RFC 9126, 2.2", "provider_unavailable")
REQUIRE_PAR = _start("PAR is required, and the provider has none", "RFC 9126, 5")

ONCE = _finish("the session has no pending flow", "RFC 9700, 4.7.1; RFC 6749, 10.12", "expired")
STATE = _finish("the state is another one", "RFC 6749, 10.12; RFC 9700, 4.7.1", "expired")
ISS = _finish("iss is another issuer", "RFC 9207, 2.4; RFC 9700, 4.4.2")
USER_ERROR = _finish("the provider answered {error}", "RFC 6749, 4.1.2.1; Core, 3.1.2.6", "access_denied")
ERROR = _finish("the provider answered another error", "RFC 6749, 4.1.2.1", "provider_error")
CODE = _finish("there is no code, or more than one", "RFC 6749, 3.1", "provider_error")
AZP = _finish("azp is another client", "Core, 3.1.3.7 (4), (5)")
IAT = _finish("iat is before the flow", "Core, 3.1.3.7 (10)")
NONCE = _finish("the nonce is another one", "Core, 3.1.3.7 (11)")
ACR = _finish("acr is none of those asked for", "Core, 3.1.3.7 (12)", "too_weak")
AUTH_TIME = _finish("auth_time is missing or too old", "Core, 3.1.3.7 (13)", "too_old")
LINKED = _finish("the user has no {self.config.IDENTITY_ATTRIBUTE}", "Core, 5.7", "not_linked")
EMAIL_VERIFIED = _finish("the e-mail is not verified", "Core, 5.1", "wrong_user")
IDENTITY = _finish("somebody else logged in", "Core, 5.7", "wrong_user")

TOKEN = _claims("Core, 3.1.3.3; RFC 7519, 7.2")
SIGNATURE = _claims("Core, 3.1.3.7 (6); RFC 8725, 3.3", 'jwt.PyJWK(key, header["alg"])')
KEY_LENGTH = _claims("RFC 7518, 3.3", "DECODER.decode")
ALGORITHM = _claims("Core, 3.1.3.7 (7); RFC 8725, 3.1", "algorithms=ALGORITHMS")
CLAIM_ISS = _claims("Core, 3.1.3.7 (2)", 'issuer=metadata["issuer"]')
AUD = _claims("Core, 3.1.3.7 (3)", "audience=self.config.CLIENT_ID")
TIMES = _claims("Core, 3.1.3.7 (9), (10)", "leeway=LEEWAY_SECONDS")
REQUIRED = _claims("Core, 2", 'options={"require": ["iss", "sub", "aud", "exp", "iat"]}')
KEY = Denial(
    "_claims",
    "no key of the provider is that of the ID token",
    "Core, 10.1; RFC 7515, 4.1.4",
    "not_trusted",
)

ISSUER_URL = Denial("_metadata", "the issuer is no https URL", "Discovery, 3", "not_configured")
ISSUER = Denial("_metadata", "the metadata are another issuer's", "Discovery, 4.3", "provider_unavailable")
ENDPOINT = Denial("_metadata", "{name} is no https URL", "Discovery, 3; RFC 8414, 2", "provider_unavailable")

AUTH_METHOD = Denial("_post", "the provider takes none of {', '.join(wanted)}", "Core, 9", "not_configured")
SECRET = Denial("_post", "there is no client secret", "RFC 6749, 2.3", "not_configured")
PRIVATE_KEY = Denial(
    "_assertion",
    "the client's private key cannot be used: {type(error).__name__}",
    "RFC 7523, 3",
    "not_configured",
)

NO_ANSWER = _fetch("{host} gave no usable answer: {type(error).__name__}", "RFC 8259; limits of its own")
NO_OBJECT = _fetch("{host} gave no JSON object of a sane size", "RFC 6749, 5.1; limits of its own")
REFUSED = _fetch("{host} answered {response.status_code} {mistake}", "RFC 6749, 5.2; RFC 9126, 2.3")
PKCE = Denial(
    "finish",
    REFUSED.reason,
    "RFC 7636, 4.6; RFC 9700, 4.5",
    "provider_unavailable",
    '"code_verifier": flow["code_verifier"]',
)
