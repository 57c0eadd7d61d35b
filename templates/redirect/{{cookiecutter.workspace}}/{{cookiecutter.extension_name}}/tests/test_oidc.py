"""The OpenID Connect client: logins that pass, and for each check, logins that it denies."""

import asyncio
import base64
import json
import logging
import math
import re
import time
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError

from .. import oidc, protocol
from .provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    KEYS,
    OTHER_KEY,
    USER,
    BrokenCache,
    Cache,
    Provider,
    Response,
    after,
    jwk,
    public_jwk,
)

REDIRECT_URI = "https://assets.bank.example/verify.html"
DEFAULTS = {
    "ISSUER": ISSUER,
    "CLIENT_ID": CLIENT_ID,
    "CLIENT_AUTH_METHOD": "",
    "SCOPES": "openid profile",
    "PROFILE": "",
    "PAR": "auto",
    "MAX_AGE": 0,
    "CHECK_AUTH_TIME": True,
    "ACR_VALUES": "",
    "TRUSTED_AUDIENCES": [],
    "IDENTITY_CLAIM": "sub",
    "IDENTITY_ATTRIBUTE": "sso_identifier",
    "LOGIN_HINT": "",
}


class Log(logging.Handler):
    """The lines that were logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Login:
    """One user's login, in one session."""

    def __init__(self, provider, secret=CLIENT_SECRET, **config):
        self.provider = provider
        self.config = SimpleNamespace(**{**DEFAULTS, **config})
        self.secret, self.cache, self.session_cache = secret, Cache(), Cache()
        self.mfa_info = SimpleNamespace(sso_identifier=USER)
        self.redirect_uri, self.CONFIG_FILE_NAME = REDIRECT_URI, "Foo"
        self.logger, self.log = logging.getLogger("oidc"), Log()
        self.logger.handlers = [self.log]

    async def client_secret(self):
        if isinstance(self.secret, Exception):
            raise self.secret
        return self.secret

    async def start(self):
        start = await oidc.OidcClient(self).start(self.redirect_uri)
        self.url, self.seconds = start["authorization_url"], start["expires_in"]
        return dict(parse_qsl(urlsplit(self.url).query))

    async def finish(self, **changes):
        await oidc.OidcClient(self).finish(self.provider.callback(self.url, **changes))

    async def passes(self, **changes):
        await self.start()
        await self.finish(**changes)

    async def denied(self, **changes):
        """The code of the denial that a whole login ends in."""
        return await self.code_of(self.passes(**changes))

    async def code_of(self, step):
        """The code of the denial that a step ends in. The log has one line, with the code."""
        before = len(self.log.lines)
        with pytest.raises(TectonError) as caught:
            await step
        (line,) = self.log.lines[before:]
        code = str(caught.value)
        assert re.fullmatch(f"External MFA denied: {code}: (?!None).+", line)
        assert caught.value.data == {"code": code}
        return code

    @property
    def reason(self):
        """The reason in the last line of the log."""
        return self.log.lines[-1].split(": ", 2)[2]


@pytest.fixture
def provider(monkeypatch):
    provider = Provider()
    monkeypatch.setattr(q2_requests, "get", provider.get)
    monkeypatch.setattr(q2_requests, "post", provider.post)
    return provider


# ---- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ISSUER", ["", None, 7, "login.bank.example", ISSUER.replace("https", "http")]),
        ("CLIENT_ID", ["", None, 7]),
        ("CLIENT_AUTH_METHOD", ["basic", None, [], "none"]),
        ("SCOPES", ["", None, "profile", ["openid"]]),
        ("PROFILE", ["fapi", None, 2]),
        ("PAR", ["", True, None, "on"]),
        ("MAX_AGE", [-1, "0", 1.5, True, None]),
        ("CHECK_AUTH_TIME", ["", None, 0]),
        ("ACR_VALUES", [None, ["high"]]),
        ("TRUSTED_AUDIENCES", [None, "other", [7], [""]]),
        ("IDENTITY_CLAIM", ["", None, ["sub"]]),
        ("IDENTITY_ATTRIBUTE", ["", None, "email", ["sso_identifier"]]),
        ("LOGIN_HINT", [None, True, "email"]),
    ],
)
async def test_invalid_setting_is_denied_at_start(name, values, provider):
    for value in values:
        login = Login(provider, **{name: value})
        assert await login.denied() == "not_configured"
        assert login.reason == f"{name} has a wrong value"
    login = Login(provider)
    delattr(login.config, name)
    assert await login.denied() == "not_configured"
    assert provider.requests == []


async def test_setting_that_became_invalid_is_denied_at_finish(provider):
    login = Login(provider)
    await login.start()
    login.config.MAX_AGE = "0"
    assert await login.code_of(login.finish()) == "not_configured"


async def test_user_without_identifier_is_denied_at_start(provider):
    for identifier in (None, "", 7, [USER]):
        login = Login(provider)
        login.mfa_info.sso_identifier = identifier
        assert await login.denied() == "not_linked"
    login.mfa_info = SimpleNamespace(registration_value=USER)
    assert await login.denied() == "not_linked"
    assert login.reason == "the user has no sso_identifier"
    assert provider.requests == []


# ---- the authorization request -------------------------------------------------------------------


async def test_login_asks_for_fresh_proof_and_passes(provider):
    login = Login(provider)
    query = await login.start()
    assert login.url.startswith(f"{ISSUER}/authorize?")
    assert query == {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile",
        "state": query["state"],
        "nonce": query["nonce"],
        "code_challenge": query["code_challenge"],
        "code_challenge_method": "S256",
        "max_age": "600",
        "prompt": "login",
    }
    await login.finish()
    assert provider.paths == ["/.well-known/openid-configuration", "/token", "/keys"]


async def test_secret_values_are_new_each_time(provider):
    login = Login(provider)
    queries = [await login.start() for _ in range(5)]
    names = ("state", "nonce", "code_challenge")
    values = [query[name] for query in queries for name in names]
    assert len(set(values)) == 15
    assert all(len(value) >= 43 for value in values)
    assert list(login.session_cache.seconds.values()) == [600]


async def test_request_has_only_what_is_configured(provider):
    query = await Login(provider, MAX_AGE=300, ACR_VALUES="high higher").start()
    assert "prompt" not in query and "login_hint" not in query
    assert (query["max_age"], query["acr_values"]) == ("300", "high higher")
    for max_age in (0, 300):  # an age that is not checked is not allowed either
        query = await Login(provider, CHECK_AUTH_TIME=False, MAX_AGE=max_age).start()
        assert "max_age" not in query and query["prompt"] == "login"


async def test_login_hint_is_the_configured_attribute(provider):
    login = Login(provider, LOGIN_HINT="registration_value")
    assert "login_hint" not in await login.start()
    login.mfa_info.registration_value = "ada@bank.example"
    assert (await login.start())["login_hint"] == "ada@bank.example"


async def test_query_of_endpoint_is_kept(provider):
    provider.metadata["authorization_endpoint"] += "?tenant=7"
    assert (await Login(provider).start())["tenant"] == "7"


async def test_redirect_uri_of_start_is_used_at_finish(provider):
    login = Login(provider)
    await login.start()
    login.redirect_uri = "https://elsewhere.bank.example/verify.html"
    await login.finish()


# ---- pushed authorization requests ---------------------------------------------------------------


@pytest.mark.parametrize("par", ["auto", "required"])
async def test_pushed_request_leaves_only_a_reference_to_the_browser(par, provider):
    login = Login(provider.with_par(), PAR=par)
    query = await login.start()
    assert query == {"client_id": CLIENT_ID, "request_uri": "urn:example:pushed"}
    assert provider.pushed_form["client_id"] == CLIENT_ID
    assert provider.pushed_form["code_challenge_method"] == "S256"
    await login.finish()


async def test_par_that_is_off_is_not_used(provider):
    login = Login(provider.with_par(), PAR="off")
    assert "code_challenge" in await login.start()
    assert "/par" not in provider.paths


async def test_par_that_is_required_and_not_announced_is_denied(provider):
    assert await Login(provider, PAR="required").denied() == "not_configured"


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_refused_push_is_denied_and_does_not_fall_back(status, provider):
    def respond(path, answer):
        refused = path == "/par"
        return Response({"error": "access_denied"}, status) if refused else Response(answer)

    provider.with_par().respond = respond
    login = Login(provider)
    assert await login.denied() == "provider_unavailable"
    assert login.reason == f"login.bank.example answered {status} "


@pytest.mark.parametrize(
    ("announced", "given"),
    [(90, 90), (600, 600), (0, 0), (601, 0), ("90", 0), (None, 0), (True, 0)],
)
async def test_page_gets_the_lifetime_of_the_request(announced, given, provider):
    login = Login(provider)
    await login.start()
    assert login.seconds == 600
    provider.with_par().pushed["expires_in"] = announced
    login = Login(provider)
    await login.start()
    assert login.seconds == given


@pytest.mark.parametrize("pushed", [{}, {"request_uri": ""}, {"request_uri": 7}])
async def test_push_without_reference_is_denied(pushed, provider):
    provider.with_par().pushed = pushed
    assert await Login(provider).denied() == "provider_unavailable"


# ---- client authentication -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("announced", "configured", "used"),
    [
        (None, "", "basic"),
        ([], "", "basic"),
        ("client_secret_post", "", "basic"),
        (["client_secret_post", "client_secret_basic"], "", "basic"),
        (["client_secret_post", 7, None], "", "post"),
        *[
            (announced, f"client_secret_{method}", method)
            for announced in (None, [], "none", 7, ["private_key_jwt"], ["client_secret_post"])
            for method in ("basic", "post")
        ],
    ],
)
async def test_client_authenticates_as_configured_or_announced(
    announced, configured, used, provider
):
    provider.metadata["token_endpoint_auth_methods_supported"] = announced
    await Login(provider, CLIENT_AUTH_METHOD=configured).passes()
    (request,) = [request for request in provider.requests if request.path == "/token"]
    if used == "basic":
        # RFC 6749, 2.3.1: both halves are form-encoded first. Strict servers take no second method.
        pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        assert pair == b"q2-mfa:p%40ss%3A+word%2F%2B%25"
        assert "client_secret" not in request.data and "client_id" not in request.data
    else:
        assert request.headers == {}
        assert request.data["client_id"] == CLIENT_ID
        assert request.data["client_secret"] == CLIENT_SECRET


def private_key(algorithm, **members):
    key = KEYS[algorithm.replace("PS", "RS")]
    return json.dumps(jwk(algorithm, key, **{"alg": algorithm, "kid": "ours", **members}))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_client_authenticates_by_private_key(algorithm, provider):
    provider.metadata["token_endpoint_auth_methods_supported"] = None
    login = Login(provider.with_par(), private_key(algorithm), CLIENT_AUTH_METHOD="private_key_jwt")
    await login.passes()
    posts = [request for request in provider.requests if request.path in ("/par", "/token")]
    public = KEYS[algorithm.replace("PS", "RS")].public_key()
    ids = set()
    for request in posts:
        kind = request.data["client_assertion_type"]
        assert kind == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assertion = request.data["client_assertion"]
        assert jwt.get_unverified_header(assertion)["kid"] == "ours"
        # For this issuer alone: another provider can do nothing with it.
        claims = jwt.decode(assertion, public, algorithms=[algorithm], audience=ISSUER)
        assert claims["iss"] == claims["sub"] == request.data["client_id"] == CLIENT_ID
        assert claims["aud"] == ISSUER
        assert claims["exp"] - claims["iat"] == 60 and abs(claims["iat"] - time.time()) < 30
        assert len(claims["jti"]) >= 20
        ids.add(claims["jti"])
        assert "client_secret" not in request.data and request.headers == {}
    assert len(ids) == len(posts) == 2


@pytest.mark.parametrize(
    "secret",
    [
        "not a key",
        "{}",
        json.dumps({"kty": "oct", "k": "A" * 43, "kid": "x"}),
        OSError("vault: s3cret"),
    ],
)
async def test_secret_or_key_that_cannot_be_used_is_denied_at_start(secret, provider):
    login = Login(provider, secret, CLIENT_AUTH_METHOD="private_key_jwt")
    assert await login.denied() == "not_configured"
    assert str(secret) not in login.log.lines[0]
    assert provider.paths == ["/.well-known/openid-configuration"]


async def test_provider_without_a_method_for_secrets_is_denied_at_start(provider):
    provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt", "none"]
    login = Login(provider)
    assert await login.denied() == "not_configured"
    assert login.reason == "the provider takes no secret: set CLIENT_AUTH_METHOD"


@pytest.mark.parametrize("secret", ["", None, 7])
async def test_missing_secret_is_denied_at_start_and_at_finish(secret, provider):
    assert await Login(provider, secret).denied() == "not_configured"
    assert provider.paths == ["/.well-known/openid-configuration"]
    login = Login(provider)
    await login.start()
    login.secret = secret
    assert await login.code_of(login.finish()) == "not_configured"


# ---- FAPI 2.0 ------------------------------------------------------------------------------------


def fapi2(provider, algorithm="PS256", **config):
    provider.header = {"kid": "signing"}
    key = public_jwk(algorithm.replace("PS", "RS"), "signing", alg=algorithm)
    provider.with_par().signing_with(algorithm, key)
    return Login(provider, private_key("ES256"), PROFILE="fapi2", **config)


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("method", ["", "private_key_jwt"])
async def test_fapi2_login_uses_par_and_private_key(algorithm, method, provider):
    login = fapi2(provider, algorithm, CLIENT_AUTH_METHOD=method)
    await login.passes()
    assert "/par" in provider.paths
    assert "client_assertion" in provider.requests[-2].data


@pytest.mark.parametrize(
    "config",
    [
        {"PAR": "off"},
        {"CLIENT_AUTH_METHOD": "client_secret_basic"},
        {"CLIENT_AUTH_METHOD": "client_secret_post"},
    ],
)
async def test_fapi2_refuses_weaker_settings(config, provider):
    assert await fapi2(provider, **config).denied() == "not_configured"
    assert provider.requests == []


async def test_fapi2_refuses_provider_without_par(provider):
    login = fapi2(provider)
    del provider.metadata["pushed_authorization_request_endpoint"]
    assert await login.denied() == "not_configured"


async def test_fapi2_refuses_other_algorithms(provider):
    assert await fapi2(provider, "RS256").denied() == "not_trusted"
    login = fapi2(provider)
    login.secret = private_key("RS256")
    assert await login.denied() == "not_configured"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": None},
        {"exp": lambda now: now - 300},
        {"exp": None},
        {"nonce": "x" * 43},
        {"nonce": None},
    ],
)
async def test_fapi2_denies_wrong_claim(claims, provider):
    login = fapi2(provider)
    provider.claims = claims
    assert await login.denied() == "not_trusted"


@pytest.mark.parametrize("state", [None, "x" * 43])
async def test_fapi2_denies_another_state(state, provider):
    assert await fapi2(provider).denied(state=state) == "expired"


async def test_fapi2_denies_unsigned_id_token(provider):
    login = fapi2(provider)
    provider.algorithm, provider.signing_key = "none", None
    assert await login.denied() == "not_trusted"


async def test_fapi2_denies_metadata_of_another_issuer(provider):
    login = fapi2(provider)
    provider.metadata["issuer"] = "https://evil.example"
    assert await login.denied() == "provider_unavailable"


@pytest.mark.parametrize(
    "answer", [{"token_type": "bEARER"}, {"token_type": "DPoP"}, {"expires_in": None}]
)
async def test_fapi2_does_not_need_the_access_token(answer, provider):
    login = fapi2(provider)
    provider.claims, provider.answer = {"aud": [CLIENT_ID]}, answer
    await login.passes()


@pytest.mark.parametrize("iss", [None, "https://evil.example"])
async def test_fapi2_denies_another_iss(iss, provider):
    assert await fapi2(provider).denied(iss=iss) == "not_trusted"


async def test_fapi2_requires_iss_even_if_it_is_not_announced(provider):
    login = fapi2(provider)
    del provider.metadata["authorization_response_iss_parameter_supported"]
    assert await login.denied(iss=None) == "not_trusted"
    await login.passes()


# ---- the caches ----------------------------------------------------------------------------------


async def test_metadata_and_keys_are_cached_for_an_hour(provider):
    login = Login(provider.with_par())
    await login.passes()
    assert set(login.cache.seconds.values()) == {3600}
    provider.requests.clear()
    await login.start()
    assert provider.paths == ["/par"]
    await login.finish()
    assert provider.paths == ["/par", "/token"]


@pytest.mark.parametrize(
    "plant",
    [
        lambda metadata: {**metadata, "token_endpoint": "http://evil.example/token"},
        lambda metadata: {**metadata, "jwks_uri": "http://127.0.0.1/keys"},
        lambda metadata: {**metadata, "issuer": "https://evil.example"},
        lambda metadata: {},
        lambda metadata: [metadata],
        lambda metadata: "x",
    ],
)
async def test_wrong_metadata_in_the_cache_is_fetched_again(plant, provider):
    login = Login(provider)
    await login.passes()
    cached = login.cache.values
    for key in [key for key in cached if "issuer" in cached[key]]:
        cached[key] = plant(cached[key])
    provider.requests.clear()
    await login.passes()
    assert provider.paths == ["/.well-known/openid-configuration", "/token"]


@pytest.mark.parametrize("planted", [{}, {"keys": "none"}, ["x"], "x", 7])
async def test_wrong_keys_in_the_cache_are_fetched_again(planted, provider):
    login = Login(provider)
    await login.passes()
    cached = login.cache.values
    for key in [key for key in cached if "keys" in cached[key]]:
        cached[key] = planted
    provider.requests.clear()
    await login.passes()
    assert provider.paths == ["/token", "/keys"]


@pytest.mark.parametrize(
    ("cache", "name"),
    [
        ("cache", "set"),
        ("cache", "add"),
        ("session_cache", "get"),
        ("session_cache", "set"),
        ("session_cache", "add"),
        ("session_cache", "delete"),
    ],
)
async def test_cache_that_fails_is_denied(cache, name, provider):
    login = Login(provider)
    setattr(login, cache, BrokenCache(name))
    if (cache, name) == ("cache", "add"):
        provider.signing_key = OTHER_KEY  # it is needed only if a signature does not fit
    assert await login.denied() == "failed"
    assert login.reason == f"the cache cannot {name}: ConnectionRefusedError"


async def test_unreadable_cache_counts_as_empty(provider):
    login = Login(provider)
    login.cache = BrokenCache("get")
    await login.passes()


async def test_cache_without_add_is_denied(provider):
    login = Login(provider)
    await login.start()
    login.session_cache.add = None
    assert await login.code_of(login.finish()) == "failed"


async def test_cache_keys_contain_no_customer_data(provider):
    login = Login(provider)
    query = await login.start()
    await login.finish()
    keys = {*login.cache.seconds, *login.session_cache.seconds}
    assert len(keys) == 4
    for key in keys:
        assert re.fullmatch("oidc2_[0-9a-f]{64}", key)
        assert query["state"] not in key


async def test_cached_metadata_of_another_issuer_is_not_used(provider):
    login = Login(provider)
    await login.passes()
    login.config.ISSUER = "https://other.example"
    assert await login.denied() == "provider_unavailable"
    assert login.reason == "other.example gave no usable answer: KeyError"


# ---- the flow ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, "", "x" * 43, 7, ["a", "b"], "ü" * 43, "\ud800"])
async def test_another_state_is_denied_before_the_provider_is_asked(state, provider):
    assert await Login(provider).denied(state=state) == "expired"
    assert provider.paths == ["/.well-known/openid-configuration"]


async def test_failed_flow_cannot_be_used_again(provider):
    login = Login(provider)
    await login.passes()
    assert login.session_cache.values == {}
    assert await login.code_of(login.finish()) == "expired"
    await login.start()
    assert await login.code_of(login.finish(state="wrong")) == "expired"
    assert login.session_cache.values == {}
    assert await login.code_of(login.finish()) == "expired"


async def test_only_one_worker_can_use_a_flow(provider):
    login = Login(provider)
    await login.start()
    flows = dict(login.session_cache.values)
    await login.finish()
    login.session_cache.values = flows  # another worker read it before it was deleted
    assert await login.code_of(login.finish()) == "expired"
    assert login.reason == "the flow was answered before"
    assert list(login.session_cache.seconds.values()) == [600, 600]


async def test_flow_of_another_session_is_denied(provider):
    theirs, mine = Login(provider), Login(provider)
    await theirs.start()
    await mine.start()
    mine.url = theirs.url
    assert await mine.code_of(mine.finish()) == "expired"


async def test_flow_of_another_extension_is_denied(provider):
    login = Login(provider)
    await login.start()
    login.CONFIG_FILE_NAME = "Bar"
    assert await login.code_of(login.finish()) == "expired"
    login.CONFIG_FILE_NAME = "Foo"
    await login.finish()


@pytest.mark.parametrize(
    ("begun", "ended"),
    [
        ({"transaction_ids": [1]}, {"transaction_ids": [2]}),
        ({"transaction_ids": [1]}, {"transaction_ids": [1, 2]}),
        ({"transaction_ids": [1]}, {}),
        ({"audit_action_id": 1}, {"audit_action_id": 2}),
        ({"audit_action_name": "ChangeEmail"}, {"audit_action_name": "ChangePhone"}),
        ({"mfa_context": "login"}, {"mfa_context": "transaction"}),
        ({"transaction_ids": [Decimal(1)]}, {"transaction_ids": [Decimal(2)]}),
    ],
)
async def test_flow_for_another_request_is_denied(begun, ended, provider):
    login = Login(provider)
    login.mfa_info = SimpleNamespace(sso_identifier=USER, **begun)
    await login.passes()
    await login.start()
    login.mfa_info = SimpleNamespace(sso_identifier=USER, **ended)
    assert await login.code_of(login.finish()) == "expired"
    assert login.reason == "the flow was begun to confirm something else"


@pytest.mark.parametrize(
    "change",
    [
        *[{name: None} for name in ("state", "nonce", "code_verifier", "redirect_uri", "confirms")],
        {"state": ""},
        {"nonce": ["x"]},
        {"started": None},
        {"started": "now"},
        {"started": 1},
        {"started": 9_999_999_999},
    ],
)
async def test_cached_flow_that_is_wrong_is_denied(change, provider):
    login = Login(provider)
    await login.start()
    ((key, flow),) = login.session_cache.values.items()
    for planted in ({**flow, **change}, [flow], "flow", 7):
        login.session_cache.values[key] = planted
        assert await login.code_of(login.finish()) == "expired"
    login.session_cache.values[key] = flow
    await login.finish()


# ---- the callback --------------------------------------------------------------------------------


@pytest.mark.parametrize("iss", ["https://evil.example", ISSUER + "/", "", 7, [ISSUER], None])
async def test_another_iss_is_denied(iss, provider):
    assert await Login(provider).denied(iss=iss) == "not_trusted"


async def test_iss_may_be_absent_only_if_it_is_not_announced(provider):
    del provider.metadata["authorization_response_iss_parameter_supported"]
    await Login(provider).passes(iss=None)
    assert await Login(provider).denied(iss="https://evil.example") == "not_trusted"


@pytest.mark.parametrize("error", protocol.USER_ERRORS)
async def test_error_that_the_user_can_correct_reaches_the_page(error, provider):
    assert await Login(provider).denied(error=error) == error
    assert "/token" not in provider.paths


@pytest.mark.parametrize("error", ["server_error", "x\nMFA granted", "", 7, ["access_denied"]])
async def test_other_error_is_denied_and_its_text_is_not_shown(error, provider):
    login = Login(provider)
    assert await login.denied(error=error) == "provider_error"
    assert "granted" not in login.log.lines[0]


@pytest.mark.parametrize("code", [None, "", 7, ["the code", "the code"], "x" * 8193])
async def test_missing_repeated_or_huge_code_is_denied(code, provider):
    assert await Login(provider).denied(code=code) == "provider_error"
    assert "/token" not in provider.paths


# ---- the ID token: keys and signature ------------------------------------------------------------


def curve(algorithm, curve, kid=None):
    return jwk(algorithm, ec.generate_private_key(curve()).public_key(), kid=kid)


MIXED = {
    "RS256": public_jwk("RS256", None, use=None),
    "ES256": public_jwk("ES256", None, use=None),
    "secp256k1": curve("ES256K", ec.SECP256K1),
    "ES384": curve("ES384", ec.SECP384R1),
    "EdDSA": public_jwk("EdDSA", None, use=None),
    "X25519": {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
}


@pytest.mark.parametrize("kid", [None, "one"])
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_key_is_chosen_by_its_type_and_curve(algorithm, kid, provider):
    """No key names an algorithm; none has a `kid`, or all have the same one (RFC 7517, 4.5)."""
    provider.header = {"kid": kid} if kid else {}
    keys = [{**key, **({"kid": kid} if kid else {})} for key in MIXED.values()]
    provider.signing_with(algorithm, *keys)
    await Login(provider).passes()


@pytest.mark.parametrize("said", [{}, {"alg": None}, {"alg": None, "use": None}])
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_key_is_chosen_by_its_kid(algorithm, said, provider):
    provider.header = {"kid": "its own"}
    family = algorithm.replace("PS", "RS")
    key = public_jwk(family, "its own", **{"alg": algorithm, **said})
    provider.signing_with(algorithm, public_jwk("RS256", "1"), public_jwk("ES256", "2"), key)
    await Login(provider).passes()


async def test_ed448_is_accepted(provider):
    provider.signing_key = ed448.Ed448PrivateKey.generate()
    provider.algorithm = "EdDSA"
    key = jwk("EdDSA", provider.signing_key.public_key(), kid="first")
    provider.keys = [key, public_jwk("EdDSA", "other")]
    await Login(provider).passes()


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ([public_jwk("RS256", "first")], None),
        ([public_jwk("RS256", "first"), public_jwk("RS256", "second", use="enc")], None),
        ([public_jwk("RS256", "first"), public_jwk("ES256", "second")], None),
        ([public_jwk("RS256", "first"), public_jwk("RS256", "second")], "not_trusted"),
        ([public_jwk("RS256", "first", use="enc")], "not_trusted"),
        ([public_jwk("RS256", "first", alg="PS256")], "not_trusted"),
        ([public_jwk("ES256", "first")], "not_trusted"),
        ([], "not_trusted"),
        ([7, None, "first"], "not_trusted"),
        ("first", "provider_unavailable"),
        (7, "provider_unavailable"),
    ],
)
async def test_id_token_without_kid_needs_exactly_one_matching_key(keys, code, provider):
    provider.header, provider.keys = {}, keys
    login = Login(provider)
    if code:
        assert await login.denied() == code
    else:
        await login.passes()


async def test_key_without_kid_does_not_fit_a_token_with_one(provider):
    provider.keys = [public_jwk("RS256", None)]
    assert await Login(provider).denied() == "not_trusted"


async def test_unknown_kid_fetches_keys_once(provider):
    login = Login(provider)
    await login.passes()
    provider.requests.clear()
    provider.header = {"kid": "new"}
    provider.keys = [public_jwk("RS256", "new")]
    await login.passes()
    provider.header = {"kid": "unknown"}
    assert await login.denied() == "not_trusted"
    assert await login.denied() == "not_trusted"
    assert provider.paths == ["/token", "/keys", "/token", "/keys", "/token"]


async def test_invalid_id_tokens_fetch_the_keys_at_most_once_a_minute(provider):
    login = Login(provider)
    await login.passes()
    provider.requests.clear()
    provider.claims = {"exp": after(-120)}
    assert await login.denied() == "not_trusted"
    assert await login.denied() == "not_trusted"
    assert login.reason == "the ID token is not valid: ExpiredSignatureError"
    assert provider.paths == ["/token", "/keys", "/token"]


async def test_new_key_under_old_kid_fetches_keys_once_a_minute(provider):
    login = Login(provider)
    await login.passes()
    provider.requests.clear()
    provider.signing_key = OTHER_KEY
    provider.keys = [jwk("RS256", OTHER_KEY.public_key(), kid="first")]
    await login.passes()
    assert provider.paths == ["/token", "/keys"]
    assert sorted(login.cache.seconds.values()) == [60, 3600, 3600]
    provider.signing_key = KEYS["RS256"]
    assert await login.denied() == "not_trusted"
    assert provider.paths == ["/token", "/keys", "/token"]


async def test_new_keys_under_two_old_kids_fetch_keys_twice(provider):
    login = Login(provider)
    provider.keys = [public_jwk("RS256", kid) for kid in ("first", "second")]
    await login.passes()
    provider.signing_key = OTHER_KEY
    for kid in ("first", "second"):
        provider.header = {"kid": kid}
        provider.keys = [jwk("RS256", OTHER_KEY.public_key(), kid=kid)]
        provider.keys.append(public_jwk("RS256", "second" if kid == "first" else "first"))
        await login.passes()
    assert provider.paths.count("/keys") == 3


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", OTHER_KEY),
        ("HS256", b"k" * 32),
        ("HS256", CLIENT_SECRET * 3),
        ("none", None),
    ],
)
async def test_another_signature_is_denied(algorithm, key, provider):
    # Even if such a key stands among the provider's, and the provider announces such an algorithm.
    shared = base64.urlsafe_b64encode(b"k" * 32).decode()
    provider.keys += [{"kty": "oct", "kid": "shared", "k": shared}]
    announced = ["RS256", "HS256", "none"]
    provider.metadata["id_token_signing_alg_values_supported"] = announced
    provider.algorithm, provider.signing_key = algorithm, key
    for kid in ("first", "shared"):
        provider.header = {"kid": kid}
        assert await Login(provider).denied() == "not_trusted"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_short_key_is_denied(provider):
    provider.signing_key = rsa.generate_private_key(65537, 1024)
    provider.keys = [jwk("RS256", provider.signing_key.public_key(), kid="first")]
    assert await Login(provider).denied() == "not_trusted"


async def test_critical_extension_is_denied(provider):
    provider.header = {"kid": "first", "crit": ["b64"], "b64": True}
    assert await Login(provider).denied() == "not_trusted"


@pytest.mark.parametrize("id_token", [None, "", "garbage", "a.b.c", 7, ["x"], {}, "ü.ü.ü"])
async def test_malformed_id_token_is_denied(id_token, provider):
    provider.answer = {"id_token": id_token}
    assert await Login(provider).denied() == "not_trusted"


async def test_error_beside_valid_id_token_is_denied(provider):
    provider.answer = {"error": "invalid_grant"}
    login = Login(provider)
    assert await login.denied() == "provider_unavailable"
    assert login.reason == "login.bank.example answered 200 invalid_grant"


# ---- the ID token: claims ------------------------------------------------------------------------

ODD = ["soon", [], None, True, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize(
    "claims",
    [
        *[
            {"iss": iss}
            for iss in ("https://evil.example", ISSUER + "/", ISSUER[:-1], None, [ISSUER])
        ],
        *[
            {"aud": aud}
            for aud in ("another", CLIENT_ID[:-1], [], None, ["another"], {CLIENT_ID: 1})
        ],
        {"aud": [CLIENT_ID, "another"]},
        *[
            {"aud": [CLIENT_ID, "another"], "azp": azp}
            for azp in (CLIENT_ID, "another", None, [CLIENT_ID])
        ],
        *[{"azp": azp} for azp in ("another", "", 7)],
        *[{"sub": sub} for sub in (None, 7, [USER])],
        *[{"exp": exp} for exp in [after(-120), *ODD]],
        *[{"iat": iat} for iat in [after(-420), after(600), *ODD]],
        {"nbf": after(600)},
        *[{"nonce": nonce} for nonce in ("x" * 43, "", None, 7, "ü" * 43)],
    ],
)
async def test_wrong_claim_is_denied(claims, provider):
    provider.claims = claims
    assert await Login(provider).denied() == "not_trusted"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID]},
        {"azp": CLIENT_ID},
        {"exp": after(-30)},
        {"iat": after(-30), "auth_time": after(-30)},
        {"iat": after(30.5), "auth_time": after(30)},
        {"iat": after(-300), "nbf": after(-300)},
    ],
)
async def test_allowed_variation_of_a_claim_passes(claims, provider):
    provider.claims = claims
    await Login(provider).passes()


@pytest.mark.parametrize("azp", [{}, {"azp": CLIENT_ID}])
async def test_trusted_audience_passes_and_no_other(azp, provider):
    login = Login(provider, TRUSTED_AUDIENCES=["https://idp.example", "another"])
    provider.claims = {"aud": [CLIENT_ID, "another"], **azp}
    await login.passes()
    provider.claims = {"aud": [CLIENT_ID, "another", "a third"], **azp}
    assert await login.denied() == "not_trusted"
    provider.claims = {"aud": ["another"], **azp}
    assert await login.denied() == "not_trusted"
    provider.claims = {"aud": [CLIENT_ID, "another"], "azp": "another"}
    assert await login.denied() == "not_trusted"


@pytest.mark.parametrize("auth_time", [after(-10), after(-120), 0, after(600), *ODD])
async def test_login_that_is_not_fresh_is_denied(auth_time, provider):
    provider.claims = {"auth_time": auth_time}
    assert await Login(provider).denied() == "too_old"


@pytest.mark.parametrize("seconds", [-30, 0, 30])
async def test_login_before_the_flow_is_denied_for_any_provider_clock(seconds, provider):
    provider.claims = {"iat": after(seconds), "auth_time": after(seconds - 20)}
    assert await Login(provider).denied() == "too_old"
    provider.claims = {"iat": after(seconds), "auth_time": after(seconds)}
    await Login(provider).passes()


async def test_login_may_be_as_old_as_configured(provider):
    login = Login(provider, MAX_AGE=300)
    provider.claims = {"auth_time": after(-290)}
    await login.passes()
    for seconds in (-320, -480):
        provider.claims = {"auth_time": after(seconds)}
        assert await login.denied() == "too_old"


@pytest.mark.parametrize("auth_time", [0, None, after(-3600)])
async def test_auth_time_is_not_checked_if_configured(auth_time, provider):
    provider.claims = {"auth_time": auth_time}
    await Login(provider, CHECK_AUTH_TIME=False).passes()


@pytest.mark.parametrize("acr", ["low", "", None, ["high"], 7, "high higher"])
async def test_weaker_login_is_denied(acr, provider):
    provider.claims = {"acr": acr}
    assert await Login(provider, ACR_VALUES="high higher").denied() == "too_weak"


@pytest.mark.parametrize("acr", ["high", "higher"])
async def test_login_as_strong_as_asked_for_passes(acr, provider):
    provider.claims = {"acr": acr}
    await Login(provider, ACR_VALUES="high higher").passes()


# ---- the right person ----------------------------------------------------------------------------


@pytest.mark.parametrize("identifier", ["bob", USER.upper(), USER + " ", USER + "m", USER[:-1]])
async def test_another_user_is_denied(identifier, provider):
    login = Login(provider)
    login.mfa_info.sso_identifier = identifier
    assert await login.denied() == "wrong_user"


async def test_user_who_loses_the_identifier_is_denied(provider):
    login = Login(provider)
    await login.start()
    login.mfa_info.sso_identifier = None
    assert await login.code_of(login.finish()) == "not_linked"


async def test_registration_value_can_be_the_identifier(provider):
    login = Login(provider, IDENTITY_ATTRIBUTE="registration_value")
    login.mfa_info = SimpleNamespace(sso_identifier="bob", registration_value=USER)
    await login.passes()
    login.mfa_info = SimpleNamespace(sso_identifier=USER, registration_value="bob")
    assert await login.denied() == "wrong_user"
    login.mfa_info = SimpleNamespace(sso_identifier=USER)
    assert await login.denied() == "not_linked"


async def test_another_claim_can_identify_the_user(provider):
    login = Login(provider, IDENTITY_CLAIM="employee")
    login.mfa_info.sso_identifier = "E7"
    provider.claims = {"employee": "E7"}
    await login.passes()
    for claim in ("E8", ["E7"], None):
        provider.claims = {"employee": claim}
        assert await login.denied() == "wrong_user"


async def test_email_has_to_be_verified(provider):
    login = Login(provider, IDENTITY_CLAIM="email")
    login.mfa_info.sso_identifier = "ada@bank.example"
    for verified in (None, False, "true"):
        provider.claims = {"email": "ada@bank.example", "email_verified": verified}
        assert await login.denied() == "wrong_user"
    provider.claims["email_verified"] = True
    await login.passes()


# ---- wrong answers of the provider ---------------------------------------------------------------


WRONG_ANSWERS = {
    "down": lambda answer: OSError("connection refused"),
    "error": lambda answer: Response(answer, 500),
    "refused": lambda answer: Response({"error": "access_denied"}, 403),
    "moved": lambda answer: Response(answer, 302),
    "html": lambda answer: Response("<h1>Sign in</h1>"),
    "empty": lambda answer: Response(""),
    "list": lambda answer: Response([answer]),
    "null": lambda answer: Response("null"),
    "big": lambda answer: Response(json.dumps(answer) + " " * 100_000),
    "deep": lambda answer: Response("[" * 99_000),
}
PATHS = ["/.well-known/openid-configuration", "/par", "/token", "/keys"]


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
@pytest.mark.parametrize("path", PATHS)
async def test_unusable_answer_is_denied(path, wrong, provider):
    def respond(asked, answer):
        if asked != path:
            return Response(answer)
        answer = WRONG_ANSWERS[wrong](answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    provider.with_par().respond = respond
    assert await Login(provider).denied() == "provider_unavailable"


async def test_provider_response_is_read_up_to_the_limit_and_closed(provider):
    responses = []

    def respond(path, answer):
        big = path == "/token"
        responses.append(Response("{" + " " * 10_000_000 if big else answer))
        return responses[-1]

    provider.respond = respond
    assert await Login(provider).denied() == "provider_unavailable"
    assert responses[-1].read < 110_000
    assert all(response.closed for response in responses)


async def test_q2_requests_that_does_not_stream_is_enough(provider, monkeypatch):
    def without_stream(request):
        async def ask(logger, url, **options):
            if "stream" in options:
                raise TypeError("unexpected keyword argument")
            return await request(logger, url, stream=True, **options)

        return ask

    for name in ("get", "post"):
        monkeypatch.setattr(q2_requests, name, without_stream(getattr(q2_requests, name)))
    login = Login(provider)
    await login.start()
    assert await login.finish() is None


async def test_provider_that_never_responds_is_denied(provider, monkeypatch):
    async def never(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(q2_requests, "get", never)
    assert await Login(provider).denied() == "provider_unavailable"


async def test_provider_response_that_never_ends_is_denied(provider, monkeypatch):
    class Endless(Response):
        def iter_content(self, chunk_size):
            while True:
                yield b""

    provider.respond = lambda path, answer: Endless(answer)
    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.01)
    assert await Login(provider).denied() == "provider_unavailable"


async def test_log_has_the_status_of_a_response_that_is_not_json(provider):
    provider.respond = lambda path, answer: Response("<h1>Bad gateway</h1>", 502)
    login = Login(provider)
    assert await login.denied() == "provider_unavailable"
    assert login.reason == "login.bank.example answered 502 and no JSON object: JSONDecodeError"


UNSAFE_URLS = [
    "http://login.bank.example/x",
    "http://127.0.0.1/x",
    "javascript:alert(1)//",
    "https://",
    "https://[",
    "https://idp\\@evil.example/x",
    "https://idp@evil.example/x",
    "https://login.bank.example/\\@evil",
    "ht\ntps://login.bank.example/x",
    "https://login.bank.example/x\n",
    " https://login.bank.example/x",
    "https://login.bank.example/x#fragment",
    "https://login.bank.example:x/",
    "https://login.b\u0430nk.example/x",  # a Cyrillic letter
    "https://login.bank.example:\u0664\u0664\u0663/x",
    "",
    7,
    [],
]


@pytest.mark.parametrize("name", protocol.ENDPOINTS)
@pytest.mark.parametrize("url", UNSAFE_URLS)
async def test_unsafe_endpoint_is_denied_and_not_asked(name, url, provider):
    provider.metadata[name] = url
    assert await Login(provider).denied() == "provider_unavailable"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("url", UNSAFE_URLS)
def test_unsafe_url_is_unsafe_as_issuer_too(url):
    is_local = url == "http://127.0.0.1/x"
    assert protocol.is_safe_url(url, url if isinstance(url, str) else "") is is_local


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_local_issuer_may_have_local_endpoints_without_https(host):
    url = f"http://{host}/token?x=y"
    assert protocol.is_safe_url(url, f"http://{host}")
    assert not protocol.is_safe_url(url, "https://login.bank.example")
    assert protocol.is_safe_url("https://login.bank.example:8443", "http://localhost")
    assert not protocol.is_safe_url("http://login.bank.example", f"http://{host}")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_missing_endpoint_is_denied(name, provider):
    del provider.metadata[name]
    assert await Login(provider).denied() == "provider_unavailable"


async def test_metadata_of_issuer_with_slash_is_found(provider):
    provider.metadata["issuer"] = ISSUER + "/"
    await Login(provider, ISSUER=ISSUER + "/").start()
    assert provider.paths == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("issuer", ["https://evil.example", ISSUER + "/", ISSUER.upper(), None])
async def test_metadata_of_another_issuer_is_denied_and_not_kept(issuer, provider):
    provider.metadata["issuer"] = issuer
    login = Login(provider)
    assert await login.denied() == "provider_unavailable"
    assert login.cache.values == {}


# ---- the log -------------------------------------------------------------------------------------


async def test_log_has_the_reason_and_no_secret(provider):
    provider.with_par().claims = {"sub": "bob"}
    login = Login(provider)
    assert await login.denied() == "wrong_user"
    form = provider.pushed_form
    assert login.log.lines == ["External MFA denied: wrong_user: someone else logged in"]
    secrets = ("the code", "an access token", CLIENT_SECRET, form["state"], form["nonce"], "eyJ")
    for secret in (*secrets, "bob", USER):
        assert secret not in login.log.lines[0]


@pytest.mark.parametrize("path", ["/par", "/token"])
@pytest.mark.parametrize(
    ("error", "code", "logged"),
    [
        ("invalid_client", "not_configured", "invalid_client"),
        ("unauthorized_client", "not_configured", "unauthorized_client"),
        ("invalid_grant", "provider_unavailable", "invalid_grant"),
        ("invalid_request", "provider_unavailable", "invalid_request"),
        ("x\nMFA granted", "provider_unavailable", ""),
        (["invalid_client"], "provider_unavailable", ""),
    ],
)
async def test_log_has_the_error_code_only_for_client_errors(path, error, code, logged, provider):
    def respond(asked, answer):
        return Response({"error": error}, 401) if asked == path else Response(answer)

    provider.with_par().respond = respond
    login = Login(provider)
    assert await login.denied() == code
    assert login.reason == f"login.bank.example answered 401 {logged}"
