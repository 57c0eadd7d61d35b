"""The lines of oidc.py that deny, by name: what test_hostile.py expects to be denied, and docs/ shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One line of oidc.py that denies.

    :param line: text that only this line has. :param section: what asks for it.
    :param code: what the page is told. :param reason: how the line in the log begins.
    """

    line: str
    section: str
    code: str
    reason: str


ONCE = Check(
    'self._require(flow, "expired"',
    "RFC 9700, 4.7.1; RFC 6749, 10.12",
    "expired",
    "the session has no pending flow",
)
STATE = Check(
    'callback.get("state")', "RFC 6749, 10.12; RFC 9700, 4.7.1", "expired", "the state is another one"
)
ISS = Check(
    'callback.get("iss") == metadata["issuer"]',
    "RFC 9207, 2.4; RFC 9700, 4.4.2",
    "not_trusted",
    "iss is another issuer",
)
USER_ERROR = Check(
    'raise self._denied(error, f"the provider answered',
    "RFC 6749, 4.1.2.1; Core, 3.1.2.6",
    "access_denied",
    "the provider answered ",
)
ERROR = Check(
    "self._require(error is None",
    "RFC 6749, 4.1.2.1",
    "provider_error",
    "the provider answered another error",
)
CODE = Check(
    '_is_text(callback.get("code"))', "RFC 6749, 3.1", "provider_error", "there is no code, or more than one"
)
REFUSED = Check(
    "response.status_code in (200, 201)",
    "RFC 6749, 5.2; RFC 9126, 2.3",
    "provider_unavailable",
    "127.0.0.1 answered ",
)
PKCE = Check(
    '"code_verifier": flow["code_verifier"]',
    "RFC 7636, 4.6; RFC 9700, 4.5",
    "provider_unavailable",
    "127.0.0.1 answered 400 invalid_grant",
)
NO_ANSWER = Check(
    "gave no usable answer: ",
    "RFC 8259; limits of its own",
    "provider_unavailable",
    "127.0.0.1 gave no usable answer: ",
)
NO_OBJECT = Check(
    "isinstance(answer, dict)",
    "RFC 6749, 5.1; limits of its own",
    "provider_unavailable",
    "127.0.0.1 gave no JSON object of a sane size",
)
ISSUER = Check(
    'answer.get("issuer") == issuer',
    "Discovery, 4.3",
    "provider_unavailable",
    "the metadata are another issuer's",
)
ENDPOINT = Check("_is_safe_url(metadata[name])", "Discovery, 3; RFC 8414, 2", "provider_unavailable", "")
AUTH_METHOD = Check(
    "self._require(method,",
    "Core, 9",
    "not_configured",
    "the provider takes none of client_secret_basic, client_secret_post",
)
REQUEST_URI = Check(
    'pushed.get("request_uri")',
    "RFC 9126, 2.2",
    "provider_unavailable",
    "the pushed request has no request_uri",
)
REQUIRE_PAR = Check(
    "not self.config.REQUIRE_PAR",
    "RFC 9126, 5",
    "not_configured",
    "PAR is required, and the provider has none",
)
KEY = Check(
    "self._require(key,",
    "Core, 10.1; RFC 7515, 4.1.4",
    "not_trusted",
    "no key of the provider is that of the ID token",
)
INVALID = "the ID token is not valid: "
TOKEN = Check('f"the ID token is not valid: ', "Core, 3.1.3.3; RFC 7519, 7.2", "not_trusted", INVALID)
SIGNATURE = Check('jwt.PyJWK(key, header["alg"])', "Core, 3.1.3.7 (6); RFC 8725, 3.3", "not_trusted", INVALID)
KEY_LENGTH = Check("return DECODER.decode(", "RFC 7518, 3.3", "not_trusted", INVALID)
ALGORITHM = Check("algorithms=ALGORITHMS", "Core, 3.1.3.7 (7); RFC 8725, 3.1", "not_trusted", INVALID)
CLAIM_ISS = Check('issuer=metadata["issuer"],', "Core, 3.1.3.7 (2)", "not_trusted", INVALID)
AUD = Check("audience=self.config.CLIENT_ID", "Core, 3.1.3.7 (3)", "not_trusted", INVALID)
TIMES = Check("leeway=LEEWAY_SECONDS", "Core, 3.1.3.7 (9), (10)", "not_trusted", INVALID)
REQUIRED = Check('options={"require"', "Core, 2", "not_trusted", INVALID)
AZP = Check("self._require(azp ==", "Core, 3.1.3.7 (4), (5)", "not_trusted", "azp is another client")
IAT = Check("_between(earliest, claims", "Core, 3.1.3.7 (10)", "not_trusted", "iat is before the flow")
NONCE = Check('claims.get("nonce")', "Core, 3.1.3.7 (11)", "not_trusted", "the nonce is another one")
ACR = Check('claims.get("acr")', "Core, 3.1.3.7 (12)", "too_weak", "acr is none of those asked for")
AUTH_TIME = Check("self._require(recent", "Core, 3.1.3.7 (13)", "too_old", "auth_time is missing or too old")
LINKED = Check("_is_text(q2_identity)", "Core, 5.7", "not_linked", "the user has no ")
EMAIL_VERIFIED = Check(
    'claims.get("email_verified")', "Core, 5.1", "wrong_user", "the e-mail is not verified"
)
PERSON = Check(
    "claims.get(self.config.IDENTITY_CLAIM) ==", "Core, 5.7", "wrong_user", "somebody else logged in"
)

# Only the extension's own tests deny these.
CREDENTIALS = Check(
    "self.config.CLIENT_ID and await self.client_secret()",
    "RFC 6749, 2.3",
    "not_configured",
    "there is no client id or secret",
)
SECRET = Check("self._require(secret,", "RFC 6749, 2.3", "not_configured", "there is no client secret")
PRIVATE_KEY = Check(
    "f\"the client's private key cannot be used: ",
    "RFC 7523, 3",
    "not_configured",
    "the client's private key cannot be used: ",
)
ISSUER_URL = Check("_is_safe_url(issuer)", "Discovery, 3", "not_configured", "the issuer is no https URL")
