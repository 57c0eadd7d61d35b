"""The OpenID Connect client alone: the one way to pass, and each check that stands in every other. Keep these."""

import asyncio
import base64
import json
import logging
import math
import re
import time
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError

from .. import oidc
from .provider import CLIENT_ID, CLIENT_SECRET, ISSUER, KEYS, OTHER_KEY, USER, Provider, after, public_jwk, response

REDIRECT_URI = "https://assets.bank.example/verify.html"


class Cache(dict):
    """As much of memcached as the client uses, without the time limit, which it remembers."""

    def __init__(self):
        super().__init__()
        self.seconds = {}

    def get(self, key, default=None):
        assert re.fullmatch("[!-~]{1,250}", key)
        return super().get(key, default)

    def set(self, key, value, seconds):
        assert re.fullmatch("[!-~]{1,250}", key) and type(seconds) is int
        self[key] = json.loads(json.dumps(value, allow_nan=False))
        self.seconds[key] = seconds

    def delete(self, key):
        self.pop(key, None)


class Log(logging.Handler):
    """The lines that were logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Login:
    """One user's way through a login, on one session."""

    def __init__(self, provider, secret=CLIENT_SECRET, **config):
        self.provider = provider
        defaults = {"ISSUER": ISSUER, "CLIENT_ID": CLIENT_ID, "CLIENT_AUTH_METHOD": "", "SCOPES": "openid profile", "REQUIRE_PAR": False}
        defaults |= {"MAX_AGE": 0, "ACR_VALUES": "", "IDENTITY_CLAIM": "sub", "IDENTITY_ATTRIBUTE": "sso_identifier"}
        self.config = SimpleNamespace(**{**defaults, **config})
        self.secret, self.cache, self.session_cache = secret, Cache(), Cache()
        self.logger, self.log = logging.getLogger("oidc"), Log()
        self.logger.handlers = [self.log]

    @property
    def client(self):
        async def client_secret():
            return self.secret

        return oidc.OidcClient(self.config, client_secret, REDIRECT_URI, self.cache, self.session_cache, self.logger)

    async def start(self, hint=None):
        self.url = (await self.client.start(hint))["authorization_url"]
        return dict(parse_qsl(urlsplit(self.url).query))

    async def finish(self, identity=USER, **changes):
        await self.client.finish(self.provider.callback(self.url, **changes), identity)

    async def denied(self, identity=USER, **changes):
        """The code of the denial that a whole login ends in."""

        async def login():
            await self.start()
            await self.finish(identity, **changes)

        return await self.code_of(login())

    async def code_of(self, step):
        """The code of the denial that one step ends in; the log has its reason, in one line."""
        before = len(self.log.lines)
        with pytest.raises(TectonError) as caught:
            await step
        (line,) = self.log.lines[before:]
        assert re.fullmatch("External MFA denied: (?!None).+", line)
        assert caught.value.data == {"code": str(caught.value)}
        return caught.value.data["code"]


@pytest.fixture
def provider(monkeypatch):
    provider = Provider()
    monkeypatch.setattr(q2_requests, "get", provider.get)
    monkeypatch.setattr(q2_requests, "post", provider.post)
    return provider


# ---- what is asked for ---------------------------------------------------------------------------


async def test_a_login_asks_for_a_fresh_proof_and_passes(provider):
    login = Login(provider)
    query = await login.start("ada@bank")
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
        "max_age": "0",
        "prompt": "login",
        "login_hint": "ada@bank",
    }
    await login.finish()
    assert [request.path for request in provider.requests] == ["/.well-known/openid-configuration", "/token", "/keys"]


async def test_what_cannot_be_guessed_is_new_each_time(provider):
    login = Login(provider)
    queries = [await login.start() for _ in range(5)]
    values = [query[name] for query in queries for name in ("state", "nonce", "code_challenge")]
    assert len(set(values)) == 15
    assert all(len(value) >= 43 for value in values)
    assert login.session_cache.seconds == {oidc.FLOW_KEY: 600}


async def test_only_what_is_configured_is_asked_for(provider):
    query = await Login(provider, MAX_AGE=300, ACR_VALUES="high higher").start()
    assert "prompt" not in query and "login_hint" not in query
    assert (query["max_age"], query["acr_values"]) == ("300", "high higher")


async def test_an_endpoint_with_a_query_keeps_it(provider):
    provider.metadata["authorization_endpoint"] += "?tenant=7"
    assert (await Login(provider).start())["tenant"] == "7"


async def test_pushed_where_announced_and_nothing_else_goes_through_the_browser(provider):
    login = Login(provider.with_par(), REQUIRE_PAR=True)
    assert await login.start() == {"client_id": CLIENT_ID, "request_uri": "urn:example:pushed"}
    assert provider.pushed_form["code_challenge_method"] == "S256"
    await login.finish()


@pytest.mark.parametrize(("announced", "given"), [(90, 90), (600, 600), (0, 0), (601, 0), ("90", 0), (None, 0), (True, 0)])
async def test_the_page_is_told_how_long_the_way_is_good(announced, given, provider):
    assert (await Login(provider).client.start(None))["expires_in"] == 600
    provider.with_par().pushed["expires_in"] = announced
    assert (await Login(provider).client.start(None))["expires_in"] == given


@pytest.mark.parametrize("pushed", [{}, {"request_uri": ""}, {"request_uri": 7}])
async def test_a_push_that_gives_no_reference_is_denied(pushed, provider):
    provider.with_par().pushed = pushed
    assert await Login(provider).denied() == "provider_unavailable"


async def test_par_can_be_required(provider):
    assert await Login(provider, REQUIRE_PAR=True).denied() == "not_configured"


async def test_metadata_and_keys_are_asked_for_once(provider):
    login = Login(provider.with_par())
    await login.start()
    await login.finish()
    provider.requests.clear()
    await login.start()
    assert [request.path for request in provider.requests] == ["/par"]
    await login.finish()
    assert [request.path for request in provider.requests] == ["/par", "/token"]
    assert set(login.cache.seconds.values()) == {3600}


# ---- who asks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("announced", "configured", "used"),
    [
        (None, "", "basic"),
        (["client_secret_basic", "client_secret_post"], "", "basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_post", "post"),
        (["client_secret_post", 7, None], "", "post"),
    ],
)
async def test_the_client_proves_itself_with_its_secret(announced, configured, used, provider):
    provider.metadata["token_endpoint_auth_methods_supported"] = announced
    if announced is None:
        del provider.metadata["token_endpoint_auth_methods_supported"]
    login = Login(provider, CLIENT_AUTH_METHOD=configured)
    await login.start()
    await login.finish()
    (request,) = [request for request in provider.requests if request.path == "/token"]
    assert request.data["client_id"] == CLIENT_ID
    if used == "basic":
        # RFC 6749, 2.3.1: both halves are form-encoded first.
        assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"q2-mfa:p%40ss%3A+word%2F%2B%25"
        assert "client_secret" not in request.data
    else:
        assert request.headers == {} and request.data["client_secret"] == CLIENT_SECRET


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_the_client_proves_itself_with_its_key(algorithm, provider):
    private = jwt.get_algorithm_by_name(algorithm).to_jwk(KEYS[algorithm], as_dict=True)
    secret = json.dumps({**private, "alg": algorithm, "kid": "ours"})
    login = Login(provider.with_par(), secret, CLIENT_AUTH_METHOD="private_key_jwt")
    await login.start()
    await login.finish()
    posts = [request for request in provider.requests if request.path in ("/par", "/token")]
    ids = set()
    for request in posts:
        assert request.data["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assertion = request.data["client_assertion"]
        assert jwt.get_unverified_header(assertion)["kid"] == "ours"
        # To this issuer alone: another provider can do nothing with it.
        claims = jwt.decode(assertion, KEYS[algorithm].public_key(), algorithms=[algorithm], audience=ISSUER)
        assert claims["iss"] == claims["sub"] == request.data["client_id"] == CLIENT_ID
        assert claims["aud"] == ISSUER and claims["exp"] - claims["iat"] == 60 and abs(claims["iat"] - time.time()) < 30
        assert len(claims["jti"]) >= 20
        ids.add(claims["jti"])
        assert "client_secret" not in request.data and request.headers == {}
    assert len(ids) == len(posts) == 2


@pytest.mark.parametrize("secret", ["not a key", "{}", '{"kty": "oct", "k": "AAAA"}'])
async def test_a_private_key_that_is_none_is_denied_without_being_told(secret, provider):
    login = Login(provider.with_par(), secret, CLIENT_AUTH_METHOD="private_key_jwt")
    assert await login.denied() == "not_configured"
    assert secret not in login.log.lines[0]


async def test_a_method_that_the_provider_does_not_take_is_denied(provider):
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert await Login(provider, CLIENT_AUTH_METHOD="client_secret_basic").denied() == "not_configured"
    for nonsense in ("client_secret_basic", 7, None):
        provider.metadata["token_endpoint_auth_methods_supported"] = nonsense
        assert await Login(provider).denied() == "not_configured"


async def test_without_a_client_id_or_secret_nothing_is_asked(provider):
    assert await Login(provider, CLIENT_ID="").denied() == "not_configured"
    for nothing in ("", None):
        assert await Login(provider, nothing).denied() == "not_configured"
    assert provider.requests == []


async def test_a_secret_that_is_gone_meanwhile_is_denied(provider):
    login = Login(provider)
    await login.start()
    login.secret = ""
    assert await login.code_of(login.finish()) == "not_configured"


# ---- the way back --------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [None, "", "x" * 43, 7, ["a", "b"], "ü" * 43, "\ud800"])
async def test_another_state_is_denied_before_anything_is_asked(state, provider):
    login = Login(provider)
    assert await login.denied(state=state) == "expired"
    assert [request.path for request in provider.requests] == ["/.well-known/openid-configuration"]


async def test_a_flow_is_good_once_even_if_it_failed(provider):
    login = Login(provider)
    await login.start()
    await login.finish()
    assert await login.code_of(login.finish()) == "expired"
    await login.start()
    assert await login.code_of(login.finish(state="wrong")) == "expired"
    assert await login.code_of(login.finish()) == "expired"


async def test_a_flow_of_another_session_is_denied(provider):
    theirs, mine = Login(provider), Login(provider)
    await theirs.start()
    await mine.start()
    assert await mine.code_of(mine.client.finish(provider.callback(theirs.url), USER)) == "expired"


@pytest.mark.parametrize("iss", ["https://evil.example", ISSUER + "/", "", 7, [ISSUER], None])
async def test_another_issuer_is_denied(iss, provider):
    assert await Login(provider).denied(iss=iss) == "not_trusted"


async def test_an_issuer_may_be_left_out_only_where_it_is_not_announced(provider):
    del provider.metadata["authorization_response_iss_parameter_supported"]
    login = Login(provider)
    await login.start()
    await login.finish(iss=None)
    assert await Login(provider).denied(iss="https://evil.example") == "not_trusted"


@pytest.mark.parametrize("error", ["access_denied", "login_required", "interaction_required", "consent_required", "temporarily_unavailable"])
async def test_what_the_user_can_do_something_about_is_told(error, provider):
    assert await Login(provider).denied(error=error) == error
    assert "/token" not in [request.path for request in provider.requests]


@pytest.mark.parametrize("error", ["server_error", "x\nMFA granted", "", 7, ["access_denied"]])
async def test_another_error_is_denied_and_not_repeated(error, provider):
    login = Login(provider)
    assert await login.denied(error=error) == "provider_error"
    assert "granted" not in login.log.lines[0]


@pytest.mark.parametrize("code", [None, "", 7, ["the code", "the code"]])
async def test_what_is_no_code_is_denied(code, provider):
    assert await Login(provider).denied(code=code) == "provider_error"
    assert "/token" not in [request.path for request in provider.requests]


# ---- the ID token --------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [{}, {"alg": None}, {"alg": None, "use": None}])
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_the_providers_key_is_found(algorithm, said, provider):
    provider.algorithm, provider.header = algorithm, {"kid": "its own"}
    family = algorithm.replace("PS", "RS")
    provider.signing_key = KEYS[family]
    provider.keys = [public_jwk("RS256", "first"), public_jwk("ES256", "second"), public_jwk(family, "its own", **{"alg": algorithm, **said})]
    login = Login(provider)
    await login.start()
    await login.finish()


async def test_changed_keys_are_fetched_again_once(provider):
    login = Login(provider)
    await login.start()
    await login.finish()
    provider.requests.clear()
    provider.header = {"kid": "new"}
    provider.keys = [public_jwk("RS256", "new")]
    await login.start()
    await login.finish()
    provider.header = {"kid": "unknown"}
    assert await login.denied() == "not_trusted"
    assert [request.path for request in provider.requests] == ["/token", "/keys", "/token", "/keys"]


@pytest.mark.parametrize(
    ("keys", "passes"),
    [
        ([public_jwk("RS256", "first")], True),
        ([public_jwk("RS256", "first"), public_jwk("RS256", "second", use="enc")], True),
        ([public_jwk("RS256", "first"), public_jwk("ES256", "second")], False),
        ([public_jwk("RS256", "first", use="enc")], False),
        ([public_jwk("RS256", "first", alg="PS256")], False),
        ([], False),
        ([7, None, "first"], False),
        ("first", False),
        (7, False),
    ],
)
async def test_without_a_kid_there_has_to_be_one_key(keys, passes, provider):
    provider.header, provider.keys = {}, keys
    login = Login(provider)
    if passes:
        await login.start()
        await login.finish()
    else:
        assert await login.denied() == "not_trusted"


async def test_a_key_without_a_name_is_not_that_of_a_named_one(provider):
    key = public_jwk("RS256", "first")
    del key["kid"]
    provider.keys = [key]
    assert await Login(provider).denied() == "not_trusted"


@pytest.mark.parametrize(("algorithm", "key"), [("RS256", OTHER_KEY), ("HS256", b"k" * 32), ("HS256", CLIENT_SECRET * 3), ("none", None)])
async def test_another_signature_is_denied(algorithm, key, provider):
    # Even if such a key stands among the provider's, and the provider announces such an algorithm.
    provider.keys += [{"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"k" * 32).decode()}]
    provider.metadata["id_token_signing_alg_values_supported"] = ["RS256", "HS256", "none"]
    provider.algorithm, provider.signing_key = algorithm, key
    for kid in ("first", "shared"):
        provider.header = {"kid": kid}
        assert await Login(provider).denied() == "not_trusted"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_key_that_is_too_short_is_denied(provider):
    provider.signing_key = rsa.generate_private_key(65537, 1024)
    jwk = jwt.get_algorithm_by_name("RS256").to_jwk(provider.signing_key.public_key(), as_dict=True)
    provider.keys = [{**jwk, "kid": "first"}]
    assert await Login(provider).denied() == "not_trusted"


async def test_critical_extensions_are_not_understood(provider):
    provider.header = {"kid": "first", "crit": ["b64"], "b64": True}
    assert await Login(provider).denied() == "not_trusted"


@pytest.mark.parametrize("id_token", [None, "", "garbage", "a.b.c", 7, ["x"], {}, "ü.ü.ü"])
async def test_what_is_no_id_token_is_denied(id_token, provider):
    provider.answer = {"id_token": id_token}
    assert await Login(provider).denied() == "not_trusted"


ODD = ["soon", [], None, True, math.inf, -math.inf, math.nan]


@pytest.mark.parametrize(
    "claims",
    [
        *[{"iss": iss} for iss in ("https://evil.example", ISSUER + "/", ISSUER[:-1], None, [ISSUER])],
        *[{"aud": aud} for aud in ("another", CLIENT_ID[:-1], [], None, ["another"], {CLIENT_ID: 1})],
        {"aud": [CLIENT_ID, "another"]},
        *[{"aud": [CLIENT_ID, "another"], "azp": azp} for azp in ("another", None, [CLIENT_ID])],
        *[{"azp": azp} for azp in ("another", "", 7)],
        *[{"sub": sub} for sub in (None, 7, [USER])],
        *[{"exp": exp} for exp in [after(-120), *ODD]],
        *[{"iat": iat} for iat in [after(-120), after(600), *ODD]],
        {"nbf": after(600)},
        *[{"nonce": nonce} for nonce in ("x" * 43, "", None, 7, "ü" * 43)],
    ],
)
async def test_a_claim_that_is_wrong_is_denied(claims, provider):
    provider.claims = claims
    assert await Login(provider).denied() == "not_trusted"


async def test_what_may_differ_passes(provider):
    for claims in [
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID},
        {"exp": after(-30)},
        {"iat": after(-30)},
        {"iat": after(30.5)},
    ]:
        provider.claims = claims
        login = Login(provider)
        await login.start()
        await login.finish()


@pytest.mark.parametrize("auth_time", [after(-120), after(600), *ODD])
async def test_a_login_that_is_not_fresh_is_denied(auth_time, provider):
    provider.claims = {"auth_time": auth_time}
    assert await Login(provider).denied() == "too_old"


async def test_a_login_may_be_as_old_as_configured(provider):
    login = Login(provider, MAX_AGE=300)
    provider.claims = {"auth_time": after(-290)}
    await login.start()
    await login.finish()
    provider.claims = {"auth_time": after(-480)}
    assert await login.denied() == "too_old"


@pytest.mark.parametrize("acr", ["low", "", None, ["high"], 7, "high higher"])
async def test_a_weaker_login_than_asked_for_is_denied(acr, provider):
    provider.claims = {"acr": acr}
    assert await Login(provider, ACR_VALUES="high higher").denied() == "too_weak"


@pytest.mark.parametrize("acr", ["high", "higher"])
async def test_a_login_as_strong_as_asked_for_passes(acr, provider):
    login = Login(provider, ACR_VALUES="high higher")
    provider.claims = {"acr": acr}
    await login.start()
    await login.finish()


# ---- the right person ----------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["bob", USER.upper(), USER + " ", USER + "m", USER[:-1]])
async def test_somebody_else_is_denied(identity, provider):
    assert await Login(provider).denied(identity) == "wrong_user"


@pytest.mark.parametrize("identity", [None, "", 7, [USER]])
async def test_a_user_who_is_not_known_at_the_provider_is_denied(identity, provider):
    provider.claims = {"employee": identity}
    assert await Login(provider, IDENTITY_CLAIM="employee").denied(identity) == "not_linked"


async def test_another_claim_can_say_who_it_is(provider):
    login = Login(provider, IDENTITY_CLAIM="employee")
    provider.claims = {"employee": "E7"}
    await login.start()
    await login.finish("E7")
    assert await login.denied(USER) == "wrong_user"
    provider.claims = {"employee": ["E7"]}
    assert await login.denied("E7") == "wrong_user"


async def test_an_email_has_to_be_verified(provider):
    login = Login(provider, IDENTITY_CLAIM="email")
    for verified in (None, False, "true"):
        provider.claims = {"email": "ada@bank.example", "email_verified": verified}
        assert await login.denied("ada@bank.example") == "wrong_user"
    provider.claims["email_verified"] = True
    await login.start()
    await login.finish("ada@bank.example")


# ---- a provider that is broken -------------------------------------------------------------------


async def raises(error):
    raise error


WRONG_ANSWERS = {
    "down": lambda answer: OSError("connection refused"),
    "error": lambda answer: response(answer, 500),
    "refused": lambda answer: response({"error": "invalid_client"}, 401),
    "moved": lambda answer: response(answer, 302),
    "html": lambda answer: response("<h1>Sign in</h1>"),
    "empty": lambda answer: response(""),
    "list": lambda answer: response([answer]),
    "null": lambda answer: response("null"),
    "big": lambda answer: response(json.dumps(answer) + " " * 100_000),
    "deep": lambda answer: response("[" * 99_000),
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/par", "/token", "/keys"])
async def test_an_answer_that_cannot_be_used_is_denied(path, wrong, provider):
    def respond(asked, answer):
        if asked != path:
            return response(answer)
        answer = WRONG_ANSWERS[wrong](answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    provider.with_par().respond = respond
    assert await Login(provider).denied() == "provider_unavailable"


async def test_a_provider_that_never_answers_is_denied(provider, monkeypatch):
    async def never(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(oidc, "TIMEOUT_SECONDS", 0.01)
    monkeypatch.setattr(q2_requests, "get", never)
    assert await Login(provider).denied() == "provider_unavailable"


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "pushed_authorization_request_endpoint"])
@pytest.mark.parametrize("url", ["http://login.bank.example/x", "javascript:alert(1)//", "https://", "https://[", "", 7, []])
async def test_an_endpoint_that_is_not_https_is_denied(name, url, provider):
    provider.metadata[name] = url
    assert await Login(provider).denied() == "provider_unavailable"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("issuer", [ISSUER.replace("https", "http"), "login.bank.example", ""])
async def test_an_issuer_that_is_not_https_is_not_even_asked(issuer, provider):
    provider.metadata["issuer"] = issuer
    assert await Login(provider, ISSUER=issuer).denied() == "not_configured"
    assert provider.requests == []


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_an_endpoint_that_is_missing_is_denied(name, provider):
    del provider.metadata[name]
    assert await Login(provider).denied() == "provider_unavailable"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
async def test_loopback_may_do_without_https(host, provider):
    provider.metadata["authorization_endpoint"] = f"http://{host}/authorize"
    login = Login(provider)
    await login.start()
    assert login.url.startswith(f"http://{host}/authorize?")


async def test_the_metadata_of_an_issuer_that_ends_in_a_slash_are_found(provider):
    provider.metadata["issuer"] = ISSUER + "/"
    await Login(provider, ISSUER=ISSUER + "/").start()
    assert provider.requests[0].path == "/.well-known/openid-configuration"


async def test_what_is_kept_of_one_issuer_is_not_used_for_another(provider):
    login = Login(provider)
    await login.start()
    await login.finish()
    login.config.ISSUER = "https://other.example"
    assert await login.denied() == "provider_unavailable"
    assert "other.example gave no usable answer" in login.log.lines[0]


@pytest.mark.parametrize("issuer", ["https://evil.example", ISSUER + "/", ISSUER.upper(), None])
async def test_metadata_of_another_issuer_are_denied_and_not_kept(issuer, provider):
    provider.metadata["issuer"] = issuer
    login = Login(provider)
    assert await login.denied() == "provider_unavailable"
    assert login.cache == {}


async def test_the_log_has_the_reason_and_no_secret(provider):
    provider.with_par().claims = {"sub": "bob"}
    login = Login(provider)
    assert await login.denied() == "wrong_user"
    form = provider.pushed_form
    assert login.log.lines == ["External MFA denied: somebody else logged in"]
    for secret in ("the code", "an access token", CLIENT_SECRET, form["state"], form["nonce"], "eyJ", "bob", USER):
        assert secret not in login.log.lines[0]


@pytest.mark.parametrize(
    ("error", "told"),
    [*[(name, name) for name in ("invalid_client", "invalid_grant", "invalid_request")], ("x\nMFA granted", ""), (["invalid_client"], "")],
)
async def test_the_clients_own_mistakes_are_named_in_the_log_and_no_other_text(error, told, provider):
    provider.respond = lambda path, answer: response({"error": error}, 401) if path == "/token" else response(answer)
    login = Login(provider)
    assert await login.denied() == "provider_unavailable"
    assert login.log.lines == [f"External MFA denied: login.bank.example answered 401 {told}"]
