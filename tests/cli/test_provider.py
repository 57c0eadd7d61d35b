"""`q2mfa provider` and `create --check-provider` on a provider with faults, over real sockets."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from command import Run, contents, q2mfa
from providers.lying_provider import LOGIN, METADATA_PATH, REDIRECT_URI, LyingProvider, running
from published_schemas import validator

from q2mfa_cli.provider.checks import CHECKS
from q2mfa_cli.provider.judgment import judge
from q2mfa_cli.provider.observation import Failure, NoResponse
from q2mfa_cli.provider.visit import Target, visit

pytestmark = pytest.mark.server

SECRET = "the-secret-of-this-client"
CLIENT = ["--client-id", "q2", "--client-secret-env", "PROVIDER_TEST_SECRET", "--redirect-uri", REDIRECT_URI]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LyingProvider]:
    monkeypatch.setenv("PROVIDER_TEST_SECRET", SECRET)
    with running() as provider:
        yield provider


def ask(*arguments: str, cwd: Path) -> tuple[Run, Any]:
    """Run the command for JSON, which is as its published schema says."""
    run = q2mfa("provider", *arguments, "--format", "json", cwd=cwd)
    report = json.loads(run.out)
    validator("provider-report").validate(report)
    return run, report


def found(report: Any) -> list[str]:
    return [each["id"] for each in report["findings"] if each["outcome"] == "found"]


def test_good_provider_has_no_findings_and_exits_with_0(provider: LyingProvider, tmp_path: Path) -> None:
    run, report = ask(provider.issuer, *CLIENT, cwd=tmp_path)
    assert (run.status, report["status"], found(report)) == (0, "works", [])
    text = q2mfa("provider", provider.issuer, *CLIENT, cwd=tmp_path)
    assert text.out.splitlines()[:2] == [provider.issuer, "It works in an outlet."]
    assert SECRET not in text.out + text.err + run.out


def html(body: bytes = LOGIN, **headers: str) -> tuple[int, dict[str, str], bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return 200, {"Content-Type": "text/html", **named}, body


OLD = {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}

# A fault of the provider for each check, over HTTP. tests/cli/test_provider_connection.py has those of `tls`.
FAULTS: list[tuple[str, Callable[[LyingProvider], Any]]] = [
    ("discovery", lambda it: it.answers.update({METADATA_PATH: (302, {"Location": "/elsewhere"}, b"")})),
    ("discovery", lambda it: it.answers.update({METADATA_PATH: (200, {}, b"<html>")})),
    ("issuer-match", lambda it: it.metadata.update(issuer=f"{it.issuer}/")),
    ("endpoints", lambda it: it.metadata.pop("token_endpoint")),
    ("response-type", lambda it: it.metadata.update(response_types_supported=["id_token"])),
    ("pkce", lambda it: it.metadata.update(code_challenge_methods_supported=["plain"])),
    ("par", lambda it: it.metadata.pop("pushed_authorization_request_endpoint")),
    ("iss", lambda it: it.metadata.pop("authorization_response_iss_parameter_supported")),
    ("id-token-alg", lambda it: it.metadata.update(id_token_signing_alg_values_supported=["HS256"])),
    ("client-auth", lambda it: it.metadata.update(token_endpoint_auth_methods_supported=["tls_client_auth"])),
    ("acr", lambda it: it.metadata.update(acr_values_supported=["0"])),
    ("jwks", lambda it: it.answers.update({"/jwks": (200, {}, b'{"keys": [{"kty": "oct", "k": "AAAA"}]}')})),
    ("jwks", lambda it: it.answers.update({"/jwks": (500, {}, b"")})),
    ("client", lambda it: it.answers.update({"/par": (401, {}, b'{"error": "invalid_client"}')})),
    ("client", lambda it: it.answers.update({"/par": (400, {}, b'{"error": "invalid_redirect_uri"}')})),
    ("framing", lambda it: it.answers.update({"/login": html(X_Frame_Options="DENY")})),
    ("frame-cookies", lambda it: it.answers.update({"/login": html(Set_Cookie="sid=1; SameSite=Lax")})),
    ("passkeys", lambda it: it.answers.update({"/login": html(LOGIN + b"<p>Use your passkey")})),
    ("clock", lambda it: [it.discovery_headers.update(OLD), it.answers["/jwks"][1].update(OLD)]),
    ("cors", lambda it: it.answers.update({"/authorize": html(Access_Control_Allow_Origin="*")})),
]


@pytest.mark.parametrize(
    ("check", "fault"), FAULTS, ids=[f"{check}-{n}" for n, (check, _) in enumerate(FAULTS)]
)
def test_fault_of_the_provider_is_found_by_its_check(
    check: str, fault: Callable[[LyingProvider], Any], provider: LyingProvider, tmp_path: Path
) -> None:
    fault(provider)
    run, report = ask(provider.issuer, *CLIENT, "--acr-values", "urn:mfa", cwd=tmp_path)
    assert run.status == 1 and set(found(report)) == {check}


def test_every_check_with_findings_has_a_faulty_provider() -> None:
    elsewhere = {"issuer-form", "tls", "browser", "claims"}
    assert {check for check, _ in FAULTS} | elsewhere == {
        check.id for check in CHECKS if check.severity != "info"
    }


@pytest.mark.parametrize(("fail_on", "status"), [("low", 1), ("medium", 0), ("high", 0)])
def test_exit_status_follows_fail_on(
    fail_on: str, status: int, provider: LyingProvider, tmp_path: Path
) -> None:
    provider.metadata.pop("authorization_response_iss_parameter_supported")
    run, report = ask(provider.issuer, *CLIENT, "--fail-on", fail_on, cwd=tmp_path)
    assert (run.status, found(report)) == (status, ["iss"])


def test_exit_zero_and_min_severity_change_the_report_but_not_the_findings(
    provider: LyingProvider, tmp_path: Path
) -> None:
    provider.metadata.pop("authorization_response_iss_parameter_supported")
    run, report = ask(provider.issuer, *CLIENT, "--exit-zero", "--min-severity", "high", cwd=tmp_path)
    assert (run.status, found(report)) == (0, ["iss"])
    text = q2mfa("provider", provider.issuer, *CLIENT, "--min-severity", "medium", cwd=tmp_path)
    assert text.status == 1 and "low[iss]" not in text.out
    assert "1 finding below medium is not shown." in text.out


def test_profile_and_require_par_reach_the_checks(provider: LyingProvider, tmp_path: Path) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    _, report = ask(provider.issuer, *CLIENT, "--profile", "fapi2", cwd=tmp_path)
    assert found(report) == ["client-auth"] and report["settings"]["PROFILE"] == "fapi2"
    del provider.metadata["pushed_authorization_request_endpoint"]
    _, report = ask(provider.issuer, *CLIENT, "--require-par", cwd=tmp_path)
    assert [each["severity"] for each in report["findings"] if each["id"] == "par"] == ["high"]


def test_request_uri_of_a_pushed_request_is_used_once(provider: LyingProvider, tmp_path: Path) -> None:
    ask(provider.issuer, *CLIENT, cwd=tmp_path)
    assert sum("request_uri=urn" in path for path, _, _ in provider.asked) == 1


def test_client_secret_is_sent_to_the_par_endpoint_only(provider: LyingProvider, tmp_path: Path) -> None:
    ask(provider.issuer, *CLIENT, cwd=tmp_path)
    pair = base64.b64encode(f"q2:{SECRET}".encode()).decode()
    sent = [(path, authorization) for path, authorization, _ in provider.asked if authorization]
    assert sent == [("/par", f"Basic {pair}")]
    (pushed,) = [form for path, _, form in provider.asked if path == "/par"]
    assert parse_qs(pushed)["redirect_uri"] == [REDIRECT_URI]
    assert any("request_uri=urn" in path for path, _, _ in provider.asked)
    assert not any(SECRET in unquote_plus(path + form) for path, _, form in provider.asked)


@pytest.mark.parametrize("lie", ["issuer", "endpoint", "redirect"])
def test_client_secret_is_not_sent_to_an_untrusted_endpoint(
    lie: str, provider: LyingProvider, tmp_path: Path
) -> None:
    if lie == "issuer":
        provider.metadata["issuer"] = "https://other.example"
    elif lie == "endpoint":
        provider.metadata["pushed_authorization_request_endpoint"] = "http://evil.example/par"
    else:
        provider.answers["/par"] = (307, {"Location": "/elsewhere"}, b"")
    run, _ = ask(provider.issuer, *CLIENT, cwd=tmp_path)
    sent = [path for path, authorization, _ in provider.asked if authorization]
    assert sent == (["/par"] if lie == "redirect" else [])
    assert run.status == (0 if lie == "redirect" else 1)


def test_error_description_of_the_provider_is_not_printed(provider: LyingProvider, tmp_path: Path) -> None:
    echo = json.dumps({"error": "invalid_client", "error_description": f"wrong: {SECRET}"}).encode()
    provider.answers["/par"] = (401, {}, echo)
    run, report = ask(provider.issuer, *CLIENT, cwd=tmp_path)
    assert run.status == 1 and "client" in found(report) and SECRET not in run.out + run.err


def test_credentials_in_netrc_are_not_sent(
    provider: LyingProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    ask(provider.issuer, cwd=tmp_path)
    assert provider.asked and not any(authorization for _, authorization, _ in provider.asked)


def test_framing_check_follows_at_most_five_redirects(provider: LyingProvider, tmp_path: Path) -> None:
    for number in range(6):
        provider.answers[f"/{number}"] = (302, {"Location": f"/{number + 1}"}, b"")
    provider.answers["/authorize"] = (302, {"Location": "/2"}, b"")
    provider.answers["/6"] = provider.answers["/login"]
    assert ask(provider.issuer, *CLIENT, cwd=tmp_path)[1]["status"] == "works"
    provider.answers["/authorize"] = (302, {"Location": "/1"}, b"")
    assert ask(provider.issuer, *CLIENT, cwd=tmp_path)[1]["status"] == "undecided"


@pytest.mark.parametrize(
    ("location", "said"),
    [
        (f"{REDIRECT_URI}?error=invalid_scope", "responds with invalid_scope"),
        ("http://plain.example/login", "without https"),
        ("file:///etc/passwd", "without https"),
    ],
)
def test_framing_check_without_a_login_page_is_unknown_with_the_reason(
    location: str, said: str, provider: LyingProvider, tmp_path: Path
) -> None:
    provider.answers["/authorize"] = (302, {"Location": location}, b"")
    _, report = ask(provider.issuer, *CLIENT, cwd=tmp_path)
    (framing,) = [each for each in report["findings"] if each["id"] == "framing"]
    assert framing["outcome"] == "unknown" and said in framing["message"]


def test_metadata_above_the_size_limit_is_a_finding(provider: LyingProvider, tmp_path: Path) -> None:
    provider.metadata["padding"] = "x" * 100_000
    run, report = ask(provider.issuer, cwd=tmp_path)
    assert run.status == 1 and found(report) == ["discovery"]


def test_provider_that_never_answers_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        seen = visit(Target(issuer, seconds=0.05))
    assert isinstance(seen.discovery, NoResponse) and seen.discovery.failure is Failure.TIME
    assert judge(seen).is_unreachable


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["http://127.0.0.1:9"], 3, "unreachable"),
        (["--nope"], 2, "usage"),
        (["https://x.example", "--client-secret-env", "A"], 2, "client_id_missing"),
        (
            ["https://x.example", "--client-id", "q2", "--client-secret-env", "NOT_SET_HERE"],
            2,
            "secret_missing",
        ),
        (["https://x.example", "--embedder", "online.bank.example"], 2, "bad_embedder"),
        (["https://x.example", "--redirect-uri", "verify.html"], 2, "bad_redirect_uri"),
    ],
)
def test_error_has_its_exit_status_and_fits_the_report_schema(
    arguments: list[str], status: int, code: str, tmp_path: Path
) -> None:
    run, report = ask(*arguments, cwd=tmp_path)
    assert (run.status, report["status"], report["error"]["code"]) == (status, "error", code)
    assert len(run.err.splitlines()) == 2


def test_unusable_private_key_is_a_usage_error(
    provider: LyingProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER_TEST_SECRET", '{"kty": "EC", "d": "not a key"}')
    run, report = ask(provider.issuer, *CLIENT, cwd=tmp_path)
    assert (run.status, report["error"]["code"]) == (2, "bad_key") and "not a key" not in run.out + run.err


def create(provider: str, workspace: Path, *more: str) -> Run:
    redirect = ["create", "Foo", "--no-input", "--mfa", "redirect", "--check-provider", "--issuer"]
    return q2mfa(*redirect, provider, *more, cwd=workspace)


def test_create_with_check_provider_fills_in_the_suggested_settings(
    provider: LyingProvider, workspace: Path
) -> None:
    provider.metadata["require_pushed_authorization_requests"] = True
    provider.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]
    provider.metadata["jwks_uri"] = "https://keys.idp.invalid/jwks"
    run = create(f"{provider.issuer}/", workspace)
    assert run.status == 0, run
    configuration = (workspace / "configuration" / "Foo.py").read_text("utf-8")
    assert f'ISSUER = "{provider.issuer}"' in configuration
    assert 'PAR = "required"' in configuration and 'CLIENT_AUTH_METHOD = "private_key_jwt"' in configuration
    assert "keys.idp.invalid" in (workspace / "configuration" / "settings.py").read_text("utf-8")
    assert "issuer-match" in run.err


def test_create_with_check_provider_writes_nothing_without_a_usable_provider(
    provider: LyingProvider, workspace: Path
) -> None:
    before = contents(workspace)
    provider.metadata["issuer"] = "https://other.example"
    assert create(provider.issuer, workspace).status == 1
    assert create("http://127.0.0.1:9", workspace).status == 1
    assert q2mfa("create", "Foo", "--no-input", "--check-provider", cwd=workspace).status == 2
    assert contents(workspace) == before
