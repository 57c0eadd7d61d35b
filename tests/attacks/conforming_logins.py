"""What a conforming provider may do: these logins pass."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from attacks.attack import Attack, after, changed, each_key, without
from attacks.hostile_provider import HONEST, Key, Lie
from attacks.id_token_attacks import HIGH, with_header
from attacks.identity_attacks import BY_EMAIL, REGISTRATION
from attacks.served_extension import CLIENT_ID
from attacks.session_attacks import NO_PAR


def right(name: str, what: str, lie: Lie, **options: Any) -> Attack:
    return Attack(name, what, None, lie, **options)


def signed_by(key: Key, **header: Any) -> Lie:
    return Lie(
        sign=lambda provider, claims: key.sign(claims, **header),
        keys=lambda keys: {"keys": [*keys["keys"], key.jwk]},
    )


ELLIPTIC = Key("elliptic", "ES256", ec.generate_private_key(ec.SECP256R1()))
EDWARDS = Key("edwards", "EdDSA", ed25519.Ed25519PrivateKey.generate())

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
