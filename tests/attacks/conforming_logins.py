"""What a conforming provider may do: these logins pass."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from attacks.attack import Attack, Setting, right_user
from attacks.endpoint_attacks import POST
from attacks.id_token_attacks import HIGH, TRUSTING
from attacks.identity_attacks import BY_EMAIL, REGISTRATION
from attacks.served_extension import CLIENT_ID, Answer, Login
from attacks.session_attacks import NO_PAR
from q2mfa_cli.platform.verify.hostile import HONEST, Lie
from q2mfa_cli.platform.verify.hostile.changes import after, changed, each_key, without
from q2mfa_cli.platform.verify.hostile.keys import Json, Key, another_key
from q2mfa_cli.platform.verify.hostile.signatures import with_header


def right(name: str, what: str, lie: Lie, **options: Any) -> Attack:
    return Attack(name, what, None, lie, **options)


def signed_by(key: Key, **header: Any) -> Lie:
    return Lie(
        sign=lambda provider, claims: key.sign(claims, **header),
        keys=lambda keys: {"keys": [*keys["keys"], key.jwk]},
    )


ELLIPTIC = Key("elliptic", "ES256", ec.generate_private_key(ec.SECP256R1()))
EDWARDS = Key("edwards", "EdDSA", ed25519.Ed25519PrivateKey.generate())

OTHERS = [
    {name: value for name, value in key.jwk.items() if name not in ("kid", "alg", "use")}
    for key in (ELLIPTIC, EDWARDS, Key("k1", "ES256K", ec.generate_private_key(ec.SECP256K1())))
]
UNCHECKED = {"CHECK_AUTH_TIME": False}


def bare(key: Json) -> Json:
    """A key without `kid`, `alg` and `use`."""
    return without("kid", "alg", "use")(key)


def after_a_new_key(setting: Setting, attack: Attack, user: Login) -> Answer:
    setting.provider.lie = attack.lie
    first = setting.extension.login(**right_user(attack.settings))
    assert first.finish(setting.log_in_at_provider(first)).status == 200
    setting.provider.change_keys(replace(another_key(), kid=setting.provider.key.kid))
    return user.finish(setting.log_in_at_provider(user))


CONFORMING_LOGINS = [
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
        "keys that cannot be used here beside the right one",
        Lie(keys=lambda k: {"keys": [{"kty": "AKP", "kid": "pq", "pub": "x"}, 7, *k["keys"]]}),
    ),
    right("no-alg", "a key that names neither use nor algorithm", Lie(keys=each_key(without("alg", "use")))),
    right("aud-list", "`aud` is a list of this client alone", Lie(claims=changed(aud=[CLIENT_ID]))),
    right(
        "azp",
        "a trusted audience too, and `azp` is this client",
        Lie(claims=changed(aud=[CLIENT_ID, "other"], azp=CLIENT_ID)),
        settings=TRUSTING,
    ),
    right(
        "aud-trusted",
        "a trusted audience too, and no `azp` (Oracle IDCS)",
        Lie(claims=changed(aud=[CLIENT_ID, "other"])),
        settings=TRUSTING,
    ),
    right(
        "mixed-keys",
        "no `kid`, and keys of other types and curves (OpenID Foundation: kid-absent-single-jwks)",
        Lie(sign=with_header(kid=None), keys=lambda keys: {"keys": [*map(bare, keys["keys"]), *OTHERS]}),
    ),
    right(
        "kid-of-two-types",
        "two keys of one `kid` and different types (RFC 7517, 4.5)",
        Lie(
            keys=lambda keys: {"keys": [*keys["keys"], {**ELLIPTIC.jwk, "kid": keys["keys"][0]["kid"]}]},
        ),
    ),
    right(
        "key-replaced",
        "a new key under the old `kid`, after the old one was cached",
        HONEST,
        steps=after_a_new_key,
        fresh=True,
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
        "backdated",
        "an ID token dated five minutes back (Entra ID)",
        Lie(claims=after(iat=-300, nbf=-300)),
    ),
    right(
        "more-claims",
        "claims that were not requested",
        Lie(claims=changed(groups=["x"] * 100, name="Ada", c_hash="x")),
    ),
    right(
        "token-type",
        "`token_type` in other letter case",
        Lie(token=changed(token_type="bEARER")),
    ),
    right("no-expires-in", "a token response without `expires_in`", Lie(token=without("expires_in"))),
    right(
        "more-parameters",
        "parameters that were not requested",
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
    *[
        right(
            f"methods-{name}",
            f"client authentication announced as `{json.dumps(announced)}`, and `client_secret_post` configured",
            Lie(metadata=changed(token_endpoint_auth_methods_supported=announced)),
            settings=POST,
            fresh=True,
        )
        for name, announced in {"null": None, "empty": [], "text": "x", "incomplete": ["none"]}.items()
    ],
    right(
        "par-off",
        "PAR that is announced and switched off in the configuration",
        HONEST,
        settings={"PAR": "off"},
        fresh=True,
        asked=["GET /.well-known/openid-configuration", "POST /token", "GET /keys"],
    ),
    right(
        "no-auth-time",
        "no `auth_time`, and the configuration does not check it (oidc-provider-mock)",
        Lie(claims=without("auth_time")),
        settings=UNCHECKED,
    ),
    right(
        "auth-time-zero",
        "`auth_time: 0`, and the configuration does not check it (Glewlwyd)",
        Lie(claims=changed(auth_time=0)),
        settings=UNCHECKED,
    ),
    right(
        "acr", "one of the `acr` values asked for", Lie(claims=changed(acr="urn:bank:higher")), settings=HIGH
    ),
    right(
        "max-age", "a login as old as allowed", Lie(claims=after(auth_time=-290)), settings={"MAX_AGE": 300}
    ),
    right("registration", "the registration value says who it is", HONEST, settings=REGISTRATION),
    right("email", "the verified email identifies the user", HONEST, settings=BY_EMAIL),
]
