"""The document that the SDK makes of a server-side rendered page, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from banking_page import BankingPage
from playwright.sync_api import expect
from preview_process import SSR

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", SSR)
def test_native_post_of_the_form_shows_an_error_page(
    name: str, open_banking: Callable[..., BankingPage]
) -> None:
    banking = open_banking(name)
    expect(banking.outlet.get_by_role("button", name="Cancel")).to_be_enabled()
    assert banking.frame.evaluate("validate_input_fields()") is True
    banking.frame.evaluate("submitForm()")
    expect(banking.outlet.locator("[data-platform-error]")).to_contain_text("must not post a form")
    row = banking.page.locator("#sequence .row[data-state=failed]")
    expect(row).to_contain_text("The page posts the SDK's form")
