# Made by q2mfa {{ cookiecutter._q2mfa_version }}; `q2mfa update` brings fixes.

"""The checks of OpenID Connect, without I/O: settings, answers and claims in, verdicts out.

Each check names what asks for it: Core and Discovery are those of OpenID Connect 1.0.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from urllib.parse import quote_plus

import jwt

LEEWAY_SECONDS = 60  # clocks differ (Core, 3.1.3.7)
BACKDATED_SECONDS = 300  # Entra ID dates its ID tokens five minutes back
ROUNDING_SECONDS = 2  # of the provider's times
FLOW_SECONDS = 600  # from leaving to coming back
CODE_CHARACTERS = 8192

# What may sign an ID token: the algorithm, and `kty` and `crv` of its key. Asymmetric only: what
# the provider publishes, or shares with this client, must not sign (RFC 8725, 3.1).
ALGORITHMS = {
    **dict.fromkeys(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], ("RSA", [None])),
    "ES256": ("EC", ["P-256"]),
    "ES384": ("EC", ["P-384"]),
    "ES512": ("EC", ["P-521"]),
    "EdDSA": ("OKP", ["Ed25519", "Ed448"]),
}
FAPI2_ALGORITHMS = {name: ALGORITHMS[name] for name in ("PS256", "ES256", "EdDSA")}  # FAPI 2.0, 5.4
TOKENS = jwt.PyJWT({"enforce_minimum_key_length": True})  # RFC 7518, 3.3

PAR_ENDPOINT = "pushed_authorization_request_endpoint"
ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", PAR_ENDPOINT]
ANNOUNCES_ISS = "authorization_response_iss_parameter_supported"  # RFC 9207, 3
AUTH_METHODS = "token_endpoint_auth_methods_supported"
SECRET_METHODS = ["client_secret_basic", "client_secret_post"]
ATTRIBUTES = ["sso_identifier", "registration_value"]  # of mfa_info
# What the user can do something about (RFC 6749, 4.1.2.1; Core, 3.1.2.6).
USER_ERRORS = ["access_denied", "login_required", "interaction_required", "consent_required"]
USER_ERRORS += ["temporarily_unavailable"]
# This client's own mistakes (RFC 6749, 5.2). The log has no other text of the provider.
SETUP_ERRORS = ["invalid_client", "unauthorized_client"]
CLIENT_ERRORS = [*SETUP_ERRORS, "invalid_grant", "invalid_request"]


class Denied(Exception):
    """MFA is denied. Its arguments: a code for the page, and a reason for the log."""


class WrongKey(Denied):
    """No known key signed the ID token. The third argument: the key's `kid`."""


def require(code, holds, reason):
    if not holds:
        raise Denied(code, reason)


usable = partial(require, "not_configured")
available = partial(require, "provider_unavailable")
trusted = partial(require, "not_trusted")


@contextmanager
def denying(code, reason):
    """Deny whatever a library raises. Its own text stays out of the log: it may hold a secret."""
    try:
        yield
    except Denied:
        raise
    except Exception as error:  # noqa: BLE001
        raise Denied(code, f"{reason}: {type(error).__name__}") from None


def is_text(value):
    return isinstance(value, str) and value != ""


def is_between(earliest, moment, latest):
    return type(moment) in (int, float) and earliest <= moment <= latest


def is_same(given, expected):
    return is_text(given) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def is_safe_url(url, issuer):
    """Whether `url` is a plain https URL, or an http one on this machine like the issuer's."""
    pattern = r"(https?)://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?([/?][!-~]*)?"
    found = re.fullmatch(pattern, url, re.ASCII) if isinstance(url, str) else None
    if not found or "\\" in url or "#" in url:
        return False
    loopback = found[2] in ("127.0.0.1", "[::1]", "localhost") and issuer.startswith("http:")
    return found[1] == "https" or loopback


SETTINGS = {
    "ISSUER": lambda value: is_safe_url(value, value),
    "CLIENT_ID": is_text,
    "CLIENT_AUTH_METHOD": lambda value: value in ["", *SECRET_METHODS, "private_key_jwt"],
    "SCOPES": lambda value: is_text(value) and "openid" in value.split(),
    "PROFILE": lambda value: value in ["", "fapi2"],
    "PAR": lambda value: value in ["auto", "required", "off"],
    "MAX_AGE": lambda value: type(value) is int and value >= 0,
    "CHECK_AUTH_TIME": lambda value: isinstance(value, bool),
    "ACR_VALUES": lambda value: isinstance(value, str),
    "TRUSTED_AUDIENCES": lambda value: isinstance(value, list) and all(map(is_text, value)),
    "IDENTITY_CLAIM": is_text,
    "IDENTITY_ATTRIBUTE": lambda value: value in ATTRIBUTES,
    "LOGIN_HINT": lambda value: value in ["", *ATTRIBUTES],
}


def check_settings(config):
    settings = SimpleNamespace(**{name: getattr(config, name, None) for name in SETTINGS})
    for name, allows in SETTINGS.items():
        usable(allows(getattr(settings, name)), f"{name} has a wrong value")
    settings.algorithms = ALGORITHMS
    if settings.PROFILE == "fapi2":  # FAPI 2.0, 5.3.3
        weaker = settings.PAR == "off" or settings.CLIENT_AUTH_METHOD in SECRET_METHODS
        usable(not weaker, "FAPI 2.0 needs PAR and private_key_jwt")
        settings.PAR, settings.CLIENT_AUTH_METHOD = "required", "private_key_jwt"
        settings.algorithms = FAPI2_ALGORITHMS
    return settings


def check_identity(settings, mfa_info):
    """Who the user is to Q2, as the provider's claim has to say it."""
    identity = getattr(mfa_info, settings.IDENTITY_ATTRIBUTE, None)
    require("not_linked", is_text(identity), f"the user has no {settings.IDENTITY_ATTRIBUTE}")
    return identity


def check_metadata(answer, issuer):
    same = isinstance(answer, dict) and answer.get("issuer") == issuer
    available(same, "the metadata is another issuer's")  # Discovery, 4.3
    for name in ENDPOINTS:
        absent = name == PAR_ENDPOINT and answer.get(name) is None
        safe = absent or is_safe_url(answer.get(name), issuer)
        available(safe, f"{name} is no https URL")  # Discovery, 3
    return {name: answer.get(name) for name in ["issuer", *ENDPOINTS, ANNOUNCES_ISS, AUTH_METHODS]}


def check_keys(answer):
    keys = answer.get("keys") if isinstance(answer, dict) else None
    available(isinstance(keys, list), "there is no list of keys")  # RFC 7517, 5
    return {"keys": [key for key in keys if isinstance(key, dict)]}


def check_answer(answer, status, host):
    """An object that is no error (RFC 6749, 5.2; RFC 9126, 2.3)."""
    available(isinstance(answer, dict), f"{host} answered {status} and no JSON object")
    error = answer.get("error")
    code = "not_configured" if error in SETUP_ERRORS else "provider_unavailable"
    name = error if error in CLIENT_ERRORS else ""
    require(code, status in (200, 201) and error is None, f"{host} answered {status} {name}")
    return answer


def new_flow(redirect_uri, mfa_info):
    flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "code_verifier")}
    flow |= {"redirect_uri": redirect_uri, "confirms": digest_of_request(mfa_info)}
    return {**flow, "started": int(time.time())}


def digest_of_request(mfa_info):
    """What the user confirms: a flow that was begun for one request does not answer another."""
    names = ("mfa_context", "transaction_ids", "audit_action_id", "audit_action_name")
    values = json.dumps([getattr(mfa_info, name, None) for name in names], default=str)
    return hashlib.sha256(values.encode()).hexdigest()


def check_flow(flow):
    texts = ("state", "nonce", "code_verifier", "redirect_uri", "confirms")
    whole = isinstance(flow, dict) and all(is_text(flow.get(name)) for name in texts)
    now = time.time()
    whole = whole and is_between(now - FLOW_SECONDS, flow.get("started"), now + LEEWAY_SECONDS)
    require("expired", whole, "the session has no pending flow")
    return flow


def authorization_request(settings, flow, mfa_info):
    challenge = hashlib.sha256(flow["code_verifier"].encode()).digest()  # RFC 7636, 4.2
    request = {
        "client_id": settings.CLIENT_ID,
        "response_type": "code",
        "scope": settings.SCOPES,
        **{name: flow[name] for name in ("redirect_uri", "state", "nonce")},
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "prompt": "" if settings.MAX_AGE else "login",
        # With max_age, auth_time is required (Core, 3.1.2.1). Beside prompt=login it is as long as
        # the flow: with 0, some providers ask for the password again and again.
        "max_age": (settings.MAX_AGE or FLOW_SECONDS) if settings.CHECK_AUTH_TIME else "",
        "acr_values": settings.ACR_VALUES,
        "login_hint": settings.LOGIN_HINT and getattr(mfa_info, settings.LOGIN_HINT, None),
    }
    return {name: value for name, value in request.items() if value}


def authenticate_client(settings, metadata, secret):
    """The form fields and headers that prove who the client is (RFC 6749, 2.3; Core, 9)."""
    usable(is_text(secret), "there is no client secret")
    method, announced = settings.CLIENT_AUTH_METHOD, metadata[AUTH_METHODS]
    if not method and isinstance(announced, list) and announced:
        method = next((name for name in SECRET_METHODS if name in announced), None)
        usable(method, "the provider takes no secret: set CLIENT_AUTH_METHOD")
    form = {"client_id": settings.CLIENT_ID}
    if method == "client_secret_post":
        return {**form, "client_secret": secret}, {}
    if method == "private_key_jwt":  # RFC 7523, 2.2
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {**form, "client_assertion": assertion(settings, metadata["issuer"], secret)}, {}
    # The default (Discovery, 3). Each half is form-encoded first (RFC 6749, 2.3.1).
    pair = f"{quote_plus(settings.CLIENT_ID)}:{quote_plus(secret)}"
    return {}, {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def assertion(settings, issuer, private_key):
    """A JWT by which the client proves to this issuer alone who it is (RFC 7523, 3)."""
    now, client_id = int(time.time()), settings.CLIENT_ID
    claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + 60}
    claims["jti"] = secrets.token_urlsafe(16)
    key = jwt.PyJWK.from_json(private_key)
    usable(key.algorithm_name in settings.algorithms, "the private key's algorithm is not allowed")
    return TOKENS.encode(claims, key.key, key.algorithm_name, {"kid": key.key_id})


def check_callback(callback, flow, mfa_info, metadata, settings):
    """The authorization code that came back through the browser."""
    same = is_same(callback.get("state"), flow["state"])
    require("expired", same, "the state is another one")  # RFC 6749, 10.12
    same = digest_of_request(mfa_info) == flow["confirms"]
    require("expired", same, "the flow was begun to confirm something else")
    given, fapi2 = callback.get("iss"), settings.PROFILE == "fapi2"
    if given is not None or metadata[ANNOUNCES_ISS] or fapi2:
        trusted(given == metadata["issuer"], "iss is another issuer")  # RFC 9207, 2.4
    error, code = callback.get("error"), callback.get("code")
    require(error, error not in USER_ERRORS, f"the provider answered {error}")
    require("provider_error", error is None, "the provider answered another error")
    whole = is_text(code) and len(code) <= CODE_CHARACTERS
    require("provider_error", whole, "there is no code, or more than one")  # RFC 6749, 3.1
    return code


def check_signature(id_token, keys, metadata, settings):
    """The claims of an ID token that the provider signed for this client, and that is valid now."""
    with denying("not_trusted", "the ID token is not valid"):
        header = jwt.get_unverified_header(id_token)
        alg, kid = header["alg"], header.get("kid")
        kty, curves = settings.algorithms[alg]  # Core, 3.1.3.7 (6), (7)
        fitting = [
            key
            for key in keys
            if kid in (None, key.get("kid"))  # Core, 10.1
            and (key.get("kty") == kty and key.get("crv") in curves)  # RFC 7517, 4.5
            and (key.get("use", "sig") == "sig" and key.get("alg", alg) == alg)
        ]
        if len(fitting) != 1:
            raise WrongKey("not_trusted", "no key, or more than one, fits the ID token", kid)
        try:
            return TOKENS.decode(
                id_token,
                jwt.PyJWK(fitting[0], alg),
                algorithms=[alg],
                issuer=metadata["issuer"],  # (2)
                audience=settings.CLIENT_ID,  # (3)
                leeway=LEEWAY_SECONDS,  # (9), (10): exp and iat; RFC 7519, 4.1.5: nbf
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},  # Core, 2
            )
        except jwt.InvalidSignatureError:
            raise WrongKey("not_trusted", "another key signed the ID token", kid) from None


def check_claims(claims, flow, settings, identity):
    """Whether the ID token is of this flow, of a fresh login, and of this user."""
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    known = {settings.CLIENT_ID, *settings.TRUSTED_AUDIENCES}
    trusted(known >= set(audiences), "the ID token is for others too")  # Core, 3.1.3.7 (3)
    azp = claims.get("azp", settings.CLIENT_ID)
    trusted(azp == settings.CLIENT_ID, "azp is another client")  # (4), (5)
    trusted(is_same(claims.get("nonce"), flow["nonce"]), "the nonce is another one")  # (11)
    now, earliest = time.time(), flow["started"] - LEEWAY_SECONDS
    recent = is_between(earliest - BACKDATED_SECONDS, claims["iat"], now + LEEWAY_SECONDS)
    trusted(recent, "iat is before the flow")  # (10)
    strong = not settings.ACR_VALUES or claims.get("acr") in settings.ACR_VALUES.split()
    require("too_weak", strong, "acr is none of those asked for")  # (12)
    if settings.CHECK_AUTH_TIME:
        login, age = claims.get("auth_time"), now - flow["started"] + settings.MAX_AGE
        recent = is_between(earliest - settings.MAX_AGE, login, now + LEEWAY_SECONDS)
        # By the provider's own clock too: the leeway is not for what happened before the flow.
        recent = recent and claims["iat"] - login <= age + ROUNDING_SECONDS
        require("too_old", recent, "auth_time is missing or too old")  # (13)
    verified = settings.IDENTITY_CLAIM != "email" or claims.get("email_verified") is True
    require("wrong_user", verified, "the e-mail address is not verified")  # Core, 5.1
    same = claims.get(settings.IDENTITY_CLAIM) == identity
    require("wrong_user", same, "somebody else logged in")
