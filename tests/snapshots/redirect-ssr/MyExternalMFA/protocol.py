# Made by q2mfa 0.1.0; `q2mfa update` brings fixes.

"""The checks of OpenID Connect, without I/O: settings, answers and claims in, verdicts out.

Each check names what asks for it: Core and Discovery are those of OpenID Connect 1.0.
"""

import hashlib
import json
import re
import time
from base64 import b64encode, urlsafe_b64encode
from contextlib import contextmanager
from functools import partial
from secrets import compare_digest, token_urlsafe
from types import SimpleNamespace
from urllib.parse import quote_plus

import jwt

LEEWAY_SECONDS = 60  # clocks differ (Core, 3.1.3.7)
# Entra ID dates its ID tokens five minutes back (github.com/openid/AppAuth-iOS/issues/264).
BACKDATED_SECONDS = 300 + LEEWAY_SECONDS
ROUNDING_SECONDS = 2  # of the provider's times
FLOW_SECONDS = 600  # from leaving to coming back

# What may sign an ID token, and the curve or the type of its key. Asymmetric only: what the
# provider publishes, or shares with this client, must not sign (RFC 8725, 3.1).
ALGORITHMS = {f"{family}{bits}": ["RSA"] for family in ("RS", "PS") for bits in (256, 384, 512)}
ALGORITHMS |= {"ES256": ["P-256"], "ES384": ["P-384"], "ES512": ["P-521"]}
ALGORITHMS |= {"EdDSA": ["Ed25519", "Ed448"]}
FAPI2_ALGORITHMS = {name: ALGORITHMS[name] for name in ("PS256", "ES256", "EdDSA")}  # FAPI 2.0, 5.4
# Claims that an ID token has to have (Core, 2); no short keys (RFC 7518, 3.3).
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
TOKENS = jwt.PyJWT({"require": REQUIRED, "enforce_minimum_key_length": True})

PAR_ENDPOINT = "pushed_authorization_request_endpoint"
ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", PAR_ENDPOINT]
SECRET_METHODS = ["client_secret_basic", "client_secret_post"]
ATTRIBUTES = ["sso_identifier", "registration_value"]  # of mfa_info
CONFIRMED = ["mfa_context", "transaction_ids", "audit_action_id", "audit_action_name"]
# What the user can do something about (RFC 6749, 4.1.2.1; Core, 3.1.2.6).
USER_ERRORS = ["access_denied", "login_required", "interaction_required", "consent_required"]
USER_ERRORS += ["temporarily_unavailable"]
# This client's own mistakes (RFC 6749, 5.2). The log has no other text of the provider.
SETUP_ERRORS = ["invalid_client", "unauthorized_client"]
CLIENT_ERRORS = [*SETUP_ERRORS, "invalid_grant", "invalid_request"]


class Denied(Exception):
    """MFA is denied. Its arguments: a code for the page, and a reason for the log."""


def require(code, holds, reason):
    if not holds:
        raise Denied(code, reason)


usable = partial(require, "not_configured")
available = partial(require, "provider_unavailable")
trusted = partial(require, "not_trusted")
current = partial(require, "expired")


@contextmanager
def denying(code, reason):
    """Deny on any error of a library. Its own text stays out of the log: it may hold a secret."""
    try:
        yield
    except Denied:
        raise
    except Exception as error:  # noqa: BLE001
        raise Denied(code, f"{reason}: {type(error).__name__}") from None


def is_text(value):
    """Whether `value` is a text, not empty, and of a sane size."""
    return isinstance(value, str) and 0 < len(value) <= 8192


def is_between(earliest, moment, latest):
    return type(moment) in (int, float) and earliest <= moment <= latest


def is_same(given, expected):
    return is_text(given) and compare_digest(given.encode(errors="replace"), expected.encode())


def is_safe_url(url, issuer):
    """Whether `url` is a plain https URL, or an http one on this machine like the issuer's."""
    pattern = r"(https?)://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?([/?][!-~]*)?"
    plain = is_text(url) and "\\" not in url and "#" not in url
    found = plain and re.fullmatch(pattern, url, re.ASCII)
    local = found and found[2] in ("127.0.0.1", "[::1]", "localhost") and issuer.startswith("http:")
    return bool(found and (found[1] == "https" or local))


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


def check_settings(config, mfa_info):
    """The settings, the user's `identity`, and a digest of what the user `confirms`."""
    for name, allows in SETTINGS.items():
        usable(allows(getattr(config, name, None)), f"{name} has a wrong value")
    settings = SimpleNamespace(**{name: getattr(config, name) for name in SETTINGS})
    settings.algorithms = ALGORITHMS
    if settings.PROFILE == "fapi2":  # FAPI 2.0, 5.3.3
        weaker = settings.PAR == "off" or settings.CLIENT_AUTH_METHOD in SECRET_METHODS
        usable(not weaker, "FAPI 2.0 needs PAR and private_key_jwt")
        settings.PAR, settings.CLIENT_AUTH_METHOD = "required", "private_key_jwt"
        settings.algorithms = FAPI2_ALGORITHMS
    settings.identity = user = getattr(mfa_info, settings.IDENTITY_ATTRIBUTE, None)
    require("not_linked", is_text(user), f"the user has no {settings.IDENTITY_ATTRIBUTE}")
    settings.login_hint = settings.LOGIN_HINT and getattr(mfa_info, settings.LOGIN_HINT, None)
    request = json.dumps([getattr(mfa_info, name, None) for name in CONFIRMED], default=str)
    settings.confirms = hashlib.sha256(request.encode()).hexdigest()
    return settings


def check_metadata(answer, issuer):
    available(answer.get("issuer") == issuer, "the metadata is another issuer's")  # Discovery, 4.3
    for name in ENDPOINTS:
        absent = name == PAR_ENDPOINT and answer.get(name) is None
        # Discovery, 3
        available(absent or is_safe_url(answer.get(name), issuer), f"{name} is no https URL")
    return answer


def check_keys(answer):
    available(isinstance(answer.get("keys"), list), "there is no list of keys")  # RFC 7517, 5
    return answer


def check_answer(body, status, host):
    """An object that is no error (RFC 6749, 5.2; RFC 9126, 2.3)."""
    with denying("provider_unavailable", f"{host} answered {status} and no JSON object"):
        answer = json.loads(body)
        error = answer.get("error")
    code = "not_configured" if error in SETUP_ERRORS else "provider_unavailable"
    name = error if error in CLIENT_ERRORS else ""
    require(code, status in (200, 201) and error is None, f"{host} answered {status} {name}")
    return answer


def new_flow(redirect_uri, settings):
    flow = {name: token_urlsafe(32) for name in ("state", "nonce", "code_verifier")}
    flow |= {"redirect_uri": redirect_uri, "confirms": settings.confirms}
    return {**flow, "started": int(time.time())}


def check_flow(flow):
    texts = ("state", "nonce", "code_verifier", "redirect_uri", "confirms")
    whole = isinstance(flow, dict) and all(is_text(flow.get(name)) for name in texts)
    now = time.time()
    whole = whole and is_between(now - FLOW_SECONDS, flow.get("started"), now + LEEWAY_SECONDS)
    current(whole, "the session has no pending flow")
    return flow


def authorization_request(settings, flow):
    challenge = hashlib.sha256(flow["code_verifier"].encode()).digest()  # RFC 7636, 4.2
    request = {
        "client_id": settings.CLIENT_ID,
        "response_type": "code",
        "scope": settings.SCOPES,
        **{name: flow[name] for name in ("redirect_uri", "state", "nonce")},
        "code_challenge": urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "prompt": "" if settings.MAX_AGE and settings.CHECK_AUTH_TIME else "login",
        # With max_age, auth_time is required (Core, 3.1.2.1). Beside prompt=login it is as long as
        # the flow: with 0, some providers ask for the password again and again.
        "max_age": (settings.MAX_AGE or FLOW_SECONDS) if settings.CHECK_AUTH_TIME else "",
        "acr_values": settings.ACR_VALUES,
        "login_hint": settings.login_hint,
    }
    return {name: value for name, value in request.items() if value}


def pushed_request(settings, pushed):
    """What is left for the browser to carry (RFC 9126, 2.2), and for how many seconds it is good."""
    reference, seconds = pushed.get("request_uri"), pushed.get("expires_in")
    available(is_text(reference), "the pushed request has no request_uri")
    seconds = seconds if is_between(1, seconds, FLOW_SECONDS) else 0
    return {"client_id": settings.CLIENT_ID, "request_uri": reference}, seconds


def authenticate_client(settings, metadata, secret):
    """The form fields and headers that prove who the client is (RFC 6749, 2.3; Core, 9)."""
    usable(is_text(secret), "there is no client secret")
    method = settings.CLIENT_AUTH_METHOD
    announced = metadata.get("token_endpoint_auth_methods_supported")
    if not method and isinstance(announced, list) and announced:
        method = next((name for name in SECRET_METHODS if name in announced), None)
        usable(method, "the provider takes no secret: set CLIENT_AUTH_METHOD")
    if method == "client_secret_post":
        return {"client_id": settings.CLIENT_ID, "client_secret": secret}, {}
    if method == "private_key_jwt":
        return assertion(settings, secret), {}
    # The default (Discovery, 3). Each half is form-encoded first (RFC 6749, 2.3.1).
    pair = f"{quote_plus(settings.CLIENT_ID)}:{quote_plus(secret)}"
    return {}, {"Authorization": "Basic " + b64encode(pair.encode()).decode()}


def assertion(settings, private_key):
    """A JWT by which the client proves to this issuer alone who it is (RFC 7523, 3)."""
    now, client_id, key = int(time.time()), settings.CLIENT_ID, jwt.PyJWK.from_json(private_key)
    usable(key.algorithm_name in settings.algorithms, "the private key's algorithm is not allowed")
    claims = {"iss": client_id, "sub": client_id, "aud": settings.ISSUER, "jti": token_urlsafe(16)}
    token = TOKENS.encode({**claims, "iat": now, "exp": now + 60}, key, headers={"kid": key.key_id})
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2
    return {"client_id": client_id, "client_assertion_type": kind, "client_assertion": token}


def check_callback(callback, flow, metadata, settings):
    """The authorization code that came back through the browser."""
    # RFC 6749, 10.12
    current(is_same(callback.get("state"), flow["state"]), "the state is another one")
    current(settings.confirms == flow["confirms"], "the flow was begun to confirm something else")
    iss, error, code = (callback.get(name) for name in ("iss", "error", "code"))
    announced = metadata.get("authorization_response_iss_parameter_supported")  # RFC 9207, 3
    if iss is not None or announced or settings.PROFILE == "fapi2":
        trusted(iss == settings.ISSUER, "iss is another issuer")  # RFC 9207, 2.4
    require(error, error not in USER_ERRORS, f"the provider answered {error}")
    require("provider_error", error is None, "the provider answered another error")
    require("provider_error", is_text(code), "there is no code, or more than one")  # RFC 6749, 3.1
    return code


def check_signature(id_token, keys, settings):
    """The claims of an ID token that the provider signed for this client, and that is valid now."""
    with denying("not_trusted", "the ID token is not valid"):
        header = jwt.get_unverified_header(id_token)
        alg, kid = header["alg"], header.get("kid")
        kinds = settings.algorithms[alg]  # Core, 3.1.3.7 (6), (7)
        # Core, 10.1
        keys = [key for key in keys if isinstance(key, dict) and kid in (None, key.get("kid"))]
        keys = [key for key in keys if key.get("crv", key.get("kty")) in kinds]  # RFC 7517, 4.5
        keys = [key for key in keys if (key.get("use", "sig"), key.get("alg", alg)) == ("sig", alg)]
        trusted(len(keys) == 1, "no key, or more than one, fits the ID token")
        # (2), (3); with the leeway exp (9), iat (10) and nbf (RFC 7519, 4.1.5).
        valid = {"issuer": settings.ISSUER, "audience": settings.CLIENT_ID}
        key = jwt.PyJWK(keys[0], alg)
        return TOKENS.decode(id_token, key, [alg], leeway=LEEWAY_SECONDS, **valid)


def check_claims(claims, flow, settings):
    """Whether the ID token is of this flow, of a fresh login, and of this user."""
    client_id, now, since = settings.CLIENT_ID, time.time(), flow["started"] - settings.MAX_AGE
    iat, login = claims["iat"], claims.get("auth_time")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    known = {client_id, *settings.TRUSTED_AUDIENCES}
    trusted(known.issuperset(audiences), "the ID token is for others too")  # Core, 3.1.3.7 (3)
    trusted(claims.get("azp", client_id) == client_id, "azp is another client")  # (4), (5)
    trusted(is_same(claims.get("nonce"), flow["nonce"]), "the nonce is another one")  # (11)
    recent = is_between(flow["started"] - BACKDATED_SECONDS, iat, now + LEEWAY_SECONDS)
    trusted(recent, "iat is before the flow")  # (10)
    strong = not settings.ACR_VALUES or claims.get("acr") in settings.ACR_VALUES.split()
    require("too_weak", strong, "acr is none of those asked for")  # (12)
    if settings.CHECK_AUTH_TIME:
        recent = is_between(since - LEEWAY_SECONDS, login, now + LEEWAY_SECONDS)
        # By the provider's own clock too: the leeway is not for what happened before the flow.
        recent = recent and iat - login <= now - since + ROUNDING_SECONDS
        require("too_old", recent, "auth_time is missing or too old")  # (13)
    verified = settings.IDENTITY_CLAIM != "email" or claims.get("email_verified") is True
    require("wrong_user", verified, "the email address is not verified")  # Core, 5.1
    same = claims.get(settings.IDENTITY_CLAIM) == settings.identity
    require("wrong_user", same, "someone else logged in")
