"""The pages of every variant work by every reading: what Q2 does not document may be either way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from banking_page import BankingPage
from playwright.sync_api import expect
from preview_process import SSR, STANDARD, VARIANTS, PreviewProcess

from q2mfa_cli.platform.readings import alternatives

pytestmark = pytest.mark.browser

OpenBanking = Callable[..., BankingPage]
UseReadings = Callable[[str, dict[str, Any]], None]

# Without verifyMFA no page can succeed: that has a test of its own.
READINGS = [
    {name: value for name, value in vars(each).items() if (name, value) != ("verify_mfa", "missing")}
    for each in alternatives()
]


@pytest.fixture
def use_readings(preview_of: Callable[[str], PreviewProcess]) -> Iterator[UseReadings]:
    """Set the readings of a variant's preview, until the test ends."""
    used: list[PreviewProcess] = []

    def use(name: str, values: dict[str, Any]) -> None:
        used.append(preview_of(name))
        answer = used[-1].call("readings", values, "PUT")
        assert answer.ok, answer.text

    yield use
    for preview in used:
        preview.call("readings", {}, "PUT")


def fail_once(name: str, banking: BankingPage) -> None:
    """Make the customer's mistake, and read what the page says about it."""
    if name in STANDARD:
        wrong = (int(banking.passcode()) + 500_000) % 1_000_000
        banking.submit_code(f"{wrong:06}")
        banking.expect_message("That code is not right.")
    else:
        banking.go_to_provider()
        banking.outlet.get_by_role("button", name="Deny").click()
        banking.expect_message("You did not confirm it.")
        assert (2, "ok") not in banking.steps()


def succeed(name: str, banking: BankingPage) -> None:
    if name in STANDARD:
        banking.submit_code()
    else:
        banking.outlet.get_by_role("button", name="Try again").click()
        banking.outlet.get_by_role("button", name="Approve").click()
    banking.expect_outcome("complete")


# tests/generated/test_pages_states.py has every variant.
@pytest.mark.parametrize("name", ["StandardSsr", "RedirectCsr"])
def test_page_says_that_the_platform_lacks_verify_mfa(
    name: str, open_banking: OpenBanking, use_readings: UseReadings
) -> None:
    use_readings(name, {"verify_mfa": "missing"})
    banking = open_banking(name)
    banking.expect_message("This version of online banking cannot take your confirmation.")
    banking.expect_outcome("open")


@pytest.mark.parametrize("readings", READINGS, ids=range(len(READINGS)))
@pytest.mark.parametrize("name", VARIANTS)
def test_page_works_by_each_reading(
    name: str, readings: dict[str, Any], open_banking: OpenBanking, use_readings: UseReadings
) -> None:
    use_readings(name, readings)
    banking = open_banking(name)
    expect(banking.outlet.get_by_role("heading", name="Confirm it is you")).to_be_visible()
    fail_once(name, banking)
    succeed(name, banking)
    expect(banking.page.locator("#sequence")).not_to_contain_text("The page posts the SDK's form")


MARKUP = """<img src=x onerror="document.title='attacked'"> &amp; "quoted" 'too'"""


# Only server-side rendered pages are templates.
@pytest.mark.parametrize(
    ("name", "autoescape"), [*((name, "false") for name in VARIANTS), *((name, "true") for name in SSR)]
)
def test_action_name_with_markup_is_shown_as_text(
    name: str, autoescape: str, open_banking: OpenBanking, use_readings: UseReadings
) -> None:
    use_readings(name, {})
    state = {"workflow": "patrol", "mfa_info.audit_action_name": MARKUP, "reading.autoescape": autoescape}
    banking = open_banking(name, state)
    expect(banking.outlet.locator("main")).to_contain_text(MARKUP)
    expect(banking.outlet.locator("img")).to_have_count(0)


@pytest.mark.parametrize("name", VARIANTS)
def test_language_changes_where_loc_is_present(
    name: str, open_banking: OpenBanking, use_readings: UseReadings
) -> None:
    banking = open_banking(name)
    main = banking.outlet.locator("main")
    language = banking.page.locator("#language")
    for reading in ("absent", "key", "present"):
        main.evaluate("(main) => main.setAttribute('data-old', '')")
        use_readings(name, {"loc": reading})
        expect(main, reading).not_to_have_attribute("data-old", "")
        english, spanish = (
            banking.outlet.get_by_role("button", name=text, exact=True) for text in ("Cancel", "Cancelar")
        )
        expect(english, reading).to_be_enabled()
        language.select_option("es-MX")
        expect(english if reading == "absent" else spanish, reading).to_be_enabled()
        language.select_option("en-US")
        expect(english, reading).to_be_enabled()


def test_readings_in_the_page_reload_the_extension(
    open_banking: OpenBanking, use_readings: UseReadings
) -> None:
    use_readings("StandardSsr", {})
    banking = open_banking("StandardSsr")
    expect(banking.outlet.locator("form.sdk-form")).to_be_attached()
    banking.page.get_by_text("What Q2 does not document").click()
    banking.page.get_by_label("Whether the SDK puts its own form").select_option("false")
    expect(banking.outlet.get_by_role("button", name="Cancel")).to_be_enabled()
    expect(banking.outlet.locator("form.sdk-form")).to_have_count(0)
