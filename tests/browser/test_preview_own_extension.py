"""The preview of an extension that q2mfa did not generate: its phone, its log, and its outlet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from banking_page import BankingPage
from own_extension import NAME, make_own_extension
from playwright.sync_api import BrowserContext, expect
from preview_process import PreviewProcess, start_preview

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreviewProcess]:
    with start_preview(make_own_extension(tmp_path_factory.mktemp("own") / "workspace"), NAME) as started:
        yield started


@pytest.fixture
def banking(preview: PreviewProcess, new_context: Callable[..., BrowserContext]) -> BankingPage:
    return BankingPage(new_context().new_page(), preview.url)


@pytest.mark.parametrize(
    ("button", "said", "outcome"), [("Approve", "Approved.", "complete"), ("Deny", "Denied.", "refused")]
)
def test_push_is_answered_on_the_phone(button: str, said: str, outcome: str, banking: BankingPage) -> None:
    phone = banking.page.locator("#phone")
    expect(phone).to_be_hidden()
    banking.outlet.get_by_role("button", name="Send", exact=True).click()
    expect(phone).to_contain_text("Jane's phone: Approve the payment?")
    # Polling is one row.
    expect(banking.page.locator("#sequence .count")).to_be_visible()
    phone.get_by_role("button", name=button).click()
    expect(phone).to_contain_text(said)
    expect(phone.get_by_role("button")).to_have_count(0)
    banking.expect_outcome(outcome)


def test_log_shows_what_the_extension_logs_and_prints_for_this_challenge(banking: BankingPage) -> None:
    log = banking.page.locator("#log li")
    expect(log).to_have_count(0)
    banking.outlet.get_by_role("button", name="Send", exact=True).click()
    expect(log).to_have_text(["INFO asked for approval", "PRINT pushed"])
    banking.press_start()
    expect(log).to_have_count(0)


def test_outlet_has_the_allow_directives_of_feature(banking: BankingPage) -> None:
    expect(banking.page.locator("#outlet")).to_have_attribute("allow", "publickey-credentials-get *; camera")


def test_elements_of_tecton_are_faked_by_their_documented_attributes(banking: BankingPage) -> None:
    outlet = banking.outlet
    expect(outlet.get_by_role("button", name="Go on")).to_be_enabled()
    primary = outlet.get_by_role("button", name="Go on").evaluate(
        "(it) => getComputedStyle(it).backgroundColor"
    )
    assert primary == "rgb(106, 74, 158)"  # --t-primary
    name = outlet.get_by_label("Name")
    expect(name).to_have_value("Ada")
    expect(name).to_have_attribute("maxlength", "5")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(outlet.locator("#input")).to_contain_text("Too short.")
    expect(outlet.locator("#input")).to_contain_text("As in your passport.")
    banking.frame.evaluate(
        """() => {
            window.seen = [];
            for (const name of ['input', 'change', 'tctSendCode']) {
                addEventListener(name, ({ target, type }) => window.seen.push([target.id, type, target.value]));
            }
        }"""
    )
    name.fill("Eve")
    outlet.get_by_label("Code").fill("1234")
    outlet.get_by_role("button", name="Send a new code").click()
    assert banking.frame.evaluate("window.seen") == [
        ["input", "input", "Eve"],
        ["otp", "input", "1234"],
        ["otp", "change", "1234"],
        ["otp", "tctSendCode", "1234"],
    ]
    expect(outlet.locator("#message").get_by_role("status")).to_be_visible()
    expect(outlet.get_by_text("Careful.")).to_be_visible()
    expect(outlet.get_by_role("status").filter(has_text="Loading")).to_be_visible()
    expect(outlet.get_by_text("Hello, Ada.")).to_be_visible()
    banking.page.get_by_label("Language").select_option("es-MX")
    expect(outlet.get_by_text("Hola, Ada.")).to_be_visible()
    banking.frame.evaluate("() => { document.querySelector('#btn').disabled = true; }")
    expect(outlet.get_by_role("button", name="Go on")).to_be_disabled()
