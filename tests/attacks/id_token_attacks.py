"""Wrong ID tokens: the signature, then the claims."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from attacks.attack import Attack
from attacks.denials import (
    ACR,
    ALGORITHM,
    AUD,
    AUDIENCES,
    AUTH_TIME,
    AZP,
    CLAIM_ISS,
    IAT,
    IDENTITY,
    KEY,
    KEY_LENGTH,
    NONCE,
    REQUIRED,
    SIGNATURE,
    TIMES,
    TOKEN,
    Denial,
)
from attacks.served_extension import CLIENT_ID, CLIENT_SECRET
from q2mfa_cli.platform.verify.hostile import USER, Lie
from q2mfa_cli.platform.verify.hostile.changes import (
    Change,
    after,
    changed,
    each_key,
    honest,
    in_place_of,
    longer,
    without,
)
from q2mfa_cli.platform.verify.hostile.keys import Json, another_key, base64url, signed, weak_key
from q2mfa_cli.platform.verify.hostile.signatures import (
    Sign,
    by_another_key,
    by_weak_key,
    hs256,
    reused,
    tampered,
    unsigned,
    with_header,
    with_own_key,
)

# ---- the ID token's signature ------------------------------------------------------------------------

SHARED = b"k" * 32


def with_payload(payload: Callable[[Json], Json]) -> Sign:
    return lambda provider, claims: provider.key.sign(payload(claims))


def signature(
    name: str, wrong: str, denial: Denial, sign: Sign, keys: Change = honest, **options: Any
) -> Attack:
    return Attack(f"signature-{name}", wrong, denial, Lie(sign=sign, keys=keys), **options)


NO_ALG = each_key(without("alg"))


def under(*kids: str) -> Change:
    """The right key under other names."""
    return lambda keys: {"keys": [{**key, "kid": kid} for key in keys["keys"] for kid in kids]}


SIGNATURES = [
    signature("none", "`alg: none`, announced", ALGORITHM, unsigned("none")),
    signature(
        "none-no-alg", "`alg: none`, and the key names no algorithm", ALGORITHM, unsigned("none"), keys=NO_ALG
    ),
    signature(
        "none-spelt", "`alg: None`, and the key names no algorithm", ALGORITHM, unsigned("None"), keys=NO_ALG
    ),
    signature("hs256-pem", "HS256 with the public key's PEM", ALGORITHM, hs256(lambda p: p.key.pem)),
    signature(
        "hs256-jwk",
        "HS256 with the public key's JWK",
        ALGORITHM,
        hs256(lambda p: json.dumps(p.key.jwk).encode()),
    ),
    signature(
        "hs256-no-alg",
        "the same, and the key names no algorithm",
        ALGORITHM,
        hs256(lambda p: p.key.pem),
        keys=NO_ALG,
    ),
    signature(
        "hs256-secret", "HS256 with the client secret", ALGORITHM, hs256(lambda p: CLIENT_SECRET.encode())
    ),
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
        by_another_key,
    ),
    signature(
        "weak-key",
        "an RSA key of 1024 bits",
        KEY_LENGTH,
        by_weak_key,
        keys=in_place_of(weak_key().jwk),
    ),
    signature(
        "unknown-kid", "a `kid` that the provider does not have", KEY, lambda p, c: another_key().sign(c)
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
        ALGORITHM,
        unsigned(["RS256"]),
        keys=NO_ALG,
    ),
    signature("alg-missing", "no `alg`", TOKEN, with_header(alg=None)),
    signature("other-family", "`alg: ES256` over an RSA key", KEY, with_header(alg="ES256")),
    signature("key-brought", "the token brings its own key (`jwk`)", SIGNATURE, with_own_key("jwk")),
    signature("key-elsewhere", "the token says where its key is (`jku`)", SIGNATURE, with_own_key("jku")),
    signature(
        "critical",
        "a `crit` that is not understood here (RFC 7515, 4.1.11)",
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
    signature("payload-list", "the payload is a list", TOKEN, with_payload(lambda c: [c])),
    signature("payload-text", "the payload is not JSON", TOKEN, with_payload(lambda c: b"hello")),
    signature(
        "payload-deep", "the payload is nested 20 000 deep", TOKEN, with_payload(lambda c: b"[" * 20_000)
    ),
]

# ---- the ID token's claims ---------------------------------------------------------------------------


def claim(name: str, wrong: str, denial: Denial | None, change: Change, **options: Any) -> Attack:
    return Attack(f"claim-{name}", wrong, denial, Lie(claims=change), **options)


def not_a_time(name: str, denial: Denial, **denials: Denial) -> list[Attack]:
    """A claim that should be a time, and is not. *denials*: the kinds that another check denies."""
    values = {"text": "soon", "list": [], "infinite": math.inf, "nan": math.nan, "null": None, "true": True}
    return [
        claim(
            f"{name}-{kind}".replace("_", "-"),
            f"`{name}` is {json.dumps(value)}",
            denials.get(kind, denial),
            changed(**{name: value}),
        )
        for kind, value in values.items()
    ]


HIGH = {"ACR_VALUES": "urn:bank:high urn:bank:higher"}
TRUSTING = {"TRUSTED_AUDIENCES": ["other"]}

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
    claim("aud-several", "another audience too", AUDIENCES, changed(aud=[CLIENT_ID, "other"])),
    claim(
        "aud-several-azp",
        "another audience too, and `azp` is this client",
        AUDIENCES,
        changed(aud=[CLIENT_ID, "other"], azp=CLIENT_ID),
    ),
    claim(
        "aud-untrusted",
        "another audience beside a trusted one",
        AUDIENCES,
        changed(aud=[CLIENT_ID, "other", "a third"]),
        settings=TRUSTING,
    ),
    claim(
        "azp-other",
        "a trusted audience, and `azp` is it",
        AZP,
        changed(aud=[CLIENT_ID, "other"], azp="other"),
        settings=TRUSTING,
    ),
    claim("azp-single", "one audience, and `azp` is another client", AZP, changed(azp="other")),
    claim("exp-past", "expired", TIMES, after(exp=-300)),
    claim("exp-missing", "no `exp`", REQUIRED, without("exp")),
    *not_a_time("exp", TIMES, null=REQUIRED),
    claim("iat-future", "issued in the future", TIMES, after(iat=600)),
    claim("iat-past", "issued before the login began", IAT, after(iat=-600)),
    claim("iat-missing", "no `iat`", REQUIRED, without("iat")),
    *not_a_time("iat", TIMES, null=REQUIRED, true=IAT),
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
    claim("sub-empty", "an empty `sub`", IDENTITY, changed(sub="")),
    claim("auth-time-missing", "no `auth_time`, though `max_age` was asked", AUTH_TIME, without("auth_time")),
    claim("auth-time-old", "logged in an hour ago", AUTH_TIME, after(auth_time=-3600)),
    claim("auth-time-before", "logged in 20 seconds ago, before the flow", AUTH_TIME, after(auth_time=-20)),
    claim(
        "auth-time-before-clock",
        "the same, and the provider's clock is 30 seconds ahead",
        AUTH_TIME,
        after(iat=30, auth_time=10),
    ),
    claim("auth-time-zero", "`auth_time` is 0", AUTH_TIME, changed(auth_time=0)),
    claim("auth-time-future", "logs in next hour", AUTH_TIME, after(auth_time=3600)),
    claim(
        "auth-time-max-age",
        "logged in ten minutes ago, and five are allowed",
        AUTH_TIME,
        after(auth_time=-600),
        settings={"MAX_AGE": 300},
    ),
    *not_a_time("auth_time", AUTH_TIME),
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
