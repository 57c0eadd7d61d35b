"""`q2mfa provider --browser` on login pages that let themselves be framed, and on pages that do not, in a real Chromium."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from command import q2mfa, q2mfa_process
from playwright.sync_api import Browser

from providers.lying_provider import LOGIN, REDIRECT_URI, running
from q2mfa_cli.provider.chromium import framed_page
from q2mfa_cli.provider.fetching import SECONDS
from q2mfa_cli.provider.framing import BLOCKED

EMBEDDER = "https://online.bank.example"
CSP = "Content-Security-Policy"
HIDES = LOGIN + b"<script>if (self !== top) document.documentElement.hidden = true</script>"
BY_SCRIPT = b"""<div id="app"></div>
<script>document.querySelector("#app").innerHTML = '<form><input name="user"><input type="password"></form>'</script>"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("headers", "body", "failure", "fields", "fields_in_tab"),
    [
        ({}, LOGIN, "", 1, 0),
        ({CSP: f"frame-ancestors {EMBEDDER}", "X-Frame-Options": "DENY"}, LOGIN, "", 1, 0),
        ({}, BY_SCRIPT, "", 2, 0),
        ({"X-Frame-Options": "DENY"}, LOGIN, BLOCKED, 0, 0),
        ({CSP: "frame-ancestors 'self'"}, LOGIN, BLOCKED, 0, 0),
        ({}, HIDES, "", 0, 1),
        ({}, b"<p>Please wait</p>", "", 0, 0),
    ],
    ids=["any-origin", "the-embedder", "made-by-script", "deny", "own-origin", "hides-in-frames", "no-field"],
)
def test_framed_login_page_is_shown_or_blocked_in_chromium(
    headers: dict[str, str], body: bytes, failure: str, fields: int, fields_in_tab: int, browser: Browser
) -> None:
    with running() as provider:
        provider.answers["/login"] = (200, {"Content-Type": "text/html", **headers}, body)
        url = f"{provider.issuer}/authorize"
        page = framed_page(browser, lambda: url, EMBEDDER, True, SECONDS)
        assert {path for path, _, _ in provider.asked} <= {"/authorize", "/login", "/favicon.ico"}
    assert (page.failure, page.fields, page.fields_in_tab) == (failure, fields, fields_in_tab)


CLIENT = ["--client-id", "q2", "--redirect-uri", REDIRECT_URI, "--format", "json", "--browser"]


def outcome(text: str) -> dict[str, Any]:
    """What the report says of the browser."""
    (browser,) = [each for each in json.loads(text)["findings"] if each["id"] == "browser"]
    return dict(browser)


@pytest.mark.browser
def test_browser_check_pushes_its_own_authorization_request(tmp_path: Path) -> None:
    secret = ["--client-secret-env", "PROVIDER_TEST_SECRET"]
    with running() as provider:
        run = q2mfa_process(
            "provider",
            provider.issuer,
            *CLIENT,
            *secret,
            cwd=tmp_path,
            env={"PROVIDER_TEST_SECRET": "the-secret-of-this-client"},
        )
        pushed = [path for path, _, _ in provider.asked if path == "/par"]
    assert outcome(run.out)["outcome"] == "passed", run
    assert len(pushed) == 2


def test_browser_is_not_started_without_a_login_page(tmp_path: Path) -> None:
    with running() as provider:
        provider.answers["/authorize"] = (302, {"Location": f"{REDIRECT_URI}?error=access_denied"}, b"")
        run = q2mfa("provider", provider.issuer, *CLIENT, cwd=tmp_path)
    assert outcome(run.out)["message"] == "Not tested: The login page was not reached."


def test_missing_playwright_is_reported_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with running() as provider:
        run = q2mfa("provider", provider.issuer, *CLIENT, cwd=tmp_path)
    assert outcome(run.out)["outcome"] == "skipped"
    assert 'pip install "q2mfa-cli[browser]"' in outcome(run.out)["message"]


@pytest.mark.browser
def test_missing_chromium_is_reported_with_the_remedy(tmp_path: Path) -> None:
    no_browser = {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path), "PATH": str(tmp_path)}
    with running() as provider:
        run = q2mfa_process("provider", provider.issuer, *CLIENT, cwd=tmp_path, env=no_browser)
    assert outcome(run.out)["outcome"] == "skipped"
    assert "playwright install chromium" in outcome(run.out)["message"]
