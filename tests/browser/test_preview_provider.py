"""`q2mfa preview --issuer`: the redirect variants through npm's `oidc-provider`, the OpenID-certified one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attacks.served_extension import CLIENT_ID, CLIENT_SECRET
from playwright.sync_api import BrowserContext, expect
from providers import certified_provider
from running_previews import REDIRECT, Banking, create, empty_workspace, running

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def provider() -> Iterator[certified_provider.CertifiedProvider]:
    with certified_provider.running(client_secret=CLIENT_SECRET) as started:
        yield started


@pytest.mark.parametrize("name", REDIRECT)
def test_a_real_provider_proves_the_right_user_and_no_other(
    name: str,
    provider: certified_provider.CertifiedProvider,
    tmp_path: Path,
    new_context: Callable[..., BrowserContext],
) -> None:
    workspace = empty_workspace(tmp_path / "workspace")
    create(workspace, name, "--client-id", CLIENT_ID)
    secret = {f"{name.upper()}_CLIENT_SECRET": CLIENT_SECRET}
    with running(workspace, name, "--issuer", provider.issuer, env=secret) as preview:
        redirect_uri = re.search(r"Register this redirect URI there: (\S+)", preview.said)
        assert redirect_uri
        provider.set_up(redirect_uris=[redirect_uri[1]], client_secret=CLIENT_SECRET)
        banking = Banking(new_context().new_page(), preview.url)
        expect(banking.page.get_by_role("switch", name="HQ is down")).to_be_visible()
        expect(banking.page.get_by_role("switch", name="The provider is down")).to_have_count(0)

        log_in(banking, "mallory", "Continue")
        banking.expect_message("You signed in there as somebody else.")
        assert (2, "ok") not in banking.steps()

        log_in(banking, "jane.doe", "Try again")
        banking.expect_outcome("complete")
        banking.expect_message("Confirmed.")
    assert CLIENT_SECRET not in preview.said


def log_in(banking: Banking, user: str, button: str) -> None:
    """Through the provider's own pages, in the outlet: its form takes any password, then it asks for consent."""
    banking.outlet.get_by_role("button", name=button).click()
    banking.outlet.get_by_placeholder("Enter any login").fill(user)
    banking.outlet.get_by_placeholder("and password").fill("any")
    banking.outlet.get_by_role("button", name="Sign-in").click()
    banking.outlet.get_by_role("button", name="Continue").click()
