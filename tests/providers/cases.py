"""Everything a provider, a browser or a registration can get wrong, one case each, as one table.

docs/redirect-security.md shows the same table (`python tests/providers/table.py` writes it), and test_hostile.py
runs it. A case changes one thing of a login that would otherwise succeed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.hostile import (
    CLIENT_SECRET,
    HONEST,
    USER,
    HostileProvider,
    Json,
    Lie,
    Raw,
    base64url,
    big,
    body,
    bomb,
    cut,
    redirect,
    reset,
    signed,
    silence,
    slow,
    status,
)


@dataclass(frozen=True)
class Case:
    """One thing that is wrong, and what has to come of it.

    :param name: the test's id and the row in docs/.
    :param wrong: the same in words, for the row.
    :param check: the function of oidc.py or extension.py that notices, and the section that asks for it.
    :param code: of the TectonError that the page gets.
    :param lie: what the provider does; :param back: what the browser brings back instead;
    :param mfa_info: who HQ says the user is; :param variant: the extension's configuration (see extension.py).
    :param at_start: the provider is not even visited.
    """

    name: str
    wrong: str
    check: str
    code: str
    lie: Lie = HONEST
    back: Callable[[dict[str, Any]], Json] = lambda parameters: parameters
    mfa_info: dict[str, Any] | None = None
    variant: str = "plain"
    at_start: bool = False


Change = Callable[[Json], Json | Raw]


def without(*names: str) -> Change:
    return lambda given: {name: value for name, value in given.items() if name not in names}


def changed(**values: Any) -> Change:
    return lambda given: {**given, **values}


def now() -> int:
    return int(time.time())


# ---- the same wrong answers, from each of the four addresses that the extension asks -------------

ANSWERS: dict[str, tuple[str, Change]] = {
    "error": ("answers 500 with an honest answer", lambda answer: status(500, answer)),
    "redirect": ("redirects (307) to an honest answer", redirect),
    "found": ("redirects (302) to an honest answer", lambda answer: redirect(answer, 302)),
    "big": ("answers 20 MB", big),
    "bomb": ("answers 20 KB that unpack to 20 MB", bomb),
    "slow": ("sends a byte at a time (slow loris)", slow),
    "silent": ("never answers", silence),
    "reset": ("resets the connection", reset),
    "cut": ("stops in the middle of the answer", cut),
    "html": ("answers a page", lambda answer: body(b"<html><h1>Sign in</h1></html>", "text/html")),
    "empty": ("answers nothing", lambda answer: body(b"")),
    "list": ("answers a JSON list", lambda answer: [answer]),
    "null": ("answers JSON null", lambda answer: body(b"null")),
    "bottomless": ("answers JSON nested 100 000 deep", lambda answer: body(b'{"a":' * 100_000)),
    "bytes": ("answers JSON that is not UTF-8", lambda answer: body(b'{"id_token": "\xff\xfe"}')),
}


def answers(address: str, place: str, check: str, code: str, *, at_start: bool) -> list[Case]:
    return [
        Case(f"{place}-{name}", f"{address} {wrong}", check, code, Lie(**{place: lie}), at_start=at_start)
        for name, (wrong, lie) in ANSWERS.items()
    ]


# ---- metadata -----------------------------------------------------------------------------------

METADATA_CHECK = "`metadata` · OpenID Connect Discovery 4.3"


def metadata(name: str, wrong: str, lie: Change, **options: Any) -> Case:
    given = {"check": METADATA_CHECK, "code": "provider_unavailable", "at_start": True, **options}
    return Case(f"metadata-{name}", wrong, lie=Lie(metadata=lie), **given)


METADATA = [
    *answers("the metadata's address", "metadata", "`fetch_json`", "provider_unavailable", at_start=True),
    metadata("issuer", "the metadata are another issuer's", changed(issuer="https://evil.example")),
    metadata(
        "issuer-slash", "the metadata's issuer has one `/` more", lambda m: {**m, "issuer": m["issuer"] + "/"}
    ),
    metadata("issuer-missing", "the metadata name no issuer", without("issuer")),
    metadata("no-authorization", "no authorization endpoint", without("authorization_endpoint")),
    metadata("no-token", "no token endpoint", without("token_endpoint")),
    metadata("no-keys", "no `jwks_uri`", without("jwks_uri")),
    metadata(
        "script",
        "the authorization endpoint is a `javascript:` URL",
        changed(authorization_endpoint="javascript:alert(document.domain)//"),
    ),
    metadata("number", "the token endpoint is a number", changed(token_endpoint=7)),
]

# ---- pushed authorization request ---------------------------------------------------------------

PUSHED_CHECK = "`push` · RFC 9126 2.2"


def pushed(name: str, wrong: str, lie: Change) -> Case:
    return Case(f"pushed-{name}", wrong, PUSHED_CHECK, "provider_unavailable", Lie(pushed=lie), at_start=True)


PUSHED = [
    *answers("the PAR endpoint", "pushed", "`fetch_json`", "provider_unavailable", at_start=True),
    pushed("refused", "PAR is refused", lambda answer: status(400, {"error": "invalid_request"})),
    pushed("client", "PAR refuses the client", lambda answer: status(401, {"error": "invalid_client"})),
    pushed("no-uri", "the PAR answer has no `request_uri`", without("request_uri")),
    pushed("number", "the `request_uri` is a number", changed(request_uri=7)),
    Case(
        "pushed-required",
        "PAR is required by configuration and not announced",
        "`start` · RFC 9126 5",
        "provider_unavailable",
        Lie(metadata=without("pushed_authorization_request_endpoint")),
        variant="require-par",
        at_start=True,
    ),
]

# ---- the way back -------------------------------------------------------------------------------


def back(
    name: str, wrong: str, change: Change, check: str, code: str = "state_mismatch", **options: Any
) -> Case:
    return Case(f"callback-{name}", wrong, check, code, back=change, **options)


STATE = "`finish` · RFC 6749 10.12, RFC 9700 4.7"
ISS = "`finish` · RFC 9207 2.4, RFC 9700 4.4 (mix-up)"
CODE = "`finish` · RFC 6749 4.1.2"

CALLBACK = [
    back("state-wrong", "`state` of nobody", changed(state="x" * 43), STATE),
    back("state-missing", "no `state`", without("state"), STATE),
    back("state-empty", "an empty `state`", changed(state=""), STATE),
    back("state-null", "`state` is null", changed(state=None), STATE),
    back("state-list", "`state` is a list", lambda p: {**p, "state": [p["state"]]}, STATE),
    back("state-letters", "`state` outside ASCII", changed(state="ü" * 43), STATE),
    back("state-case", "`state` in other letters", lambda p: {**p, "state": p["state"].swapcase()}, STATE),
    back("state-longer", "`state` with more behind it", lambda p: {**p, "state": p["state"] + "x"}, STATE),
    back(
        "iss-other", "`iss` of another provider", changed(iss="https://evil.example"), ISS, "issuer_mismatch"
    ),
    back("iss-missing", "no `iss`, though announced", without("iss"), ISS, "issuer_mismatch"),
    back("iss-empty", "an empty `iss`", changed(iss=""), ISS, "issuer_mismatch"),
    back("iss-list", "`iss` is a list", lambda p: {**p, "iss": [p["iss"]]}, ISS, "issuer_mismatch"),
    back(
        "iss-slash", "`iss` with one `/` more", lambda p: {**p, "iss": p["iss"] + "/"}, ISS, "issuer_mismatch"
    ),
    back(
        "iss-unannounced",
        "`iss` of another provider, where none is announced",
        changed(iss="https://evil.example"),
        ISS,
        "issuer_mismatch",
        lie=Lie(metadata=without("authorization_response_iss_parameter_supported")),
    ),
    back("code-missing", "no `code`", without("code"), CODE, "invalid_callback"),
    back("code-empty", "an empty `code`", changed(code=""), CODE, "invalid_callback"),
    back("code-list", "`code` is a list", lambda p: {**p, "code": [p["code"]]}, CODE, "invalid_callback"),
    back(
        "code-forged", "a `code` the provider never gave", changed(code="x" * 43), "`exchange` · RFC 6749 5.2"
    ),
    back(
        "denied",
        "`error=access_denied`",
        lambda p: {**without("code")(p), "error": "access_denied"},
        "`finish` · RFC 6749 4.1.2.1",
        "access_denied",
    ),
    back(
        "login-required",
        "`error=login_required`",
        lambda p: {**without("code")(p), "error": "login_required"},
        "`finish` · OpenID Connect Core 3.1.2.6",
        "login_required",
    ),
    back(
        "error-unknown",
        "an `error` nobody knows, with a line break for the log",
        lambda p: {**without("code")(p), "error": "odd\n2026-01-01 INFO MFA granted"},
        "`finish` · RFC 6749 4.1.2.1",
        "provider_error",
    ),
    back(
        "error-and-code",
        "an `error` beside a good `code`",
        changed(error="access_denied"),
        "`finish` · RFC 6749 4.1.2.1",
        "access_denied",
    ),
]

# ---- token endpoint -----------------------------------------------------------------------------


def token(
    name: str, wrong: str, lie: Change, check: str = "`exchange` · RFC 6749 5.1", code: str = "token_refused"
) -> Case:
    return Case(f"token-{name}", wrong, check, code, Lie(token=lie))


TOKEN = [
    *answers("the token endpoint", "token", "`fetch_json`", "provider_unavailable", at_start=False),
    token("refused", "the code is refused", lambda answer: status(400, {"error": "invalid_grant"})),
    token("client", "the client is refused", lambda answer: status(401, {"error": "invalid_client"})),
    token(
        "error-text",
        "an error with a text made for the log",
        lambda answer: status(400, {"error": "x\nforged line", "error_description": "y\nforged line"}),
    ),
    token("no-id-token", "no ID token, only an access token (plain OAuth)", without("id_token")),
    token("id-token-null", "the ID token is null", changed(id_token=None)),
    token("id-token-number", "the ID token is a number", changed(id_token=7)),
    token(
        "id-token-list", "the ID token is a list", lambda answer: {**answer, "id_token": [answer["id_token"]]}
    ),
    Case(
        "token-elsewhere",
        "the metadata send the code to a host that the workspace does not list",
        "`q2_requests`' whitelist",
        "provider_unavailable",
        Lie(metadata=changed(token_endpoint="http://elsewhere.invalid/token")),
    ),
]

# ---- the ID token's signature -------------------------------------------------------------------

SIGNATURE = "`claims_of` · OpenID Connect Core 3.1.3.7 (6, 7), RFC 8725 3.1"

Sign = Callable[[HostileProvider, Json], Json]


def hs256(key: Callable[[HostileProvider], bytes]) -> Sign:
    import hmac

    def sign(provider: HostileProvider, claims: Json) -> str:
        header = {"typ": "JWT", "alg": "HS256", "kid": provider.key.kid}
        return signed(header, claims, lambda data: hmac.digest(key(provider), data, "sha256"))

    return sign


def unsigned(alg: str) -> Sign:
    return lambda provider, claims: signed({"alg": alg, "kid": provider.key.kid}, claims, lambda data: b"")


def broken(provider: HostileProvider, claims: Json) -> str:
    whole = provider.key.sign(claims)
    return whole[:-6] + ("A" if whole[-6] != "A" else "B") + whole[-5:]


def reused(provider: HostileProvider, claims: Json) -> str:
    """The signature of another payload."""
    payload = base64url(json.dumps(claims).encode())
    header, _, signature = provider.key.sign({**claims, "sub": "somebody else"}).split(".")
    return f"{header}.{payload}.{signature}"


def with_header(**header: Any) -> Sign:
    return lambda provider, claims: provider.key.sign(claims, **header)


def own_key(place: str) -> Sign:
    """A token that brings its key along, or says where to fetch it."""

    def sign(provider: HostileProvider, claims: Json) -> str:
        key = provider.other_key
        brought = {"jwk": key.jwk, "jku": f"{provider.issuer}/elsewhere"}
        return key.sign(claims, kid=provider.key.kid, **{place: brought[place]})

    return sign


def signature(name: str, wrong: str, sign: Sign, check: str = SIGNATURE, **lie: Any) -> Case:
    return Case(f"signature-{name}", wrong, check, "invalid_id_token", Lie(sign=sign, **lie))


ANY_ALG = changed(id_token_signing_alg_values_supported=["RS256", "HS256", "none", "None"])


def several_keys(provider_keys: Json) -> Json:
    """The announced keys, the right one twice under names of their own."""
    keys = provider_keys["keys"]
    return {"keys": [{**key, "kid": name} for key in keys for name in ("a", "b")]}


SIGNATURES = [
    signature("none", "`alg: none`, announced", unsigned("none"), metadata=ANY_ALG),
    signature("none-spelled", "`alg: None`, announced", unsigned("None"), metadata=ANY_ALG),
    signature(
        "hs256-public-key", "HS256 with the public key's PEM", hs256(lambda p: p.key.pem), metadata=ANY_ALG
    ),
    signature(
        "hs256-jwk",
        "HS256 with the public key's JWK",
        hs256(lambda p: json.dumps(p.key.jwk).encode()),
        metadata=ANY_ALG,
    ),
    signature(
        "hs256-secret",
        "HS256 with the client secret",
        hs256(lambda p: CLIENT_SECRET.encode()),
        metadata=ANY_ALG,
    ),
    signature(
        "hs256-announced-key",
        "HS256 with a symmetric key that stands among the public ones",
        hs256(lambda p: b"k" * 32),
        metadata=ANY_ALG,
        keys=lambda keys: {
            "keys": [{"kty": "oct", "k": base64url(b"k" * 32), "kid": "first", "alg": "HS256"}]
        },
    ),
    signature("broken", "a flipped bit in the signature", broken),
    signature("reused", "the signature of another payload", reused),
    signature("stripped", "RS256 with no signature", unsigned("RS256")),
    signature(
        "other-key", "another key under the known `kid`", lambda p, c: p.other_key.sign(c, kid=p.key.kid)
    ),
    signature("unknown-kid", "a `kid` that is not there, asked for twice", lambda p, c: p.other_key.sign(c)),
    signature("no-kid-several", "no `kid`, several keys", with_header(kid=None), keys=several_keys),
    signature("kid-list", "`kid` is a list", with_header(kid=["first"])),
    signature("wrong-family", "`alg: ES256` over an RSA key", with_header(alg="ES256")),
    signature("key-brought", "the token brings its own key (`jwk`)", own_key("jwk")),
    signature("key-elsewhere", "the token says where its key is (`jku`)", own_key("jku")),
    signature(
        "critical",
        "an extension in `crit` that nobody here understands",
        with_header(crit=["urn:example:must"], **{"urn:example:must": True}),
        "`claims_of` · RFC 7515 4.1.11",
    ),
    signature("two-parts", "two parts", lambda p, c: p.key.sign(c).rpartition(".")[0]),
    signature("encrypted", "five parts (JWE)", lambda p, c: p.key.sign(c) + ".AAAA.AAAA"),
    signature("garbage", "not a JWT", lambda p, c: "garbage"),
    signature("letters", "not ASCII", lambda p, c: p.key.sign(c) + "ü"),
    signature("payload-list", "the payload is a list", lambda p, c: p.key.sign([c])),
    signature("payload-text", "the payload is not JSON", lambda p, c: p.key.sign(b"hello")),
    signature(
        "payload-bottomless", "the payload is nested 100 000 deep", lambda p, c: p.key.sign(b"[" * 100_000)
    ),
]

# ---- the provider's keys ------------------------------------------------------------------------


def keys(name: str, wrong: str, lie: Change, check: str = SIGNATURE, code: str = "invalid_id_token") -> Case:
    return Case(f"keys-{name}", wrong, check, code, Lie(keys=lie))


KEYS = [
    *answers("the keys' address", "keys", "`fetch_json`", "provider_unavailable", at_start=False),
    keys("none", "no keys", changed(keys=[])),
    keys("no-list", "the keys are no list", changed(keys={"first": {}})),
    keys("no-objects", "the keys are texts", changed(keys=["first", 7, None])),
    keys(
        "encryption",
        "the key is for encryption",
        lambda k: {"keys": [{**key, "use": "enc"} for key in k["keys"]]},
    ),
    keys(
        "garbage",
        "the key's numbers are garbage",
        lambda k: {"keys": [{**key, "n": "?"} for key in k["keys"]]},
    ),
    Case(
        "keys-elsewhere",
        "the keys are at a host that the workspace does not list",
        "`q2_requests`' whitelist",
        "provider_unavailable",
        Lie(metadata=changed(jwks_uri="http://elsewhere.invalid/keys")),
    ),
]

# ---- the ID token's claims ----------------------------------------------------------------------


def claim(
    name: str, wrong: str, change: Change, section: str, code: str = "invalid_id_token", **options: Any
) -> Case:
    return Case(
        f"claim-{name}",
        wrong,
        f"`claims_of` · OpenID Connect Core {section}",
        code,
        Lie(claims=change),
        **options,
    )


def claims_of_odd_types(names: dict[str, str]) -> list[Case]:
    odd = {"text": "soon", "list": [], "infinite": math.inf, "nan": math.nan, "null": None, "true": True}
    return [
        claim(f"{name}-{kind}", f"`{name}` is {json.dumps(value)}", changed(**{name: value}), section)
        for name, section in names.items()
        for kind, value in odd.items()
    ]


CLAIMS = [
    claim("iss-other", "`iss` of another provider", changed(iss="https://evil.example"), "3.1.3.7 (2)"),
    claim("iss-missing", "no `iss`", without("iss"), "3.1.3.7 (2)"),
    claim("iss-list", "`iss` is a list", lambda c: {**c, "iss": [c["iss"]]}, "3.1.3.7 (2)"),
    claim("aud-other", "`aud` is another client", changed(aud="another-client"), "3.1.3.7 (3)"),
    claim("aud-missing", "no `aud`", without("aud"), "3.1.3.7 (3)"),
    claim("aud-empty", "`aud` is an empty list", changed(aud=[]), "3.1.3.7 (3)"),
    claim("aud-object", "`aud` is an object", lambda c: {**c, "aud": {c["aud"]: 1}}, "3.1.3.7 (3)"),
    claim(
        "aud-longer",
        "`aud` begins with our client id",
        lambda c: {**c, "aud": c["aud"] + "-2"},
        "3.1.3.7 (3)",
    ),
    claim(
        "azp-missing",
        "several audiences, no `azp`",
        lambda c: {**c, "aud": [c["aud"], "other"]},
        "3.1.3.7 (4)",
    ),
    claim(
        "azp-other",
        "several audiences, `azp` is another client",
        lambda c: {**c, "aud": [c["aud"], "other"], "azp": "other"},
        "3.1.3.7 (5)",
    ),
    claim("azp-single", "one audience, `azp` is another client", changed(azp="other"), "3.1.3.7 (5)"),
    claim("exp-past", "expired", lambda c: {**c, "exp": now() - 300}, "3.1.3.7 (9)"),
    claim("exp-missing", "no `exp`", without("exp"), "3.1.3.7 (9)"),
    claim("iat-future", "issued in the future", lambda c: {**c, "iat": now() + 600}, "3.1.3.7 (10)"),
    claim("iat-missing", "no `iat`", without("iat"), "3.1.3.7 (10)"),
    claim("nbf-future", "not valid yet", lambda c: {**c, "nbf": now() + 600}, "RFC 7519 4.1.5"),
    claim("nonce-other", "the `nonce` of another login", changed(nonce="x" * 43), "3.1.3.7 (11)"),
    claim("nonce-missing", "no `nonce`", without("nonce"), "3.1.3.7 (11)"),
    claim("nonce-letters", "a `nonce` outside ASCII", changed(nonce="ü" * 43), "3.1.3.7 (11)"),
    claim("nonce-list", "`nonce` is a list", lambda c: {**c, "nonce": [c["nonce"]]}, "3.1.3.7 (11)"),
    claim("sub-missing", "no `sub`", without("sub"), "2"),
    claim("sub-empty", "an empty `sub`", changed(sub=""), "2"),
    claim("sub-number", "`sub` is a number", changed(sub=7), "2"),
    claim("sub-list", "`sub` is a list", changed(sub=[USER]), "2"),
    claim(
        "auth-time-missing",
        "no `auth_time`, though `max_age` was asked",
        without("auth_time"),
        "3.1.3.7 (13)",
    ),
    claim(
        "auth-time-old", "logged in an hour ago", lambda c: {**c, "auth_time": now() - 3600}, "3.1.3.7 (13)"
    ),
    claim(
        "auth-time-future", "logs in next hour", lambda c: {**c, "auth_time": now() + 3600}, "3.1.3.7 (13)"
    ),
    *claims_of_odd_types({"exp": "2", "iat": "2", "auth_time": "2"}),
    claim("acr-missing", "no `acr`, though asked", without("acr"), "3.1.3.7 (12)", variant="acr"),
    claim("acr-other", "a weaker `acr` than asked", changed(acr="0"), "3.1.3.7 (12)", variant="acr"),
    claim("acr-list", "`acr` is a list", lambda c: {**c, "acr": [c["acr"]]}, "3.1.3.7 (12)", variant="acr"),
]

# ---- the right person ---------------------------------------------------------------------------

PERSON_CHECK = "`identity_matches`"


def person(name: str, wrong: str, info: dict[str, Any], lie: Lie = HONEST, **options: Any) -> Case:
    return Case(f"person-{name}", wrong, PERSON_CHECK, "wrong_user", lie, mfa_info=info, **options)


PERSON = [
    person("other", "somebody else logged in at the provider", {"sso_identifier": "bob"}),
    person("case", "the same name in capitals", {"sso_identifier": USER.upper()}),
    person("space", "the same name and a space", {"sso_identifier": f"{USER} "}),
    person("longer", "a name that begins with the right one", {"sso_identifier": f"{USER}m"}),
    person("unknown", "HQ has no identifier of the user", {}),
    person("empty", "HQ has an empty identifier", {"sso_identifier": ""}),
    person("none", "HQ's identifier is null", {"sso_identifier": None}),
    person("registration-only", "HQ has only a registration value", {"registration_value": USER}),
    person(
        "registration-other",
        "the registration value is configured, and another's",
        {"registration_value": "bob", "sso_identifier": USER},
        variant="registration",
    ),
    person(
        "registration-none",
        "the registration value is configured, and there is none",
        {"sso_identifier": USER},
        variant="registration",
    ),
    person(
        "claim-missing",
        "the configured claim is not in the ID token",
        {"sso_identifier": "None"},
        variant="email",
    ),
    person(
        "claim-empty",
        "the configured claim is empty, as is the identifier",
        {"sso_identifier": ""},
        Lie(claims=changed(email="")),
        variant="email",
    ),
    person(
        "claim-list",
        "the configured claim is a list with the right name in it",
        {"sso_identifier": "ada@example.com"},
        Lie(claims=changed(email=["ada@example.com"])),
        variant="email",
    ),
]

CASES: list[Case] = [*METADATA, *PUSHED, *CALLBACK, *TOKEN, *SIGNATURES, *KEYS, *CLAIMS, *PERSON]
assert len({case.name for case in CASES}) == len(CASES)
