"""`q2mfa preview --issuer`: the redirect variants through npm's `oidc-provider`, the OpenID-certified one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attacks.served_extension import CLIENT_ID, CLIENT_SECRET
from banking_page import BankingPage
from playwright.sync_api import BrowserContext, expect
from preview_process import REDIRECT, create_variant, make_workspace, start_preview
from providers import certified_provider

pytestmark = [pytest.mark.browser, pytest.mark.node]


@pytest.fixture(scope="module")
def provider() -> Iterator[certified_provider.CertifiedProvider]:
    with certified_provider.running(client_secret=CLIENT_SECRET) as started:
        yield started


@pytest.mark.parametrize("name", REDIRECT)
def test_certified_provider_verifies_the_right_user_only(
    name: str,
    provider: certified_provider.CertifiedProvider,
    tmp_path: Path,
    new_context: Callable[..., BrowserContext],
) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, name, "--client-id", CLIENT_ID)
    secret = {f"{name.upper()}_CLIENT_SECRET": CLIENT_SECRET}
    with start_preview(workspace, name, "--issuer", provider.issuer, env=secret) as preview:
        redirect_uri = re.search(r"Register this redirect URI there: (\S+)", preview.output)
        assert redirect_uri
        provider.set_up(redirect_uris=[redirect_uri[1]], client_secret=CLIENT_SECRET)
        banking = BankingPage(new_context().new_page(), preview.url)
        expect(banking.page.get_by_role("switch", name="HQ is down")).to_be_visible()
        expect(banking.page.get_by_role("switch", name="The provider is down")).to_have_count(0)

        log_in(banking, "mallory", "Continue")
        banking.expect_message("You signed in there as someone else.")
        assert (2, "ok") not in banking.steps()

        log_in(banking, "jane.doe", "Try again")
        banking.expect_outcome("complete")
        banking.expect_message("Confirmed.")
    assert CLIENT_SECRET not in preview.output


def log_in(banking: BankingPage, user: str, button: str) -> None:
    """Log in on the provider's pages: its form accepts any password, then it asks for consent."""
    banking.outlet.get_by_role("button", name=button).click()
    banking.outlet.get_by_placeholder("Enter any login").fill(user)
    banking.outlet.get_by_placeholder("and password").fill("any")
    banking.outlet.get_by_role("button", name="Sign-in").click()
    banking.outlet.get_by_role("button", name="Continue").click()
