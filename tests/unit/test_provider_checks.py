"""The checks of `q2mfa provider`, from what was seen to what that means. No network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from q2mfa_cli.provider.checks import CHECKS
from q2mfa_cli.provider.frame_headers import rule_of
from q2mfa_cli.provider.framing import is_same_site
from q2mfa_cli.provider.judgment import Judgment, Verdict, judge
from q2mfa_cli.provider.observation import (
    ClientProbe,
    Connection,
    Failure,
    FramedPage,
    NoResponse,
    Observation,
    Response,
)
from q2mfa_cli.provider.outcome import SEVERITIES, Kind
from q2mfa_cli.provider.report import as_text
from q2mfa_cli.provider.vendors import VENDORS

ISSUER, EMBEDDER = "https://login.idp.example", "https://online.bank.example"
NOW = time.time()
DATE = ("Date", formatdate(NOW, usegmt=True))
LOGIN = b'<html><form><input name="user"><input type="password" name="p"></form></html>'
COOKIE = ("Set-Cookie", "sid=1; SameSite=None; Secure; Partitioned")


def jwk(key: Any, kid: str = "1", **members: Any) -> dict[str, Any]:
    name = "RS256" if isinstance(key, rsa.RSAPublicKey) else "ES256"
    values = jwt.get_algorithm_by_name(name).to_jwk(key, as_dict=True)
    values.pop("key_ops", None)
    return {**values, "kid": kid, "use": "sig", **members}


EC_KEY = jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
OTHER_EC_KEY = jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
SHORT_RSA_KEY = jwk(rsa.generate_private_key(65537, 1024).public_key(), kid="short")

METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "pushed_authorization_request_endpoint": f"{ISSUER}/par",
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
    "grant_types_supported": ["authorization_code"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
    "id_token_signing_alg_values_supported": ["ES256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "acr_values_supported": ["urn:mfa"],
    "claims_supported": ["sub", "auth_time"],
    "subject_types_supported": ["public"],
}


def answer(value: Any, url: str = ISSUER, status: int = 200, *headers: tuple[str, str]) -> Response:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    given = headers or (DATE, ("Strict-Transport-Security", "max-age=31536000"))
    return Response(url, status, given, body, NOW)


def login(*headers: tuple[str, str], body: bytes = LOGIN, status: int = 200) -> Response:
    return Response(f"{ISSUER}/login", status, (("Content-Type", "text/html"), *headers), body, NOW)


GOOD = Observation(
    issuer=ISSUER,
    discovery=answer(METADATA),
    embedder=EMBEDDER,
    client_id="q2",
    redirect_uri="https://assets.bank.example/verify.html",
    acr_values=["urn:mfa"],
    jwks=answer({"keys": [EC_KEY]}),
    pages=[login(("Content-Security-Policy", f"frame-ancestors {EMBEDDER}"), COOKIE)],
    cross_origin=answer(b""),
    probe=ClientProbe.PAR,
    client=answer({"request_uri": "urn:x", "expires_in": 60}, f"{ISSUER}/par", 201),
    connections=[Connection("login.idp.example", "TLSv1.3", 80)],
    framed=FramedPage(f"{ISSUER}/login", fields=2),
)


def with_metadata(**changes: Any) -> Observation:
    """The good provider with other metadata. A member given as None is left out."""
    changed = {name: value for name, value in {**METADATA, **changes}.items() if value is not None}
    return replace(GOOD, discovery=answer(changed))


def for_fapi2(**changes: Any) -> Observation:
    """A provider for an extension with PROFILE = "fapi2", which authenticates with a private key."""
    methods = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    return replace(with_metadata(**{**methods, **changes}), profile="fapi2")


def with_keys(*keys: Any) -> Observation:
    return replace(GOOD, jwks=answer({"keys": list(keys)}))


def with_pages(*headers: tuple[str, str], **page: Any) -> Observation:
    return replace(GOOD, pages=[login(*headers, **page)])


def with_client(value: Any, status: int, probe: ClientProbe = ClientProbe.PAR) -> Observation:
    return replace(GOOD, probe=probe, client=answer(value, f"{ISSUER}/par", status))


def dated(seconds: float, *more: tuple[str, str]) -> Observation:
    late = (("Date", formatdate(NOW + seconds, usegmt=True)), ("Strict-Transport-Security", "max-age=1"))
    return replace(GOOD, discovery=answer(METADATA, ISSUER, 200, *late, *more), jwks=None)


FRAMED = ("Content-Security-Policy", f"frame-ancestors {EMBEDDER}")
BLOCKED_FRAME = FramedPage("chrome-error://chromewebdata/", failure="net::ERR_BLOCKED_BY_RESPONSE")
CSP = "Content-Security-Policy"
BAD_TLS = Connection("login.idp.example", error="certificate has expired", trusted=False)

# What is wrong, the check that finds it, and how severe that is.
COUNTER_EXAMPLES: list[tuple[str, str, str, Observation]] = [
    ("http issuer", "issuer-form", "high", replace(GOOD, issuer="http://login.idp.example")),
    (
        "metadata address",
        "issuer-form",
        "high",
        replace(GOOD, issuer=f"{ISSUER}/.well-known/openid-configuration"),
    ),
    (
        "metadata address of RFC 8414",
        "issuer-form",
        "high",
        replace(GOOD, issuer=f"{ISSUER}/.well-known/openid-configuration/tenant"),
    ),
    ("untrusted certificate", "tls", "high", replace(GOOD, connections=[BAD_TLS])),
    ("expires soon", "tls", "medium", replace(GOOD, connections=[Connection("x", "TLSv1.2", 20)])),
    ("no HSTS", "tls", "low", replace(GOOD, discovery=answer(METADATA, ISSUER, 200, DATE))),
    ("not found", "discovery", "high", replace(GOOD, discovery=answer(METADATA, ISSUER, 404))),
    ("redirect", "discovery", "high", replace(GOOD, discovery=answer(b"", ISSUER, 302))),
    ("no JSON", "discovery", "high", replace(GOOD, discovery=answer(b"<html>"))),
    ("list", "discovery", "high", replace(GOOD, discovery=answer([]))),
    ("too large", "discovery", "high", replace(GOOD, discovery=NoResponse(ISSUER, Failure.SIZE))),
    ("slash", "issuer-match", "high", with_metadata(issuer=ISSUER + "/")),
    ("placeholder", "issuer-match", "high", with_metadata(issuer="https://login.idp.example/{tenantid}")),
    ("no issuer", "issuer-match", "high", with_metadata(issuer=None)),
    ("no token endpoint", "endpoints", "high", with_metadata(token_endpoint=None)),
    ("http keys", "endpoints", "high", with_metadata(jwks_uri="http://login.idp.example/jwks")),
    (
        "http PAR",
        "endpoints",
        "high",
        with_metadata(pushed_authorization_request_endpoint="http://x.example"),
    ),
    ("implicit only", "response-type", "high", with_metadata(response_types_supported=["id_token"])),
    ("unannounced types", "response-type", "low", with_metadata(response_types_supported=None)),
    ("fragment only", "response-type", "high", with_metadata(response_modes_supported=["fragment"])),
    ("no code grant", "response-type", "high", with_metadata(grant_types_supported=["implicit"])),
    ("plain only", "pkce", "medium", with_metadata(code_challenge_methods_supported=["plain"])),
    ("plain too", "pkce", "low", with_metadata(code_challenge_methods_supported=["plain", "S256"])),
    ("no PAR", "par", "low", with_metadata(pushed_authorization_request_endpoint=None)),
    (
        "PAR required without endpoint",
        "par",
        "high",
        with_metadata(pushed_authorization_request_endpoint=None, require_pushed_authorization_requests=True),
    ),
    (
        "no PAR though the extension requires it",
        "par",
        "high",
        replace(with_metadata(pushed_authorization_request_endpoint=None), requires_par=True),
    ),
    ("no PAR for FAPI 2.0", "par", "high", for_fapi2(pushed_authorization_request_endpoint=None)),
    ("no iss", "iss", "low", with_metadata(authorization_response_iss_parameter_supported=None)),
    ("no iss for FAPI 2.0", "iss", "high", for_fapi2(authorization_response_iss_parameter_supported=None)),
    ("HS256 only", "id-token-alg", "high", with_metadata(id_token_signing_alg_values_supported=["HS256"])),
    ("none", "id-token-alg", "low", with_metadata(id_token_signing_alg_values_supported=["none", "ES256"])),
    (
        "RS256 for FAPI 2.0",
        "id-token-alg",
        "high",
        for_fapi2(id_token_signing_alg_values_supported=["RS256"]),
    ),
    (
        "shared secret for FAPI 2.0",
        "client-auth",
        "high",
        for_fapi2(token_endpoint_auth_methods_supported=["client_secret_basic"]),
    ),
    (
        "RS256 key for FAPI 2.0",
        "client-auth",
        "high",
        for_fapi2(token_endpoint_auth_signing_alg_values_supported=["RS256"]),
    ),
    (
        "mTLS only",
        "client-auth",
        "high",
        with_metadata(token_endpoint_auth_methods_supported=["tls_client_auth"]),
    ),
    (
        "key with shared secrets",
        "client-auth",
        "high",
        with_metadata(
            token_endpoint_auth_methods_supported=["private_key_jwt"],
            token_endpoint_auth_signing_alg_values_supported=["HS256"],
        ),
    ),
    ("unknown acr", "acr", "medium", with_metadata(acr_values_supported=["0"])),
    ("no keys", "jwks", "high", with_keys()),
    ("no list", "jwks", "high", replace(GOOD, jwks=answer({}))),
    ("keys do not answer", "jwks", "high", replace(GOOD, jwks=NoResponse(ISSUER, Failure.TIME))),
    ("oct", "jwks", "critical", with_keys(EC_KEY, {"kty": "oct", "k": "c2VjcmV0"})),
    ("private", "jwks", "critical", with_keys({**EC_KEY, "d": "AAAA"})),
    ("encryption only", "jwks", "high", with_keys({**EC_KEY, "use": "enc"})),
    ("short RSA only", "jwks", "high", with_keys(SHORT_RSA_KEY)),
    ("short RSA too", "jwks", "medium", with_keys(EC_KEY, SHORT_RSA_KEY)),
    ("one kid twice", "jwks", "medium", with_keys(EC_KEY, OTHER_EC_KEY)),
    ("wrong secret", "client", "high", with_client({"error": "invalid_client"}, 401)),
    ("wrong secret without a reason", "client", "high", with_client(b"", 403)),
    ("unregistered redirect URI", "client", "high", with_client({"error": "invalid_request"}, 400)),
    (
        "wrong secret at token",
        "client",
        "high",
        with_client({"error": "invalid_client"}, 400, ClientProbe.TOKEN),
    ),
    ("deny", "framing", "high", with_pages(("X-Frame-Options", "DENY"), COOKIE)),
    ("own origin", "framing", "high", with_pages((CSP, "default-src *; frame-ancestors 'self'"), COOKIE)),
    ("another bank", "framing", "high", with_pages((CSP, "frame-ancestors https://other.example"), COOKIE)),
    ("blocked frame", "browser", "high", replace(GOOD, framed=BLOCKED_FRAME)),
    (
        "page that hides in a frame",
        "browser",
        "high",
        replace(GOOD, framed=FramedPage(ISSUER, fields_in_tab=2)),
    ),
    (
        "lax cookie",
        "frame-cookies",
        "high",
        with_pages(FRAMED, ("Set-Cookie", "sid=1; SameSite=Lax; Secure")),
    ),
    (
        "lax cookie too",
        "frame-cookies",
        "medium",
        with_pages(FRAMED, COOKIE, ("Set-Cookie", "old=1; Secure")),
    ),
    (
        "unpartitioned",
        "frame-cookies",
        "low",
        with_pages(FRAMED, ("Set-Cookie", "s=1; SameSite=None; Secure")),
    ),
    ("passkey", "passkeys", "low", with_pages(FRAMED, COOKIE, body=LOGIN + b"<p>Use a passkey")),
    ("fast clock", "clock", "high", dated(90)),
    ("slow clock", "clock", "high", dated(-90)),
    ("clock nearly off", "clock", "medium", dated(45)),
    (
        "CORS",
        "cors",
        "low",
        replace(GOOD, cross_origin=answer(b"", ISSUER, 200, ("Access-Control-Allow-Origin", "*"))),
    ),
]


def found(seen: Observation) -> list[tuple[str, str]]:
    return [(finding.check.id, finding.severity) for finding in judge(seen).found]


def kinds(seen: Observation, check: str) -> list[Kind]:
    return [finding.outcome.kind for finding in judge(seen).findings if finding.check.id == check]


def test_good_provider_has_no_findings_and_the_verdict_works() -> None:
    judgment = judge(GOOD)
    assert found(GOOD) == []
    assert judgment.verdict is Verdict.WORKS
    assert {finding.outcome.kind for finding in judgment.findings} == {Kind.PASSED, Kind.INFO}


@pytest.mark.parametrize(
    ("check", "severity", "seen"),
    [row[1:] for row in COUNTER_EXAMPLES],
    ids=[row[0] for row in COUNTER_EXAMPLES],
)
def test_counter_example_is_found_by_its_check(check: str, severity: str, seen: Observation) -> None:
    judgment = judge(seen)
    assert (check, severity) in found(seen)
    # A provider without metadata is checked no further. Else there is this finding only.
    beside = {"discovery", "issuer-form", "issuer-match", check}
    assert {id for id, _ in found(seen)} <= beside | ({"jwks"} if check == "endpoints" else set())
    assert all(finding.remedy and finding.outcome.text.endswith(".") for finding in judgment.found)
    assert (judgment.verdict is Verdict.WORKS) == (severity in ("low", "medium"))


def test_every_check_with_findings_has_a_counter_example() -> None:
    told_only = {check.id for check in CHECKS if check.severity == "info"} | {"claims"}
    assert {row[1] for row in COUNTER_EXAMPLES} == {check.id for check in CHECKS} - told_only


def test_provider_checks_have_unique_ids_known_severities_and_remedies() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert all(check.severity in SEVERITIES and check.source for check in CHECKS)
    assert all(check.remedy for check in CHECKS if check.severity != "info")


@pytest.mark.parametrize(
    ("seen", "check"),
    [
        (with_metadata(code_challenge_methods_supported=None), "pkce"),
        (with_metadata(id_token_signing_alg_values_supported=None), "id-token-alg"),
        (with_metadata(claims_supported=None), "claims"),
        (with_metadata(claims_supported=["sub"]), "claims"),
        (with_metadata(acr_values_supported=None), "acr"),
        (with_pages(FRAMED), "frame-cookies"),
        (with_pages(("X-Frame-Options", "DENY"), status=400), "framing"),
        (with_pages(("X-Frame-Options", "DENY"), body=b"<h1>invalid_request</h1>"), "framing"),
        (
            with_pages(
                ("X-Frame-Options", "DENY"), body=b"<form><input type=hidden></form><script></script>"
            ),
            "framing",
        ),
        (replace(with_pages((CSP, "frame-ancestors https://a.example")), embedder=""), "framing"),
        (replace(GOOD, embedder="", framed=BLOCKED_FRAME), "browser"),
        (replace(GOOD, framed=FramedPage(ISSUER, failure="net::ERR_CONNECTION_RESET")), "browser"),
        (replace(GOOD, framed=FramedPage(ISSUER)), "browser"),
        (with_client({"error": "server_error"}, 500), "client"),
        (replace(GOOD, connections=[Connection("x", error="this machine uses a proxy")]), "tls"),
        (replace(GOOD, discovery=answer(METADATA, ISSUER, 200, ("Date", "soon")), jwks=None), "clock"),
    ],
)
def test_check_with_too_little_information_is_unknown_and_not_passed(seen: Observation, check: str) -> None:
    assert Kind.UNKNOWN in kinds(seen, check) and Kind.PASSED not in kinds(seen, check)


@pytest.mark.parametrize(
    ("framed", "said"),
    [
        ("", "Not tested in a browser. Add --browser."),
        ("Playwright is missing.", "Not tested: Playwright is missing."),
    ],
)
def test_browser_check_that_did_not_run_is_skipped_with_the_reason(framed: str, said: str) -> None:
    judgment = judge(replace(GOOD, framed=framed))
    assert kinds(judgment.seen, "browser") == [Kind.SKIPPED]
    assert said in as_text(judgment) and judgment.verdict is Verdict.WORKS


def test_browser_decides_the_verdict_on_a_login_form_built_by_a_script() -> None:
    by_script = with_pages(COOKIE, body=b"<form><input type=hidden></form><script></script>")
    assert judge(replace(by_script, framed="")).verdict is Verdict.UNDECIDED
    assert judge(by_script).verdict is Verdict.WORKS
    assert judge(replace(by_script, framed=BLOCKED_FRAME)).verdict is Verdict.AFTER_CHANGES


def test_verdict_without_a_login_page_is_undecided() -> None:
    seen = replace(GOOD, pages=[], pages_end="The login page was not checked.", framed="")
    assert judge(seen).verdict is Verdict.UNDECIDED
    assert "not checked" in judge(seen).sentence


@pytest.mark.parametrize(
    ("issuer", "authorization", "name", "verdict"),
    [
        (
            "https://login.microsoftonline.com/1/v2.0",
            "https://x.example/a",
            "Microsoft Entra ID",
            Verdict.CANNOT,
        ),
        (ISSUER, f"{ISSUER}/protocol/openid-connect/auth", "Keycloak", Verdict.AFTER_CHANGES),
    ],
)
def test_verdict_on_refused_framing_depends_on_the_vendor(
    issuer: str, authorization: str, name: str, verdict: Verdict
) -> None:
    changed = with_metadata(issuer=issuer, authorization_endpoint=authorization)
    judgment = judge(replace(changed, issuer=issuer, pages=[login(("X-Frame-Options", "DENY"), COOKIE)]))
    assert judgment.vendor and judgment.vendor.name == name
    assert judgment.verdict is verdict
    assert name.split()[-1] in as_text(judgment) or "Realm settings" in as_text(judgment)


def test_vendor_without_framing_that_a_browser_blocks_has_the_verdict_cannot() -> None:
    seen = replace(GOOD, issuer="https://accounts.google.com", framed=BLOCKED_FRAME)
    assert judge(seen).verdict is Verdict.CANNOT


def test_remedy_for_an_unannounced_claim_names_the_vendors_setting() -> None:
    issuer = "https://login.microsoftonline.com/1/v2.0"
    seen = replace(with_metadata(issuer=issuer, claims_supported=["sub"]), issuer=issuer)
    (claims,) = [finding for finding in judge(seen).findings if finding.check.id == "claims"]
    assert "Try a login." in claims.remedy and "Token configuration" in claims.remedy


def test_suggested_settings_for_fapi2_use_private_key_jwt() -> None:
    settings = judge(
        for_fapi2(token_endpoint_auth_methods_supported=["client_secret_basic", "private_key_jwt"])
    ).settings
    assert (settings["PROFILE"], settings["CLIENT_AUTH_METHOD"]) == ("fapi2", "private_key_jwt")


def test_findings_below_min_severity_are_counted_and_not_shown() -> None:
    judgment = judge(
        with_metadata(pushed_authorization_request_endpoint=None, response_modes_supported=["fragment"])
    )
    assert "low[par]" in as_text(judgment) and "high[response-type]" in as_text(judgment)
    text = as_text(judgment, "medium")
    assert "low[par]" not in text and "high[response-type]" in text
    assert "1 finding below medium is not shown." in text


def test_vendors_refer_to_existing_checks() -> None:
    ids = {check.id for check in CHECKS}
    assert all({*vendor.remedies, *vendor.impossible} <= ids for vendor in VENDORS)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ([], True),
        ([("X-Frame-Options", "ALLOW-FROM https://x.example")], True),
        ([("X-Frame-Options", "sameorigin")], False),
        ([("X-Frame-Options", "ALLOWALL"), ("X-Frame-Options", "other")], False),
        ([("X-Frame-Options", "DENY"), (CSP, f"frame-ancestors {EMBEDDER}")], True),
        ([("Content-Security-Policy-Report-Only", "frame-ancestors 'none'")], True),
        ([(CSP, "default-src 'none'")], True),
        ([(CSP, "frame-ancestors")], False),
        ([(CSP, "frame-ancestors *")], True),
        ([(CSP, "frame-ancestors https:")], True),
        ([(CSP, "frame-ancestors *.bank.example")], True),
        ([(CSP, "frame-ancestors bank.example")], False),
        ([(CSP, "frame-ancestors *.online.bank.example")], False),
        ([(CSP, "frame-ancestors http://online.bank.example")], True),
        ([(CSP, f"frame-ancestors {EMBEDDER}:8443")], False),
        ([(CSP, f"frame-ancestors {EMBEDDER}:*")], True),
        ([(CSP, f"frame-ancestors {EMBEDDER}, frame-ancestors 'self'")], False),
        ([(CSP, f"frame-ancestors {EMBEDDER}"), (CSP, "frame-ancestors 'none'")], False),
        ([(CSP, f"frame-ancestors {EMBEDDER}; frame-ancestors 'none'")], True),
    ],
)
def test_frame_headers_are_read_as_browsers_read_them(headers: list[tuple[str, str]], allowed: bool) -> None:
    assert rule_of(login(*headers)).allows(EMBEDDER, f"{ISSUER}/login") is allowed


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://online.bank.example", "https://login.bank.example", True),
        ("https://online.bank.co.uk", "https://login.bank.co.uk", True),
        ("https://bank.co.uk", "https://idp.co.uk", False),
        ("https://bank.example", "http://bank.example", False),
    ],
)
def test_hosts_of_one_registrable_domain_are_same_site(one: str, other: str, same: bool) -> None:
    assert is_same_site(one, other) is same


def test_lax_cookie_on_the_site_of_online_banking_is_no_finding() -> None:
    lax = replace(login(FRAMED, ("Set-Cookie", "s=1; SameSite=Lax")), url="https://login.bank.example/")
    assert Kind.FOUND not in kinds(replace(GOOD, pages=[lax]), "frame-cookies")


def test_old_cached_answer_is_not_taken_for_a_slow_clock() -> None:
    assert kinds(dated(-500, ("Age", "500")), "clock") == [Kind.PASSED]


def test_suggested_settings_and_hosts_come_from_the_metadata() -> None:
    seen = with_metadata(
        issuer=ISSUER + "/",
        jwks_uri="https://keys.idp.example/jwks",
        authorization_endpoint="https://www.idp.example/a",
        require_pushed_authorization_requests=True,
        token_endpoint_auth_methods_supported=["private_key_jwt"],
    )
    judgment: Judgment = judge(seen)
    assert judgment.settings == {
        "ISSUER": ISSUER + "/",
        "CLIENT_ID": "q2",
        "CLIENT_AUTH_METHOD": "private_key_jwt",
        "PAR": "required",
        "ACR_VALUES": "urn:mfa",
    }
    assert judgment.outbound_hosts == ["login.idp.example", "keys.idp.example"]
    assert "https://www.idp.example" in judgment.other_origins
    assert 'OUTBOUND_WHITELIST.extend(["login.idp.example", "keys.idp.example"])' in as_text(judgment)


@pytest.mark.parametrize("text", ["\x1b[2J", "a" * 10_000])
def test_provider_texts_in_the_report_are_short_and_free_of_escape_sequences(text: str) -> None:
    changes: list[Callable[[], Observation]] = [
        lambda: with_metadata(issuer=text),
        lambda: with_metadata(token_endpoint=text),
        lambda: with_metadata(response_types_supported=[text] * 50),
        lambda: with_pages((CSP, f"frame-ancestors {text}"), ("Set-Cookie", f"{text}=1")),
        lambda: with_client({"error": text}, 400),
    ]
    for change in changes:
        report = as_text(judge(change()))
        assert "\x1b" not in report and max(map(len, report.splitlines())) < 1000
