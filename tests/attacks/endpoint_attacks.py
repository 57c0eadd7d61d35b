"""Wrong answers from the endpoints that the server asks: metadata, PAR, token and keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from attacks.attack import Attack
from attacks.denials import (
    AUTH_METHOD,
    ENDPOINT,
    ISSUER,
    KEY,
    KEY_LIST,
    NO_ANSWER,
    NO_OBJECT,
    REFUSED,
    REQUEST_URI,
    REQUIRE_PAR,
    SETUP,
    TOKEN,
    Denial,
)
from q2mfa_cli.platform.verify.hostile import Lie
from q2mfa_cli.platform.verify.hostile.answers import (
    Raw,
    big,
    body,
    bomb,
    redirect,
    reset,
    silence,
    slow,
    status,
    wire,
)
from q2mfa_cli.platform.verify.hostile.changes import Change, changed, each_key, in_place_of, longer, without
from q2mfa_cli.platform.verify.hostile.keys import Json, another_key

# ---- the same wrong answers, from each of the four addresses that the server asks ------------------

ANSWERS: dict[str, tuple[str, Change, Denial]] = {
    "error": ("answers 500, with an honest answer", lambda answer: status(500, answer), REFUSED),
    "found": ("redirects (302) to an honest answer", redirect(302), REFUSED),
    "redirect": ("redirects (307), with what was posted, to an honest answer", redirect(307), REFUSED),
    "big": ("answers 20 MB, honest but for the spaces behind it", big, NO_ANSWER),
    "bomb": ("answers 20 KB that unpack to 20 MB", bomb, NO_ANSWER),
    "slow": ("sends a byte at a time (slow loris)", slow, NO_ANSWER),
    "silent": ("takes the request and never answers", silence, NO_ANSWER),
    "reset": ("resets the connection", reset, NO_ANSWER),
    "cut": (
        "stops in the middle",
        wire(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"id_token"'),
        NO_ANSWER,
    ),
    "no-http": ("speaks another protocol", wire(b"\x15\x03\x03\x00\x02\x02\x28"), NO_ANSWER),
    "html": ("answers a page", lambda answer: body(b"<html><h1>Sign in</h1></html>", "text/html"), NO_OBJECT),
    "empty": ("answers nothing", lambda answer: body(b""), NO_OBJECT),
    "doubled": ("answers twice in one body", lambda answer: body(json.dumps(answer).encode() * 2), NO_OBJECT),
    "list": ("answers a list with an honest answer in it", lambda answer: [answer], NO_OBJECT),
    "null": ("answers `null`", lambda answer: body(b"null"), NO_OBJECT),
    "deep": ("answers JSON nested 99 000 deep", lambda answer: body(b"[" * 99_000), NO_OBJECT),
}
SLOW = ("-slow", "-silent")


def answers(address: str, place: str, **options: Any) -> list[Attack]:
    attacks = []
    for name, (wrong, lie, denial) in ANSWERS.items():
        told: dict[str, Any] = {place: lie}
        attacks.append(Attack(f"{place}-{name}", f"{address} {wrong}", denial, Lie(**told), **options))
    return attacks


# ---- metadata --------------------------------------------------------------------------------------


def metadata(name: str, wrong: str, denial: Denial | None, lie: Change, **options: Any) -> Attack:
    return Attack(f"metadata-{name}", wrong, denial, Lie(metadata=lie), **{"fresh": True, **options})


def endpoint(name: str, wrong: str, which: str, *value: Any) -> Attack:
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
    endpoint(
        "user", "the token endpoint has a user name", "token_endpoint", "https://127.0.0.1@evil.example/token"
    ),
    endpoint(
        "backslash",
        "the token endpoint has a backslash, which some programs read as `/`",
        "token_endpoint",
        "https://127.0.0.1\\@evil.example/token",
    ),
    endpoint("line", "the token endpoint has a line break", "token_endpoint", "ht\ntps://127.0.0.1/token"),
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
        settings={"PAR": "required"},
        kept=True,
    ),
]

# ---- pushed authorization request --------------------------------------------------------------------


def pushed(name: str, wrong: str, denial: Denial, lie: Change, **options: Any) -> Attack:
    return Attack(f"pushed-{name}", wrong, denial, Lie(pushed=lie), asked=["POST /pushed"], **options)


def answer_status(code: int) -> Change:
    return lambda answer: status(code, {"error": "access_denied"})


PUSHED = [
    *answers("the PAR endpoint", "pushed"),
    pushed("refused", "PAR is refused", REFUSED, lambda answer: status(400, {"error": "invalid_request"})),
    *[
        pushed(
            f"refused-{code}",
            f"PAR is announced, and refused to this client ({code})",
            REFUSED,
            answer_status(code),
            reason=f"127.0.0.1 answered {code} ",
        )
        for code in (401, 403, 404)
    ],
    pushed("no-uri", "the PAR answer has no `request_uri`", REQUEST_URI, without("request_uri")),
    pushed("empty-uri", "an empty `request_uri`", REQUEST_URI, changed(request_uri="")),
    pushed("number-uri", "the `request_uri` is a number", REQUEST_URI, changed(request_uri=7)),
]

# ---- who the client is -------------------------------------------------------------------------------

_PRIVATE = ec.generate_private_key(ec.SECP256R1())
PRIVATE_KEY = {**ECAlgorithm.to_jwk(_PRIVATE, as_dict=True), "alg": "ES256", "kid": "ours"}
POST = {"CLIENT_AUTH_METHOD": "client_secret_post"}
ASSERTION = {"CLIENT_AUTH_METHOD": "private_key_jwt", "CLIENT_SECRET": json.dumps(PRIVATE_KEY)}


def client(name: str, method: str, settings: Mapping[str, Any]) -> list[Attack]:
    def refused(answer: Json) -> Raw:
        return status(401, {"error": "invalid_client"})

    options: dict[str, Any] = {"settings": settings, "reason": "127.0.0.1 answered 401 invalid_client"}
    return [
        Attack(f"client-{name}-pushed", f"PAR refuses {method}", SETUP, Lie(pushed=refused), **options),
        Attack(f"client-{name}-token", f"{method} is refused", SETUP, Lie(token=refused), **options),
    ]


CLIENTS = [
    *client("basic", "`client_secret_basic`", {}),
    *client("post", "`client_secret_post`", POST),
    *client("assertion", "`private_key_jwt`", ASSERTION),
]

# ---- token endpoint ----------------------------------------------------------------------------------


def token(name: str, wrong: str, denial: Denial, lie: Change, **options: Any) -> Attack:
    return Attack(f"token-{name}", wrong, denial, Lie(token=lie), **options)


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
    token(
        "error-and-tokens-200",
        "an error beside good tokens, and status 200",
        REFUSED,
        changed(error="invalid_grant"),
        reason="127.0.0.1 answered 200 invalid_grant",
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

# ---- the provider's keys -----------------------------------------------------------------------------


def keys(name: str, wrong: str, denial: Denial, lie: Change) -> Attack:
    return Attack(f"keys-{name}", wrong, denial, Lie(keys=lie))


KEYS = [
    *answers("the keys' address", "keys"),
    keys("none", "no keys", KEY, changed(keys=[])),
    keys("no-list", "the keys are an object", KEY_LIST, lambda k: {"keys": {"first": k["keys"][0]}}),
    keys("no-objects", "the keys are texts", KEY, changed(keys=["first", 7, None])),
    keys(
        "twice",
        "two keys under the one name",
        KEY,
        lambda k: {"keys": [*k["keys"], *in_place_of(another_key().jwk)(k)["keys"]]},
    ),
    keys("encryption", "the key is for encryption", KEY, each_key(changed(use="enc"))),
    keys("algorithm", "the key is for another algorithm", KEY, each_key(changed(alg="RS512"))),
    keys("garbage", "the key's modulus is garbage", TOKEN, each_key(changed(n="?"))),
    keys("number", "the key's modulus is a number", TOKEN, each_key(changed(n=7))),
    keys("no-type", "the key has no type", KEY, each_key(without("kty"))),
]
