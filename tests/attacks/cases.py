"""Everything that a provider, a browser or a stranger can get wrong, one case each, as one table.

docs/redirect-security.md shows the same table (table.py writes it), and test_hostile.py runs it. A case changes one
thing of a login that otherwise succeeds, and has to be denied by the line of oidc.py that is there for it.
"""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm

from attacks.answers import Raw, big, body, bomb, redirect, reset, silence, slow, status, wire
from attacks.case import Case, after, changed, listed, longer, without
from attacks.checks import (
    ACR,
    ALGORITHM,
    AUD,
    AUTH_METHOD,
    AUTH_TIME,
    AZP,
    CLAIM_ISS,
    CODE,
    EMAIL_VERIFIED,
    ENDPOINT,
    ERROR,
    IAT,
    ISS,
    ISSUER,
    KEY,
    KEY_LENGTH,
    LINKED,
    NO_ANSWER,
    NO_OBJECT,
    NONCE,
    PERSON,
    REFUSED,
    REQUEST_URI,
    REQUIRE_PAR,
    REQUIRED,
    SIGNATURE,
    STATE,
    TIMES,
    TOKEN,
    USER_ERROR,
    Check,
)
from attacks.flows import FLOWS, NO_PAR
from attacks.hostile import (
    ANOTHER_KEY,
    EMAIL,
    HONEST,
    USER,
    Change,
    HostileProvider,
    Json,
    Key,
    Lie,
    base64url,
    honest,
    signed,
)
from attacks.served import CLIENT_ID, CLIENT_SECRET

# ---- the same wrong answers, from each of the four addresses that the server asks ------------------

ANSWERS: dict[str, tuple[str, Change, Check]] = {
    "error": ("answers 500, with an honest answer", lambda answer: status(500, answer), REFUSED),
    "found": ("redirects (302) to an honest answer", redirect(302), REFUSED),
    "redirect": ("redirects (307), with what was posted, to an honest answer", redirect(307), REFUSED),
    "big": ("answers 20 MB, honest but for the spaces behind it", big, NO_OBJECT),
    "bomb": ("answers 20 KB that unpack to 20 MB", bomb, NO_OBJECT),
    "slow": ("sends a byte at a time (slow loris)", slow, NO_ANSWER),
    "silent": ("takes the request and never answers", silence, NO_ANSWER),
    "reset": ("resets the connection", reset, NO_ANSWER),
    "cut": (
        "stops in the middle",
        wire(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"id_token"'),
        NO_ANSWER,
    ),
    "no-http": ("speaks another protocol", wire(b"\x15\x03\x03\x00\x02\x02\x28"), NO_ANSWER),
    "html": ("answers a page", lambda answer: body(b"<html><h1>Sign in</h1></html>", "text/html"), NO_ANSWER),
    "empty": ("answers nothing", lambda answer: body(b""), NO_ANSWER),
    "doubled": ("answers twice in one body", lambda answer: body(json.dumps(answer).encode() * 2), NO_ANSWER),
    "list": ("answers a list with an honest answer in it", lambda answer: [answer], NO_OBJECT),
    "null": ("answers `null`", lambda answer: body(b"null"), NO_OBJECT),
    "deep": ("answers JSON nested 99 000 deep", lambda answer: body(b"[" * 99_000), NO_ANSWER),
}
SLOW = ("-slow", "-silent")


def answers(address: str, place: str, **options: Any) -> list[Case]:
    cases = []
    for name, (wrong, lie, check) in ANSWERS.items():
        told: dict[str, Any] = {place: lie}
        cases.append(Case(f"{place}-{name}", f"{address} {wrong}", check, Lie(**told), **options))
    return cases


# ---- metadata --------------------------------------------------------------------------------------


def metadata(name: str, wrong: str, check: Check | None, lie: Change, **options: Any) -> Case:
    return Case(f"metadata-{name}", wrong, check, Lie(metadata=lie), **{"fresh": True, **options})


def endpoint(name: str, wrong: str, which: str, *value: Any) -> Case:
    lie = changed(**{which: value[0]}) if value else without(which)
    asked = ["GET /.well-known/openid-configuration"]
    return metadata(name, wrong, ENDPOINT, lie, asked=asked, reason=f"{which} is no https URL")


METADATA = [
    *answers("the metadata's address", "metadata", fresh=True),
    metadata("issuer", "the metadata are another issuer's", ISSUER, changed(issuer="https://evil.example")),
    metadata("issuer-slash", "the metadata's issuer has one `/` more", ISSUER, longer("issuer", "/")),
    metadata("issuer-missing", "the metadata name no issuer", ISSUER, without("issuer")),
    endpoint("no-authorization", "no authorization endpoint", "authorization_endpoint"),
    endpoint("no-token", "no token endpoint", "token_endpoint"),
    endpoint("no-keys", "no `jwks_uri`", "jwks_uri"),
    endpoint(
        "script",
        "the authorization endpoint is a `javascript:` URL",
        "authorization_endpoint",
        "javascript:alert(1)//",
    ),
    endpoint(
        "plain-http", "the token endpoint is an `http:` URL", "token_endpoint", "http://idp.example/token"
    ),
    endpoint("file", "the keys are a `file:`", "jwks_uri", "file:///etc/passwd"),
    endpoint("number", "the token endpoint is a number", "token_endpoint", 7),
    endpoint("pushed-number", "the PAR endpoint is a number", "pushed_authorization_request_endpoint", 7),
    metadata(
        "auth-method",
        "no client authentication that this client has",
        AUTH_METHOD,
        changed(token_endpoint_auth_methods_supported=["none", "tls_client_auth"]),
        kept=True,
    ),
    metadata(
        "token-elsewhere",
        "the token endpoint is a host that OUTBOUND_WHITELIST does not list",
        NO_ANSWER,
        changed(token_endpoint="https://elsewhere.example/token"),
        reason="elsewhere.example gave no usable answer: OutboundBlocked",
        kept=True,
    ),
    metadata(
        "keys-elsewhere",
        "the keys are at a host that OUTBOUND_WHITELIST does not list",
        NO_ANSWER,
        changed(jwks_uri="https://elsewhere.example/keys"),
        reason="elsewhere.example gave no usable answer: OutboundBlocked",
        kept=True,
    ),
    metadata(
        "no-par",
        "PAR is demanded by the configuration, and not announced",
        REQUIRE_PAR,
        without("pushed_authorization_request_endpoint"),
        settings={"REQUIRE_PAR": True},
        kept=True,
    ),
]

# ---- pushed authorization request --------------------------------------------------------------------


def pushed(name: str, wrong: str, check: Check, lie: Change, **options: Any) -> Case:
    return Case(f"pushed-{name}", wrong, check, Lie(pushed=lie), asked=["POST /pushed"], **options)


PUSHED = [
    *answers("the PAR endpoint", "pushed"),
    pushed("refused", "PAR is refused", REFUSED, lambda answer: status(400, {"error": "invalid_request"})),
    pushed("no-uri", "the PAR answer has no `request_uri`", REQUEST_URI, without("request_uri")),
    pushed("empty-uri", "an empty `request_uri`", REQUEST_URI, changed(request_uri="")),
    pushed("number-uri", "the `request_uri` is a number", REQUEST_URI, changed(request_uri=7)),
]

# ---- the way back ------------------------------------------------------------------------------------


def back(name: str, wrong: str, check: Check, change: Change, **options: Any) -> Case:
    """What is brought back is wrong; the code is not even shown to the token endpoint."""
    return Case(f"callback-{name}", wrong, check, back=change, **{"asked": ["POST /pushed"], **options})


def error(name: str, wrong: str, check: Check, value: Any, **options: Any) -> Case:
    given = changed(error=value)
    return back(f"error-{name}", wrong, check, lambda sent: given(without("code")(sent)), **options)


CALLBACK = [
    back("state-wrong", "a `state` of nobody", STATE, changed(state="x" * 43)),
    back("state-missing", "no `state`", STATE, without("state")),
    back("state-empty", "an empty `state`", STATE, changed(state="")),
    back("state-null", "`state` is null", STATE, changed(state=None)),
    back("state-twice", "`state` is given twice", STATE, honest, lie=Lie(authorized=listed("state"))),
    back("state-letters", "a `state` outside ASCII", STATE, changed(state="ü" * 43)),
    back(
        "state-case",
        "`state` with its letters' case swapped",
        STATE,
        lambda p: {**p, "state": p["state"].swapcase()},
    ),
    back("state-longer", "`state` with more behind it", STATE, longer("state", "x")),
    back("iss-other", "`iss` of another provider", ISS, changed(iss="https://evil.example")),
    back("iss-missing", "no `iss`, though announced", ISS, without("iss")),
    back("iss-empty", "an empty `iss`", ISS, changed(iss="")),
    back("iss-twice", "`iss` is given twice", ISS, honest, lie=Lie(authorized=listed("iss"))),
    back("iss-slash", "`iss` with one `/` more", ISS, longer("iss", "/")),
    back(
        "iss-unannounced",
        "`iss` of another provider, where none is announced",
        ISS,
        changed(iss="https://evil.example"),
        lie=Lie(metadata=without("authorization_response_iss_parameter_supported")),
        asked=["GET /.well-known/openid-configuration", "POST /pushed"],
        fresh=True,
    ),
    back("code-missing", "no `code`", CODE, without("code")),
    back("code-empty", "an empty `code`", CODE, changed(code="")),
    back("code-twice", "`code` is given twice", CODE, honest, lie=Lie(authorized=listed("code"))),
    back(
        "code-forged",
        "a `code` that the provider never gave",
        REFUSED,
        changed(code="x" * 43),
        reason="127.0.0.1 answered 400 invalid_grant",
        asked=["POST /pushed", "POST /token"],
    ),
    back(
        "code-surrogate",
        "a `code` that is no text in any encoding",
        NO_ANSWER,
        changed(code="\ud800"),
        reason="127.0.0.1 gave no usable answer: UnicodeEncodeError",
    ),
    error("denied", "`error=access_denied`", USER_ERROR, "access_denied"),
    error("login", "`error=login_required`", USER_ERROR, "login_required", code="login_required"),
    error("server", "`error=server_error`", ERROR, "server_error"),
    error("log", "an `error` with a line made for the log", ERROR, "odd\nExternal MFA: confirmed"),
    error("empty", "an empty `error`", ERROR, ""),
    error("twice", "`error` is given twice", ERROR, ["access_denied", "access_denied"]),
    back("error-and-code", "an `error` beside a good `code`", USER_ERROR, changed(error="access_denied")),
]

# ---- who the client is -------------------------------------------------------------------------------

_PRIVATE = ec.generate_private_key(ec.SECP256R1())
PRIVATE_KEY = {**ECAlgorithm.to_jwk(_PRIVATE, as_dict=True), "alg": "ES256", "kid": "ours"}
POST = {"CLIENT_AUTH_METHOD": "client_secret_post"}
ASSERTION = {"CLIENT_AUTH_METHOD": "private_key_jwt", "CLIENT_SECRET": json.dumps(PRIVATE_KEY)}


def client(name: str, method: str, settings: Mapping[str, Any]) -> list[Case]:
    def refused(answer: Json) -> Raw:
        return status(401, {"error": "invalid_client"})

    options: dict[str, Any] = {"settings": settings, "reason": "127.0.0.1 answered 401 invalid_client"}
    return [
        Case(f"client-{name}-pushed", f"PAR refuses {method}", REFUSED, Lie(pushed=refused), **options),
        Case(f"client-{name}-token", f"{method} is refused", REFUSED, Lie(token=refused), **options),
    ]


CLIENTS = [
    *client("basic", "`client_secret_basic`", {}),
    *client("post", "`client_secret_post`", POST),
    *client("assertion", "`private_key_jwt`", ASSERTION),
]

# ---- token endpoint ----------------------------------------------------------------------------------


def token(name: str, wrong: str, check: Check, lie: Change, **options: Any) -> Case:
    return Case(f"token-{name}", wrong, check, Lie(token=lie), **options)


TOKENS = [
    *answers("the token endpoint", "token"),
    token("refused", "the code is refused", REFUSED, lambda answer: status(400, {"error": "invalid_grant"})),
    token(
        "log",
        "an error with a line made for the log",
        REFUSED,
        lambda answer: status(
            400, {"error": "x\nExternal MFA: confirmed", "error_description": "y\nconfirmed"}
        ),
    ),
    token(
        "error-and-tokens",
        "an error beside good tokens",
        REFUSED,
        lambda answer: status(400, {**answer, "error": "invalid_grant"}),
    ),
    token("no-id-token", "only an access token (plain OAuth)", TOKEN, without("id_token")),
    token("id-token-null", "the ID token is null", TOKEN, changed(id_token=None)),
    token("id-token-number", "the ID token is a number", TOKEN, changed(id_token=7)),
    token(
        "id-token-list",
        "the ID token is a list",
        TOKEN,
        lambda answer: {**answer, "id_token": [answer["id_token"]]},
    ),
]

# ---- the ID token's signature ------------------------------------------------------------------------

Sign = Callable[[HostileProvider, Json], Json]
SHARED = b"k" * 32
WEAK = Key("weak", "RS256", rsa.generate_private_key(65537, 1024))


def hs256(key: Callable[[HostileProvider], bytes]) -> Sign:
    def sign(provider: HostileProvider, claims: Json) -> str:
        header = {"typ": "JWT", "alg": "HS256", "kid": provider.key.kid}
        return signed(header, claims, lambda data: hmac.digest(key(provider), data, "sha256"))

    return sign


def unsigned(alg: Any) -> Sign:
    return lambda provider, claims: signed({"alg": alg, "kid": provider.key.kid}, claims, lambda data: b"")


def with_header(**header: Any) -> Sign:
    return lambda provider, claims: provider.key.sign(claims, **header)


def with_payload(payload: Callable[[Json], Json]) -> Sign:
    return lambda provider, claims: provider.key.sign(payload(claims))


def tampered(provider: HostileProvider, claims: Json) -> str:
    whole = provider.key.sign(claims)
    return whole[:-6] + ("A" if whole[-6] != "A" else "B") + whole[-5:]


def reused(provider: HostileProvider, claims: Json) -> str:
    """The signature of another payload."""
    header, _, signature = provider.key.sign({**claims, "sub": "somebody else"}).split(".")
    return f"{header}.{base64url(json.dumps(claims).encode())}.{signature}"


def own_key(place: str) -> Sign:
    """A token that brings its key along, or says where it is."""

    def sign(provider: HostileProvider, claims: Json) -> str:
        brought = {"jwk": ANOTHER_KEY.jwk, "jku": f"{provider.issuer.rpartition('/')[0]}/elsewhere"}
        return ANOTHER_KEY.sign(claims, kid=provider.key.kid, **{place: brought[place]})

    return sign


def signature(name: str, wrong: str, check: Check, sign: Sign, keys: Change = honest, **options: Any) -> Case:
    return Case(f"signature-{name}", wrong, check, Lie(sign=sign, keys=keys), **options)


def in_place_of(jwk: Json) -> Change:
    """A JWKS with *jwk* under the name of the one that was there."""
    return lambda keys: {"keys": [{**jwk, "kid": keys["keys"][0]["kid"]}]}


def each_key(change: Change) -> Change:
    return lambda given: {"keys": [change(key) for key in given["keys"]]}


NO_ALG = each_key(without("alg"))


def under(*kids: str) -> Change:
    """The right key under other names."""
    return lambda keys: {"keys": [{**key, "kid": kid} for key in keys["keys"] for kid in kids]}


SIGNATURES = [
    signature("none", "`alg: none`, announced", KEY, unsigned("none")),
    signature(
        "none-no-alg", "`alg: none`, and the key names no algorithm", SIGNATURE, unsigned("none"), keys=NO_ALG
    ),
    signature(
        "none-spelt", "`alg: None`, and the key names no algorithm", SIGNATURE, unsigned("None"), keys=NO_ALG
    ),
    signature("hs256-pem", "HS256 with the public key's PEM", KEY, hs256(lambda p: p.key.pem)),
    signature(
        "hs256-jwk", "HS256 with the public key's JWK", KEY, hs256(lambda p: json.dumps(p.key.jwk).encode())
    ),
    signature(
        "hs256-no-alg",
        "the same, and the key names no algorithm",
        SIGNATURE,
        hs256(lambda p: p.key.pem),
        keys=NO_ALG,
    ),
    signature("hs256-secret", "HS256 with the client secret", KEY, hs256(lambda p: CLIENT_SECRET.encode())),
    signature(
        "hs256-published",
        "HS256 with a symmetric key that stands among the public ones",
        ALGORITHM,
        hs256(lambda p: SHARED),
        keys=in_place_of({"kty": "oct", "k": base64url(SHARED), "alg": "HS256"}),
    ),
    signature("tampered", "one character of the signature changed", SIGNATURE, tampered),
    signature("reused", "the signature of another payload", SIGNATURE, reused),
    signature("stripped", "RS256 and no signature", SIGNATURE, unsigned("RS256")),
    signature(
        "other-key",
        "another key under the known `kid`",
        SIGNATURE,
        lambda p, c: ANOTHER_KEY.sign(c, kid=p.key.kid),
    ),
    signature(
        "weak-key",
        "an RSA key of 1024 bits",
        KEY_LENGTH,
        lambda p, c: WEAK.sign(c, kid=p.key.kid),
        keys=in_place_of(WEAK.jwk),
    ),
    signature(
        "unknown-kid", "a `kid` that the provider does not have", KEY, lambda p, c: ANOTHER_KEY.sign(c)
    ),
    signature(
        "no-kid-several",
        "no `kid`, and several keys",
        KEY,
        with_header(kid=None),
        keys=under("a", "b"),
        fresh=True,
    ),
    signature("kid-list", "`kid` is a list", TOKEN, with_header(kid=["first"])),
    signature(
        "alg-list",
        "`alg` is a list, and the key names no algorithm",
        SIGNATURE,
        unsigned(["RS256"]),
        keys=NO_ALG,
    ),
    signature("alg-missing", "no `alg`", TOKEN, with_header(alg=None)),
    signature("other-family", "`alg: ES256` over an RSA key", KEY, with_header(alg="ES256")),
    signature("key-brought", "the token brings its own key (`jwk`)", SIGNATURE, own_key("jwk")),
    signature("key-elsewhere", "the token says where its key is (`jku`)", SIGNATURE, own_key("jku")),
    signature(
        "critical",
        "a `crit` that nobody here understands (RFC 7515, 4.1.11)",
        TOKEN,
        with_header(crit=["urn:x"], **{"urn:x": True}),
    ),
    signature("two-parts", "two parts", TOKEN, lambda p, c: p.key.sign(c).rpartition(".")[0]),
    signature("encrypted", "five parts (JWE)", TOKEN, lambda p, c: p.key.sign(c) + ".AAAA.AAAA"),
    signature("garbage", "not a JWT", TOKEN, lambda p, c: "garbage"),
    signature("letters", "not ASCII", TOKEN, lambda p, c: p.key.sign(c) + "ü"),
    signature(
        "header-deep",
        "a header nested 20 000 deep",
        TOKEN,
        lambda p, c: signed(b"[" * 20_000, c, p.key.signature),
    ),
    signature("payload-list", "the payload is a list", SIGNATURE, with_payload(lambda c: [c])),
    signature("payload-text", "the payload is not JSON", SIGNATURE, with_payload(lambda c: b"hello")),
    signature(
        "payload-deep", "the payload is nested 20 000 deep", SIGNATURE, with_payload(lambda c: b"[" * 20_000)
    ),
]

# ---- the provider's keys -----------------------------------------------------------------------------


def keys(name: str, wrong: str, check: Check, lie: Change) -> Case:
    return Case(f"keys-{name}", wrong, check, Lie(keys=lie))


KEYS = [
    *answers("the keys' address", "keys"),
    keys("none", "no keys", KEY, changed(keys=[])),
    keys("no-list", "the keys are an object", KEY, lambda k: {"keys": {"first": k["keys"][0]}}),
    keys("no-objects", "the keys are texts", KEY, changed(keys=["first", 7, None])),
    keys(
        "twice",
        "two keys under the one name",
        KEY,
        lambda k: {"keys": [*k["keys"], *in_place_of(ANOTHER_KEY.jwk)(k)["keys"]]},
    ),
    keys("encryption", "the key is for encryption", KEY, each_key(changed(use="enc"))),
    keys("algorithm", "the key is for another algorithm", KEY, each_key(changed(alg="RS512"))),
    keys("garbage", "the key's modulus is garbage", SIGNATURE, each_key(changed(n="?"))),
    keys("number", "the key's modulus is a number", SIGNATURE, each_key(changed(n=7))),
    keys("no-type", "the key has no type", SIGNATURE, each_key(without("kty"))),
]

# ---- the ID token's claims ---------------------------------------------------------------------------


def claim(name: str, wrong: str, check: Check | None, change: Change, **options: Any) -> Case:
    return Case(f"claim-{name}", wrong, check, Lie(claims=change), **options)


def odd(name: str, check: Check, **checks: Check) -> list[Case]:
    """A claim that should be a time, and is not; *checks*: where another line denies it."""
    values = {"text": "soon", "list": [], "infinite": math.inf, "nan": math.nan, "null": None, "true": True}
    return [
        claim(
            f"{name}-{kind}".replace("_", "-"),
            f"`{name}` is {json.dumps(value)}",
            checks.get(kind, check),
            changed(**{name: value}),
        )
        for kind, value in values.items()
    ]


HIGH = {"ACR_VALUES": "urn:bank:high urn:bank:higher"}

CLAIMS = [
    claim("iss-other", "`iss` of another provider", CLAIM_ISS, changed(iss="https://evil.example")),
    claim("iss-slash", "`iss` with one `/` more", CLAIM_ISS, longer("iss", "/")),
    claim("iss-list", "`iss` is a list", CLAIM_ISS, lambda c: {**c, "iss": [c["iss"]]}),
    claim("iss-missing", "no `iss`", REQUIRED, without("iss")),
    claim("aud-other", "`aud` is another client", AUD, changed(aud="another-client")),
    claim("aud-others", "`aud` is a list of other clients", AUD, changed(aud=["another-client", "q2"])),
    claim("aud-longer", "`aud` begins with our client id", AUD, longer("aud", "-2")),
    claim("aud-empty", "`aud` is an empty list", AUD, changed(aud=[])),
    claim("aud-object", "`aud` is an object", AUD, changed(aud={CLIENT_ID: 1})),
    claim("aud-missing", "no `aud`", REQUIRED, without("aud")),
    claim("azp-missing", "several audiences, no `azp`", AZP, changed(aud=[CLIENT_ID, "other"])),
    claim(
        "azp-other",
        "several audiences, and `azp` is another client",
        AZP,
        changed(aud=[CLIENT_ID, "other"], azp="other"),
    ),
    claim("azp-single", "one audience, and `azp` is another client", AZP, changed(azp="other")),
    claim("exp-past", "expired", TIMES, after(exp=-300)),
    claim("exp-missing", "no `exp`", REQUIRED, without("exp")),
    *odd("exp", TIMES, null=REQUIRED),
    claim("iat-future", "issued in the future", TIMES, after(iat=600)),
    claim("iat-past", "issued before the login began", IAT, after(iat=-600)),
    claim("iat-missing", "no `iat`", REQUIRED, without("iat")),
    *odd("iat", TIMES, null=REQUIRED, true=IAT),
    claim("nbf-future", "not valid yet (RFC 7519, 4.1.5)", TIMES, after(nbf=600)),
    claim("nonce-other", "the `nonce` of another login", NONCE, changed(nonce="x" * 43)),
    claim("nonce-missing", "no `nonce`", NONCE, without("nonce")),
    claim("nonce-empty", "an empty `nonce`", NONCE, changed(nonce="")),
    claim("nonce-letters", "a `nonce` outside ASCII", NONCE, changed(nonce="ü" * 43)),
    claim("nonce-list", "`nonce` is a list", NONCE, lambda c: {**c, "nonce": [c["nonce"]]}),
    claim("sub-missing", "no `sub`", REQUIRED, without("sub")),
    claim(
        "sub-missing-other-claim",
        "no `sub`, where another claim says who it is",
        REQUIRED,
        without("sub"),
        settings={"IDENTITY_CLAIM": "email"},
    ),
    claim("sub-number", "`sub` is a number", REQUIRED, changed(sub=7)),
    claim("sub-list", "`sub` is a list", REQUIRED, changed(sub=[USER])),
    claim("sub-empty", "an empty `sub`", PERSON, changed(sub="")),
    claim("auth-time-missing", "no `auth_time`, though `max_age` was asked", AUTH_TIME, without("auth_time")),
    claim("auth-time-old", "logged in an hour ago", AUTH_TIME, after(auth_time=-3600)),
    claim("auth-time-future", "logs in next hour", AUTH_TIME, after(auth_time=3600)),
    claim(
        "auth-time-max-age",
        "logged in ten minutes ago, and five are allowed",
        AUTH_TIME,
        after(auth_time=-600),
        settings={"MAX_AGE": 300},
    ),
    *odd("auth_time", AUTH_TIME),
    claim("acr-missing", "no `acr`, though asked", ACR, without("acr"), settings=HIGH),
    claim("acr-other", "a weaker `acr` than asked", ACR, changed(acr="urn:bank:low"), settings=HIGH),
    claim("acr-list", "`acr` is a list", ACR, lambda c: {**c, "acr": [c["acr"]]}, settings=HIGH),
    claim(
        "acr-all",
        "`acr` is all that was asked for, in one",
        ACR,
        changed(acr=HIGH["ACR_VALUES"]),
        settings=HIGH,
    ),
]

# ---- the right person --------------------------------------------------------------------------------

REGISTRATION = {"IDENTITY_ATTRIBUTE": "registration_value"}
BY_EMAIL = {"IDENTITY_CLAIM": "email"}


def person(
    name: str, wrong: str, check: Check, user: Mapping[str, Any] | None = None, **options: Any
) -> Case:
    return Case(f"person-{name}", wrong, check, user=user, **options)


PERSONS = [
    person("other", "somebody else logged in at the provider", PERSON, {"sso_identifier": "bob"}),
    person("case", "the same name in capitals", PERSON, {"sso_identifier": USER.upper()}),
    person("space", "the same name and a space", PERSON, {"sso_identifier": f"{USER} "}),
    person("longer", "a name that begins with the right one", PERSON, {"sso_identifier": f"{USER}m"}),
    person("shorter", "a beginning of the right name", PERSON, {"sso_identifier": USER[:-1]}),
    person("unknown", "HQ has no identifier of the user", LINKED, {}),
    person(
        "empty",
        "HQ's identifier is empty, and the provider's too",
        LINKED,
        {"sso_identifier": ""},
        lie=Lie(claims=changed(sub="")),
    ),
    person(
        "null",
        "HQ's identifier is null, and so is the claim",
        LINKED,
        {"sso_identifier": None},
        lie=Lie(claims=changed(email=None)),
        settings=BY_EMAIL,
    ),
    person(
        "list",
        "HQ's identifier is a list, and so is the claim",
        LINKED,
        {"sso_identifier": [EMAIL]},
        lie=Lie(claims=changed(email=[EMAIL])),
        settings=BY_EMAIL,
    ),
    person("registration-only", "HQ has a registration value only", LINKED, {"registration_value": USER}),
    person(
        "registration-other",
        "the registration value decides, and is another's",
        PERSON,
        {"registration_value": "bob", "sso_identifier": USER},
        settings=REGISTRATION,
    ),
    person(
        "registration-none",
        "the registration value decides, and there is none",
        LINKED,
        {"sso_identifier": USER},
        settings=REGISTRATION,
    ),
    person(
        "claim-other",
        "another claim decides, and is another's",
        PERSON,
        {"sso_identifier": USER},
        settings=BY_EMAIL,
    ),
    person(
        "claim-missing",
        "another claim decides, and is not there",
        PERSON,
        {"sso_identifier": "None"},
        lie=Lie(claims=without("email")),
        settings=BY_EMAIL,
    ),
    person(
        "claim-list",
        "another claim decides, and is a list with the right name in it",
        PERSON,
        lie=Lie(claims=changed(email=[EMAIL])),
        settings=BY_EMAIL,
    ),
    person(
        "email-unverified",
        "the e-mail decides, and is not verified",
        EMAIL_VERIFIED,
        lie=Lie(claims=changed(email_verified=False)),
        settings=BY_EMAIL,
    ),
    person(
        "email-verified-text",
        'the e-mail decides, and `email_verified` is `"true"`',
        EMAIL_VERIFIED,
        lie=Lie(claims=changed(email_verified="true")),
        settings=BY_EMAIL,
    ),
    person(
        "email-unsaid",
        "the e-mail decides, and nothing says that it is verified",
        EMAIL_VERIFIED,
        lie=Lie(claims=without("email_verified")),
        settings=BY_EMAIL,
    ),
]


DENIED: list[Case] = [
    *METADATA,
    *PUSHED,
    *CALLBACK,
    *CLIENTS,
    *TOKENS,
    *SIGNATURES,
    *KEYS,
    *CLAIMS,
    *PERSONS,
    *FLOWS,
]

# ---- what is nothing wrong ---------------------------------------------------------------------------


def right(name: str, what: str, lie: Lie, **options: Any) -> Case:
    return Case(name, what, None, lie, **options)


def signed_by(key: Key, **header: Any) -> Lie:
    return Lie(
        sign=lambda provider, claims: key.sign(claims, **header),
        keys=lambda keys: {"keys": [*keys["keys"], key.jwk]},
    )


ELLIPTIC = Key("elliptic", "ES256", ec.generate_private_key(ec.SECP256R1()))
EDWARDS = Key("edwards", "EdDSA", ed25519.Ed25519PrivateKey.generate())

PASSES = [
    right("honest", "an honest login", HONEST),
    right(
        "rotated",
        "keys that changed since they were fetched",
        Lie(keys=lambda keys: keys),
        asked=["POST /pushed", "POST /token", "GET /keys"],
    ),
    right(
        "cached", "keys and metadata that are known already", HONEST, asked=["POST /pushed", "POST /token"]
    ),
    right("no-kid", "no `kid`, and one key", Lie(sign=with_header(kid=None))),
    right("es256", "ES256, among other keys", signed_by(ELLIPTIC)),
    right("eddsa", "EdDSA, among other keys", signed_by(EDWARDS)),
    right(
        "odd-keys",
        "keys that nobody here can use beside the right one",
        Lie(keys=lambda k: {"keys": [{"kty": "AKP", "kid": "pq", "pub": "x"}, 7, *k["keys"]]}),
    ),
    right("no-alg", "a key that names neither use nor algorithm", Lie(keys=each_key(without("alg", "use")))),
    right("aud-list", "`aud` is a list of this client alone", Lie(claims=changed(aud=[CLIENT_ID]))),
    right(
        "azp",
        "several audiences, and `azp` is this client",
        Lie(claims=changed(aud=[CLIENT_ID, "other"], azp=CLIENT_ID)),
    ),
    right(
        "clock-behind",
        "a provider whose clock is 30 seconds behind",
        Lie(claims=after(iat=-30, auth_time=-30)),
    ),
    right(
        "clock-ahead",
        "a provider whose clock is 30 seconds ahead",
        Lie(claims=after(iat=30, auth_time=30, nbf=30)),
    ),
    right(
        "more-claims",
        "claims that nobody asked for",
        Lie(claims=changed(groups=["x"] * 100, name="Ada", c_hash="x")),
    ),
    right(
        "more-parameters",
        "parameters that nobody asked for",
        Lie(authorized=changed(session_state="x.y", scope="openid", more="&=?")),
    ),
    right(
        "plain",
        "no PAR: a plain request",
        Lie(metadata=NO_PAR),
        fresh=True,
        asked=["GET /.well-known/openid-configuration", "POST /token", "GET /keys"],
    ),
    right(
        "no-iss",
        "no `iss`, and none announced",
        Lie(metadata=without("authorization_response_iss_parameter_supported"), authorized=without("iss")),
        fresh=True,
    ),
    right(
        "no-methods",
        "no client authentication announced: client_secret_basic (Discovery, 3)",
        Lie(metadata=without("token_endpoint_auth_methods_supported")),
        fresh=True,
    ),
    right(
        "acr", "one of the `acr` values asked for", Lie(claims=changed(acr="urn:bank:higher")), settings=HIGH
    ),
    right(
        "max-age", "a login as old as allowed", Lie(claims=after(auth_time=-290)), settings={"MAX_AGE": 300}
    ),
    right("registration", "the registration value says who it is", HONEST, settings=REGISTRATION),
    right("email", "the verified e-mail says who it is", HONEST, settings=BY_EMAIL),
]

assert len({case.name for case in [*DENIED, *PASSES]}) == len([*DENIED, *PASSES])
