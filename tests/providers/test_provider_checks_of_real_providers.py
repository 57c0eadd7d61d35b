"""`q2mfa provider` on real providers in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import q2mfa

from providers.real_providers import PROVIDERS, RealProvider

pytestmark = pytest.mark.slow

SECRET = "Letters-and-digits_0123456789"
REDIRECT_URI = "https://assets.bank.example/verify.html"
# What each provider has as the tests run it. The how-to pages say what to change.
FOUND = {
    "canaille": {"framing", "frame-cookies", "pkce", "par", "id-token-alg"},
    "django-oauth-toolkit": {"frame-cookies", "pkce", "par", "iss"},
    "glewlwyd": {"framing", "iss", "cors"},
    "oidc-provider": {"frame-cookies"},
    "oidc-provider-mock": {"par", "iss"},
}


@pytest.mark.parametrize(
    "real",
    [
        pytest.param(real, id=real.name, marks=[pytest.mark.node] if real.name == "oidc-provider" else [])
        for real in PROVIDERS
    ],
)
def test_report_of_a_real_provider_has_its_known_findings(
    real: RealProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROVIDER_TEST_SECRET", SECRET)
    client = ["--client-id", "q2-client", "--redirect-uri", REDIRECT_URI, "--client-secret-env"]
    embedder = ["--embedder", "https://online.bank.example", "--format", "json"]

    with real.running() as provider:
        provider.register("q2-client", SECRET, REDIRECT_URI)
        run = q2mfa("provider", provider.issuer, *client, "PROVIDER_TEST_SECRET", *embedder, cwd=tmp_path)
        monkeypatch.setenv("PROVIDER_TEST_SECRET", "wrong")
        wrong = q2mfa("provider", provider.issuer, *client, "PROVIDER_TEST_SECRET", *embedder, cwd=tmp_path)
    report = json.loads(run.out)
    outcomes = {each["id"]: each["outcome"] for each in report["findings"]}
    assert {each["id"] for each in report["findings"] if each["outcome"] == "found"} == FOUND[real.name]
    assert outcomes["client"] == "passed" and SECRET not in run.out
    assert outcomes["framing"] in ("passed", "found"), "the login page was reached"
    different = {
        name: value for name, value in real.settings.items() if value != report["settings"].get(name)
    }
    assert real.name == "oidc-provider-mock" or not different
    refused = {each["id"] for each in json.loads(wrong.out)["findings"] if each["outcome"] == "found"}
    assert "client" in refused or real.name == "oidc-provider-mock"
