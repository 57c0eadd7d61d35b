"""The checks of protocol.py and oidc.py: what denies the attacks, and what docs/explanation/redirect-attacks.md shows.

A denial is identified by its function and its reason in the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Denial:
    """A check, and how it denies.

    :param function: where the check is.
    :param reason: the line in the log, as the file has it, with the fields of its f-string.
    :param section: what asks for the check.
    :param code: what the page is told.
    :param expression: the part of the function that checks, where one reason stands for several checks.
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


def _error(reason: str) -> str:
    """The reason of `denying(…)`, which adds the name of the exception."""
    return f"{reason}: {{type(error).__name__}}"


def _callback(reason: str, section: str, code: str) -> Denial:
    return Denial("check_callback", reason, section, code)


def _token(section: str, expression: str = "") -> Denial:
    reason = _error("the ID token is not valid")
    return Denial("check_signature", reason, section, "not_trusted", expression)


def _claim(reason: str, section: str, code: str = "not_trusted") -> Denial:
    return Denial("check_claims", reason, section, code)


def _fetch(reason: str, section: str) -> Denial:
    return Denial("_fetch", _error(reason), section, "provider_unavailable")


SETTING = Denial(
    "check_settings", "{name} has a wrong value", "its own rule: nothing is guessed", "not_configured"
)
FAPI2 = Denial(
    "check_settings", "FAPI 2.0 needs PAR and private_key_jwt", "FAPI 2.0, 5.3.3", "not_configured"
)
LINKED = Denial("check_settings", "the user has no {settings.IDENTITY_ATTRIBUTE}", "Core, 5.7", "not_linked")

ISSUER = Denial(
    "check_metadata", "the metadata is another issuer's", "Discovery, 4.3", "provider_unavailable"
)
ENDPOINT = Denial(
    "check_metadata", "{name} is no https URL", "Discovery, 3; RFC 8414, 2", "provider_unavailable"
)
KEY_LIST = Denial("check_keys", "there is no list of keys", "RFC 7517, 5", "provider_unavailable")

NO_ANSWER = _fetch("{host} gave no usable answer", "limits of its own")
NO_OBJECT = Denial(
    "check_answer",
    _error("{host} answered {status} and no JSON object"),
    "RFC 8259; RFC 6749, 5.1",
    "provider_unavailable",
)
REFUSED = Denial(
    "check_answer", "{host} answered {status} {name}", "RFC 6749, 5.2; RFC 9126, 2.3", "provider_unavailable"
)
SETUP = Denial("check_answer", REFUSED.reason, "RFC 6749, 5.2", "not_configured", "in SETUP_ERRORS")
PKCE = Denial(
    "finish",
    REFUSED.reason,
    "RFC 7636, 4.6; RFC 9700, 4.5",
    "provider_unavailable",
    '("redirect_uri", "code_verifier")',
)

SECRET = Denial("authenticate_client", "there is no client secret", "RFC 6749, 2.3", "not_configured")
AUTH_METHOD = Denial(
    "authenticate_client",
    "the provider takes no secret: set CLIENT_AUTH_METHOD",
    "Core, 9",
    "not_configured",
)
KEY_ALGORITHM = Denial(
    "assertion",
    "the private key's algorithm is not allowed",
    "RFC 7523, 3; FAPI 2.0, 5.4",
    "not_configured",
)
PRIVATE_KEY = Denial(
    "_provider", _error("the client's secret or key cannot be used"), "RFC 7523, 3", "not_configured"
)
REQUIRE_PAR = Denial("start", "PAR is required, and the provider has none", "RFC 9126, 5", "not_configured")
REQUEST_URI = Denial(
    "pushed_request", "the pushed request has no request_uri", "RFC 9126, 2.2", "provider_unavailable"
)

CACHE = Denial("_use", _error("the cache cannot {name}"), "its own rule", "failed")
FLOW = Denial("check_flow", "the session has no pending flow", "RFC 9700, 4.7.1; RFC 6749, 10.12", "expired")
ONCE = Denial("finish", "the flow was answered before", "RFC 9700, 4.7.1", "expired")

STATE = _callback("the state is another one", "RFC 6749, 10.12; RFC 9700, 4.7.1", "expired")
CONFIRMS = _callback("the flow was begun to confirm something else", "RFC 9700, 4.7.1", "expired")
ISS = _callback("iss is another issuer", "RFC 9207, 2.4; RFC 9700, 4.4.2", "not_trusted")
USER_ERROR = _callback("the provider answered {error}", "RFC 6749, 4.1.2.1; Core, 3.1.2.6", "access_denied")
ERROR = _callback("the provider answered another error", "RFC 6749, 4.1.2.1", "provider_error")
CODE = _callback("there is no code, or more than one", "RFC 6749, 3.1", "provider_error")

TOKEN = _token("Core, 3.1.3.3; RFC 7519, 7.2")
ALGORITHM = _token("Core, 3.1.3.7 (7); RFC 8725, 3.1", "settings.algorithms[alg]")
KEY_LENGTH = _token("RFC 7518, 3.3", "TOKENS.decode")
CLAIM_ISS = _token("Core, 3.1.3.7 (2)", '"issuer": settings.ISSUER')
AUD = _token("Core, 3.1.3.7 (3)", '"audience": settings.CLIENT_ID')
TIMES = _token("Core, 3.1.3.7 (9), (10)", "leeway=LEEWAY_SECONDS")
# TOKENS requires these claims.
REQUIRED = _token("Core, 2", "TOKENS.decode")
KEY = Denial(
    "check_signature",
    "no key, or more than one, fits the ID token",
    "Core, 10.1; RFC 7515, 4.1.4; RFC 7517, 4.5",
    "not_trusted",
)
SIGNATURE = _token("Core, 3.1.3.7 (6); RFC 8725, 3.3", "jwt.PyJWK(keys[0], alg)")

AUDIENCES = _claim("the ID token is for others too", "Core, 3.1.3.7 (3)")
AZP = _claim("azp is another client", "Core, 3.1.3.7 (4), (5)")
NONCE = _claim("the nonce is another one", "Core, 3.1.3.7 (11)")
IAT = _claim("iat is before the flow", "Core, 3.1.3.7 (10)")
ACR = _claim("acr is none of those asked for", "Core, 3.1.3.7 (12)", "too_weak")
AUTH_TIME = _claim("auth_time is missing or too old", "Core, 3.1.3.7 (13)", "too_old")
EMAIL_VERIFIED = _claim("the email address is not verified", "Core, 5.1", "wrong_user")
IDENTITY = _claim("someone else logged in", "Core, 5.7", "wrong_user")
