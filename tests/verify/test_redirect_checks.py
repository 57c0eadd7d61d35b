"""The checks of logins: what they find in extensions with one defect, and that they find nothing in clean ones."""

from __future__ import annotations

import pytest
from served import Defect, Edit, Served, generated, hand_written
from verifying import verified

from q2mfa_cli.platform.verify.check import NotApplicable, Skipped
from q2mfa_cli.platform.verify.dynamic import redirect
from q2mfa_cli.platform.verify.hostile import answers
from q2mfa_cli.platform.verify.results import Verdict

pytestmark = pytest.mark.slow

BASELINE = [check for check in redirect.CHECKS if check not in ("rp-shared-secret", "rp-algorithms")]

STATE = (
    "protocol.py",
    '    current(is_same(callback.get("state"), flow["state"]), "the state is another one")\n',
    "",
)
RANDOM = '    flow = {name: token_urlsafe(32) for name in ("state", "nonce", "code_verifier")}\n'
FLOW = '    flow |= {"redirect_uri": redirect_uri, "confirms": settings.confirms}\n'
CHALLENGE = '        "code_challenge": urlsafe_b64encode(challenge).rstrip(b"=").decode(),\n'
METHOD = '        "code_challenge_method": "S256",\n'
ANY_ANSWER = ("oidc.py", '            current(first, "the flow was answered before")\n', "")
NONCE = (
    "protocol.py",
    '    trusted(is_same(claims.get("nonce"), flow["nonce"]), "the nonce is another one")  # (11)\n',
    "",
)
CHECKED = "            code = protocol.check_callback(callback, flow, metadata, settings)\n"
EXCHANGE = '            answer = await self._post(metadata["token_endpoint"], grant)\n'
EXCHANGE_THAT_MAY_FAIL = (
    f"            try:\n    {EXCHANGE}            except Denied:\n                return\n"
)
DECODE = "TOKENS.decode(id_token, key, [alg], leeway=LEEWAY_SECONDS, **valid)"
AUDIENCES = (
    "protocol.py",
    '    trusted(known.issuperset(audiences), "the ID token is for others too")  # Core, 3.1.3.7 (3)\n',
    "",
)


def decoding(options: str) -> tuple[str, str, str]:
    return ("protocol.py", DECODE, DECODE.replace(", **valid", f", options={options}, **valid"))


def flow_with(addition: str) -> tuple[str, str, str]:
    return ("protocol.py", FLOW, f"{FLOW}    flow |= {addition}\n")


DEFECTS = [
    Defect(
        "rp-state",
        'The extension accepts an authorization response without "state".',
        (
            (
                "protocol.py",
                'current(is_same(callback.get("state"),',
                'current("state" not in callback or is_same(callback["state"],',
            ),
        ),
        name="if-given",
    ),
    Defect(
        "rp-state", "A session accepts the state of another session.", (STATE,), name="of-another-session"
    ),
    Defect(
        "rp-state",
        'Two authorization requests have the same "state".',
        (
            ANY_ANSWER,
            flow_with('{"state": "s" * 43}'),
        ),
        name="constant",
    ),
    Defect(
        "rp-state",
        'A "state" has fewer than 128 random bits.',
        (flow_with('{"state": token_urlsafe(8)}'),),
        severity="medium",
        name="short",
    ),
    Defect(
        "rp-state",
        'A "state" completes MFA twice.',
        (
            ANY_ANSWER,
            ("oidc.py", '            self._use(self.session_cache, "delete", self._key("flow"))\n', ""),
        ),
        severity="high",
        name="twice",
    ),
    Defect(
        "rp-pkce",
        'The authorization request has no "code_challenge".',
        (("protocol.py", CHALLENGE, ""), ("protocol.py", METHOD, "")),
        name="missing",
    ),
    Defect(
        "rp-pkce",
        'The "code_challenge_method" is not "S256".',
        (
            ("protocol.py", CHALLENGE, '        "code_challenge": flow["code_verifier"],\n'),
            ("protocol.py", METHOD, '        "code_challenge_method": "plain",\n'),
        ),
        name="plain",
    ),
    Defect(
        "rp-pkce",
        'Two authorization requests have the same "code_challenge".',
        (flow_with('{"code_verifier": "v" * 43}'),),
        name="constant",
    ),
    Defect(
        "rp-nonce",
        'The extension accepts an ID token without "nonce".',
        (
            (
                "protocol.py",
                'trusted(is_same(claims.get("nonce"),',
                'trusted("nonce" not in claims or is_same(claims["nonce"],',
            ),
        ),
        name="if-given",
    ),
    Defect("rp-nonce", "The extension accepts the ID token of an earlier login.", (NONCE,), name="replayed"),
    Defect(
        "rp-nonce",
        'The authorization request has no "nonce".',
        (NONCE, ("protocol.py", '("redirect_uri", "state", "nonce")},', '("redirect_uri", "state")},')),
        name="missing",
    ),
    Defect(
        "rp-iss",
        'The extension accepts an authorization response with "iss" of another provider.',
        (("protocol.py", 'trusted(iss == settings.ISSUER, "iss is another issuer")', "pass"),),
    ),
    Defect(
        "rp-iss",
        'The extension accepts an authorization response without "iss", which the provider announces.',
        (
            (
                "protocol.py",
                'if iss is not None or announced or settings.PROFILE == "fapi2":',
                "if iss is not None:",
            ),
        ),
        name="missing",
    ),
    Defect(
        "rp-signature",
        'The extension accepts an ID token with "alg": "none".',
        (
            (
                "protocol.py",
                "        kinds = settings.algorithms[alg]  # Core, 3.1.3.7 (6), (7)\n",
                (
                    '        if alg == "none":\n'
                    '            return TOKENS.decode(id_token, options={"verify_signature": False})\n'
                    "        kinds = settings.algorithms[alg]\n"
                ),
            ),
        ),
        name="none",
    ),
    Defect(
        "rp-signature",
        "The extension accepts an ID token with a changed signature.",
        (("protocol.py", DECODE, 'TOKENS.decode(id_token, options={"verify_signature": False})'),),
        name="not-verified",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token with "iss" of another provider.',
        (
            (
                "protocol.py",
                '{"issuer": settings.ISSUER, "audience": settings.CLIENT_ID}',
                '{"audience": settings.CLIENT_ID}',
            ),
        ),
        name="iss",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token with "aud" of another client.',
        (AUDIENCES, decoding('{"verify_aud": False}')),
        name="aud",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token for another audience too, with this client as "azp".',
        (AUDIENCES,),
        severity="high",
        name="secondary-aud",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token with another client as "azp".',
        (
            (
                "protocol.py",
                '    trusted(claims.get("azp", client_id) == client_id, "azp is another client")  # (4), (5)\n',
                "",
            ),
        ),
        severity="high",
        name="azp",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token that has expired ("exp").',
        (decoding('{"verify_exp": False}'),),
        name="exp",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token without "exp".',
        (
            (
                "protocol.py",
                'REQUIRED = ["iss", "sub", "aud", "exp", "iat"]',
                'REQUIRED = ["iss", "sub", "aud", "iat"]',
            ),
        ),
        name="exp-missing",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token that is not valid yet ("nbf").',
        (decoding('{"verify_nbf": False}'),),
        severity="medium",
        name="nbf",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token issued in the future ("iat").',
        (
            decoding('{"verify_iat": False}'),
            ("protocol.py", '    trusted(recent, "iat is before the flow")  # (10)\n', ""),
            (
                "protocol.py",
                "        recent = recent and iat - login <= now - since + ROUNDING_SECONDS\n",
                "",
            ),
        ),
        severity="medium",
        name="iat",
    ),
    Defect(
        "rp-keys",
        'The extension accepts an ID token that brings its own key ("jwk").',
        (
            (
                "protocol.py",
                "        # Core, 10.1\n",
                '        keys = [{**header["jwk"], "kid": kid}] if "jwk" in header else keys\n',
            ),
        ),
        severity="critical",
        name="jwk",
    ),
    Defect(
        "rp-keys",
        "The extension accepts an RSA key of 1024 bits.",
        (("protocol.py", '"enforce_minimum_key_length": True', '"enforce_minimum_key_length": False'),),
        severity="medium",
        name="weak",
    ),
    Defect(
        "rp-keys",
        "The extension refuses the right user after the provider has changed its key.",
        (("oidc.py", "protocol.check_keys, fresh=fresh)", "protocol.check_keys)"),),
        severity="medium",
        name="rotation",
    ),
    Defect(
        "rp-metadata",
        "The extension accepts metadata of another issuer.",
        (
            (
                "protocol.py",
                '    available(answer.get("issuer") == issuer, "the metadata is another issuer\'s")  # Discovery, 4.3\n',
                "",
            ),
        ),
        name="issuer",
    ),
    Defect(
        "rp-metadata",
        'The extension sends the customer to "javascript:alert(1)".',
        (
            (
                "protocol.py",
                '        available(absent or is_safe_url(answer.get(name), issuer), f"{name} is no https URL")\n',
                "",
            ),
        ),
        name="script",
    ),
    Defect(
        "rp-metadata",
        'The extension sends requests to a "token_endpoint" that is not https.',
        (
            (
                "protocol.py",
                "available(absent or is_safe_url(",
                'available(absent or name == "token_endpoint" or is_safe_url(',
            ),
        ),
        severity="medium",
        name="http",
    ),
    Defect(
        "rp-right-user",
        "The extension accepts another person.",
        (("protocol.py", '    require("wrong_user", same, "someone else logged in")\n', ""),),
        name="another",
    ),
    Defect(
        "rp-right-user",
        "The extension accepts the right name in other letter case.",
        (
            (
                "protocol.py",
                "claims.get(settings.IDENTITY_CLAIM) == settings.identity",
                "claims.get(settings.IDENTITY_CLAIM, '').lower() == settings.identity.lower()",
            ),
        ),
        severity="high",
        name="case",
    ),
    Defect(
        "rp-right-user",
        "The extension accepts anyone whose name is empty at the provider, if HQ's is empty too.",
        (
            (
                "protocol.py",
                '    require("not_linked", is_text(user), f"the user has no {settings.IDENTITY_ATTRIBUTE}")\n',
                "",
            ),
        ),
        name="empty",
    ),
    Defect(
        "rp-right-user",
        "The extension accepts an email address that is not verified.",
        (
            (
                "protocol.py",
                '    require("wrong_user", verified, "the email address is not verified")  # Core, 5.1\n',
                "",
            ),
        ),
        name="email",
    ),
    Defect(
        "rp-fresh",
        "The extension accepts a login of hours ago.",
        (
            (
                "protocol.py",
                '        require("too_old", recent, "auth_time is missing or too old")  # (13)\n',
                "",
            ),
        ),
        name="auth-time",
    ),
    Defect(
        "rp-fresh",
        'The authorization request has neither "max_age" nor "prompt=login".',
        (
            (
                "protocol.py",
                '"prompt": "" if settings.MAX_AGE and settings.CHECK_AUTH_TIME else "login",',
                '"prompt": "",',
            ),
            (
                "protocol.py",
                '"max_age": (settings.MAX_AGE or FLOW_SECONDS) if settings.CHECK_AUTH_TIME else "",',
                '"max_age": "",',
            ),
        ),
        name="not-asked",
    ),
    Defect(
        "rp-fresh",
        "The extension accepts a login of hours ago.",
        (("configuration", "CHECK_AUTH_TIME = True", "CHECK_AUTH_TIME = False"),),
        severity="medium",
        name="switched-off",
    ),
    Defect(
        "rp-strength",
        'The extension accepts a weaker "acr" than it asks for.',
        (("protocol.py", '    require("too_weak", strong, "acr is none of those asked for")  # (12)\n', ""),),
    ),
    Defect(
        "rp-flow",
        'The "response_type" is not "code".',
        (("protocol.py", '"response_type": "code",', '"response_type": "code id_token",'),),
    ),
    Defect(
        "rp-code",
        "The extension accepts an authorization code that the provider did not issue.",
        (("oidc.py", EXCHANGE, EXCHANGE_THAT_MAY_FAIL),),
        name="made-up",
    ),
    Defect(
        "rp-code",
        "The extension accepts an authorization response that says that the login was denied.",
        (("oidc.py", CHECKED, f'            if "error" in callback:\n                return\n{CHECKED}'),),
        name="denied",
    ),
    Defect(
        "rp-client-auth",
        "The extension does not authenticate at the token endpoint.",
        (
            (
                "protocol.py",
                '    return {}, {"Authorization": "Basic " + b64encode(pair.encode()).decode()}',
                '    return {"client_id": settings.CLIENT_ID}, {}',
            ),
        ),
        name="public",
    ),
    Defect(
        "rp-client-auth",
        'The "aud" of the client\'s assertion is not the issuer.',
        (
            ("configuration", 'CLIENT_AUTH_METHOD = ""', 'CLIENT_AUTH_METHOD = "private_key_jwt"'),
            ("protocol.py", '"aud": settings.ISSUER, "jti"', '"aud": f"{settings.ISSUER}/token", "jti"'),
        ),
        severity="low",
        name="aud",
    ),
    Defect(
        "rp-par",
        "The browser carries the authorization request, though the provider takes pushed ones.",
        (("configuration", 'PAR = "auto"', 'PAR = "off"'),),
    ),
    Defect(
        "rp-par",
        'Beside "client_id" and "request_uri", the browser carries "scope".',
        (
            (
                "protocol.py",
                '"request_uri": reference}, seconds',
                '"request_uri": reference, "scope": "openid"}, seconds',
            ),
        ),
        name="more",
    ),
    Defect(
        "rp-duplicate",
        'The extension accepts an authorization response with "code" twice.',
        (
            (
                "protocol.py",
                '    require("provider_error", is_text(code), "there is no code, or more than one")  # RFC 6749, 3.1\n',
                "",
            ),
            ("protocol.py", "    return code\n", "    return code[0] if isinstance(code, list) else code\n"),
        ),
    ),
    Defect(
        "rp-bounds",
        "The extension follows a redirect of the provider's token endpoint.",
        (("oidc.py", '"allow_redirects": False', '"allow_redirects": True'),),
        name="redirect",
    ),
    Defect(
        "rp-bounds",
        "The extension accepts 20 MB from the provider's token endpoint.",
        (
            ("oidc.py", "MAX_BYTES = 100_000", "MAX_BYTES = 10**9"),
            ("oidc.py", "iter_content(64)", "iter_content(10**6)"),
        ),
        name="size",
    ),
    Defect(
        "rp-bounds",
        "The extension waits without a limit for the provider's token endpoint.",
        (("oidc.py", "TIMEOUT_SECONDS = 10", "TIMEOUT_SECONDS = 60"),),
        name="time",
    ),
]


E = "extension.py"
VERIFY = "jwt.decode(token, key, ALGORITHMS, options=options, **expected)"


def without_line(text: str) -> Edit:
    return (E, f"        {text}\n", "")


def never(condition: str) -> Edit:
    return (E, f"        if {condition}:\n", "        if False:\n")


NO_STATE = never('not same(answer.get("state"), flow["state"])')
NO_NONCE = never('not same(claims["nonce"], flow["nonce"])')
HAND_WRITTEN_DEFECTS = [
    Defect("rp-state", "A session accepts the state of another session.", (NO_STATE,)),
    Defect(
        "rp-state",
        'A "state" has fewer than 128 random bits.',
        (
            (
                E,
                "{name: secrets.token_hex(32) for",
                "{name: secrets.token_hex(4 if name == 'state' else 32) for",
            ),
        ),
        severity="high",
        name="short",
    ),
    Defect(
        "rp-pkce",
        'The authorization request has no "code_challenge".',
        (
            without_line('    "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),'),
            without_line('    "code_challenge_method": "S256",'),
        ),
    ),
    Defect("rp-nonce", "The extension accepts the ID token of an earlier login.", (NO_NONCE,)),
    Defect(
        "rp-iss",
        'The extension accepts an authorization response without "iss", which the provider announces.',
        (never('answer.get("iss") != self.config.OIDC_URL'),),
    ),
    Defect(
        "rp-signature",
        "The extension accepts an ID token with a changed signature.",
        (
            (E, 'key = await Published.key(self, metadata["jwks_uri"], header)', "key = None"),
            (E, '"strict_aud": True}', '"verify_signature": False}'),
        ),
    ),
    Defect(
        "rp-signature",
        "The extension accepts an ID token signed by HS256 with the public key as JWK.",
        (
            (
                E,
                '                    return jwt.PyJWK(each, header["alg"])\n',
                "                    return each\n",
            ),
            (E, VERIFY, "decode(token, key, header, options, expected)"),
            (
                E,
                "def same(given, expected):\n",
                (
                    "def decode(token, jwk, header, options, expected):\n"
                    '    if header["alg"] == "HS256":\n'
                    '        text, _, signature = token.rpartition(".")\n'
                    '        right = hmac.digest(json.dumps(jwk).encode(), text.encode(), "sha256")\n'
                    '        if base64.urlsafe_b64decode(f"{signature}==") == right:\n'
                    '            return jwt.decode(token, options={"verify_signature": False})\n'
                    '    key = jwt.PyJWK(jwk, header["alg"])\n'
                    "    return jwt.decode(token, key, ALGORITHMS, options=options, **expected)\n\n\n"
                    "def same(given, expected):\n"
                ),
            ),
        ),
        name="hs256",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token with "aud" of another client.',
        ((E, '"strict_aud": True}', '"verify_aud": False}'),),
        name="aud",
    ),
    Defect(
        "rp-claims",
        'The extension accepts an ID token with "iss" of another provider.',
        ((E, ', "issuer": self.config.OIDC_URL}', "}"),),
        name="iss",
    ),
    Defect(
        "rp-keys",
        'The extension accepts an ID token that says where its key is ("jku").',
        (
            (
                E,
                "        for again in (False, True):\n            keys",
                '        url = header.get("jku", url)\n        for again in (False, True):\n            keys',
            ),
            (
                E,
                'if each["kid"] == header["kid"] and each',
                'if ("jku" in header or each["kid"] == header["kid"]) and each',
            ),
        ),
        severity="critical",
        name="jku",
    ),
    Defect(
        "rp-keys",
        "The extension refuses the right user after the provider has changed its key.",
        ((E, "for again in (False, True):", "for again in (False,):"),),
        severity="medium",
        name="rotation",
    ),
    Defect(
        "rp-metadata",
        "The extension accepts metadata of another issuer.",
        ((E, '        if found["issuer"] != issuer:\n', "        if not found:\n"),),
    ),
    Defect(
        "rp-right-user",
        "The extension accepts anyone whose name is empty at the provider, if HQ's is empty too.",
        (
            (E, 'REQUIRED = ["iss", "sub", ', 'REQUIRED = ["iss", '),
            (
                E,
                'not claims["sub"] or claims["sub"] != getattr(self.mfa_info, "sso_identifier", None)',
                'claims.get("email") != getattr(self.mfa_info, "sso_identifier", None)',
            ),
        ),
        name="none",
    ),
    Defect(
        "rp-right-user",
        "The extension accepts an email address that is not verified.",
        (
            (
                E,
                'not claims["sub"] or claims["sub"] != getattr(self.mfa_info, "sso_identifier", None)',
                'not claims.get("email") or claims["email"] != getattr(self.mfa_info, "sso_identifier", None)',
            ),
        ),
        name="email",
    ),
    Defect(
        "rp-fresh",
        "The extension accepts a login of hours ago.",
        (never('time.time() - claims["auth_time"] > MAX_AGE'),),
    ),
    Defect(
        "rp-strength",
        'The extension accepts a weaker "acr" than it asks for.',
        (
            (
                E,
                '            "max_age": MAX_AGE,\n',
                '            "max_age": MAX_AGE,\n            "acr_values": "high",\n',
            ),
        ),
    ),
    Defect(
        "rp-code",
        "The extension accepts an authorization code that the provider did not issue.",
        (
            (
                E,
                "        except Exception as error:\n            raise self.denied(error) from None\n        self.logger",
                "        except LookupError:\n            pass\n        except Exception as error:\n            raise self.denied(error) from None\n        self.logger",
            ),
            (E, "raise ValueError(response.status_code)", "raise LookupError(response.status_code)"),
        ),
        name="made-up",
    ),
    Defect(
        "rp-code",
        "The extension accepts an authorization response that says that the login was denied.",
        (
            (
                E,
                "claims = await self.redeem(",
                'if "error" in self.request_body:\n                return await self.set_external_mfa_token(secrets.token_urlsafe(32))\n            claims = await self.redeem(',
            ),
            never('not isinstance(answer["code"], str)'),
        ),
        name="denied",
    ),
    Defect(
        "rp-flow",
        "The page gets the ID token.",
        (
            (
                E,
                "            self.check_claims(claims, flow)\n",
                "            self.check_claims(claims, flow)\n            raw = self.raw\n",
            ),
            (
                E,
                "        header = jwt.get_unverified_header(token)\n",
                "        header = jwt.get_unverified_header(token)\n        self.raw = token\n",
            ),
            (
                E,
                "        return await self.set_external_mfa_token(secrets.token_urlsafe(32))",
                "        return {**await self.set_external_mfa_token(secrets.token_urlsafe(32)), 'user': raw}",
            ),
        ),
    ),
    Defect(
        "rp-client-auth",
        "The browser gets the client's secret.",
        ((E, 'return {"go_to":', 'return {"client": vars(self.config)["OIDC_SECRET"], "go_to":'),),
        severity="critical",
        name="secret",
    ),
    Defect(
        "rp-client-auth",
        "The extension does not authenticate at the token endpoint.",
        ((E, '        options["auth"] = (handler.config.OIDC_CLIENT, handler.config.OIDC_SECRET)\n', ""),),
        name="public",
    ),
    Defect(
        "rp-bounds",
        "The extension follows a redirect of the provider's token endpoint.",
        ((E, '"allow_redirects": False', '"allow_redirects": True'),),
        name="redirect",
    ),
    Defect(
        "rp-bounds",
        "The extension waits without a limit for the provider's token endpoint.",
        ((E, '"timeout": PATIENCE, ', ""),),
        name="time",
    ),
    Defect(
        "rp-par",
        "The browser carries the authorization request, though the provider takes pushed ones.",
        (
            without_line("    pushed = await ask(self, metadata[PAR], query)"),
            without_line(
                '    query = {"client_id": self.config.OIDC_CLIENT, "request_uri": pushed["request_uri"]}'
            ),
        ),
    ),
    Defect(
        "rp-duplicate",
        'The extension accepts an authorization response with "code" twice.',
        (never('not isinstance(answer["code"], str)'),),
    ),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return generated(tmp_path_factory.mktemp("redirect") / "workspace", "redirect-csr")


@pytest.fixture(scope="module")
def city_login(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return hand_written(tmp_path_factory.mktemp("own") / "workspace", "city_login")


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")  # the defect
def test_defect_of_a_generated_extension_is_found(
    defect: Defect, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        answers, "PATIENCE", 1
    )  # seconds of the provider; the extension with the defect waits longer
    found = served.find(defect)
    assert found.location.path == "MyExternalMFA/extension.py"
    assert found.location.source.strip() in ("async def start(self):", "async def token_handler(self):")


@pytest.mark.parametrize("defect", HAND_WRITTEN_DEFECTS, ids=str)
def test_defect_of_a_hand_written_extension_is_found(
    defect: Defect, city_login: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 1)
    found = city_login.find(defect)
    assert found.location.path == "city_login/extension.py"
    assert found.location.source.strip() in ("async def leave(self):", "async def came_back(self):")


def test_finding_of_a_check_that_waits_is_reported_with_those_of_the_next_checks(
    city_login: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 1)
    no_timeout = next(each for each in HAND_WRITTEN_DEFECTS if str(each) == "rp-bounds-time")
    checks = ("rp-bounds", "rp-par", "rp-duplicate")
    with city_login.edited(no_timeout.edits):
        report = verified(city_login.workspace, city_login.name, *checks)
    assert [finding.message for finding in report.findings] == [no_timeout.says]
    verdicts = {outcome.check.id: outcome.verdict for outcome in report.outcomes}
    assert verdicts == {
        "rp-bounds": Verdict.FAILED,
        "rp-par": Verdict.PASSED,
        "rp-duplicate": Verdict.PASSED,
    }


def test_nothing_is_found_in_a_clean_generated_extension(served: Served) -> None:
    """test_templates.py holds that both renderings check a login with the same code."""
    # Not to wait so long here.
    with served.edited([("oidc.py", "TIMEOUT_SECONDS = 10", "TIMEOUT_SECONDS = 3")]):
        assert served.run(BASELINE) == {check: [] for check in BASELINE}


def test_nothing_is_found_in_a_clean_hand_written_extension(city_login: Served) -> None:
    checks = [check for check in BASELINE if check != "rp-strength"]
    assert city_login.run(checks) == {check: [] for check in checks}
    with pytest.raises(NotApplicable, match='asks for no "acr"'):
        city_login.run(["rp-strength"])


def test_fapi2_profile_of_a_generated_extension_passes_its_checks(served: Served) -> None:
    with served.edited([("configuration", 'PROFILE = ""', 'PROFILE = "fapi2"')]):
        ids = [check for check in redirect.CHECKS if check != "rp-bounds"]
        assert served.run(ids) == {check: [] for check in ids}
        at_both_providers = ("right-user", "rp-shared-secret")
        report = verified(served.workspace, served.name, *at_both_providers, profile="fapi2")
    assert [outcome.verdict for outcome in report.outcomes] == [Verdict.PASSED, Verdict.PASSED]


def test_fapi2_profile_asks_for_more_than_a_generated_extension_does_by_default(served: Served) -> None:
    found = served.run(["rp-shared-secret", "rp-algorithms"])
    assert [problem.message for problems in found.values() for problem in problems] == [
        'The extension authenticates by "client_secret_basic", which is a shared secret.',
        'The extension accepts an ID token signed by "RS256".',
    ]


def test_every_check_has_a_defect_in_both_styles() -> None:
    assert {defect.check for defect in DEFECTS} == set(BASELINE)
    assert {defect.check for defect in HAND_WRITTEN_DEFECTS} == set(BASELINE)


def test_check_is_skipped_where_not_even_the_right_user_can_log_in(served: Served) -> None:
    """Every lie would be refused, too, and say nothing."""
    locked = ("protocol.py", FLOW, f'{FLOW}    usable(settings.ISSUER.startswith("https"), "no http")\n')
    with served.edited([locked]), pytest.raises(Skipped, match="The right user cannot log in"):
        served.run(["rp-signature"])


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        (["1234567890", "0123456789"], 33),
        (["1234567890", "abcdefghij"], 51),
        (["f0" * 32, "0f" * 32], 256),
        (["4f1c2d9e-1a2b-4c3d-8e4f-5a6b7c8d9e0f", "1a2b3c4d-1a2b-4c3d-8e4f-5a6b7c8d9e0f"], 122),
        (["A-_z", "0000"], 24),
    ],
)
def test_random_bits_are_those_of_the_letters_at_most(values: list[str], bits: int) -> None:
    assert int(redirect.bits_of(values)) == bits
