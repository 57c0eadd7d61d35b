"""The page of the factor that sends a code, in Chromium with a scripted double of Tecton: send, type, confirm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from scripted_pages import LANGUAGES, MESSAGE, TOKEN, ScriptedPage, new_tab, texts

pytestmark = [pytest.mark.browser, pytest.mark.node]

Open = Callable[..., ScriptedPage]
each_rendering = pytest.mark.parametrize("rendering", ["ssr", "csr"])

SENT = {"resolve": {"data": {"sent_to": "•••• 1234", "seconds": 300, "resend_seconds": 30}}}
CONFIRMED = {"resolve": TOKEN}


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    return new_tab(browser)


@pytest.fixture
def open_page(browser: Browser, tab: Page) -> Iterator[Open]:
    with ExitStack() as stack:

        def get(rendering: str, *submit: dict[str, Any], **options: Any) -> ScriptedPage:
            answers = {"submit": list(submit), **options.pop("answers", {})}
            page = ScriptedPage(browser, MESSAGE, rendering, tab=tab, answers=answers, **options)
            return stack.enter_context(closing(page))

        yield get


def denial(code: str) -> dict[str, Any]:
    return {"reject": {"data": {"code": code}, "status": 400, "statusText": "Bad Request"}}


def expect_to_send(page: ScriptedPage) -> None:
    """The page is at its first step."""
    expect(page.button("Send a code")).to_be_enabled()
    expect(page.field).to_be_hidden()
    expect(page.field).to_be_disabled()


def expect_to_type(page: ScriptedPage) -> None:
    """The page is at its second step."""
    expect(page.button("Confirm")).to_be_enabled()
    expect(page.field).to_be_focused()


@pytest.mark.parametrize("wrapper", [True, False])
@each_rendering
def test_code_is_sent_typed_and_confirmed(rendering: str, wrapper: bool, open_page: Open) -> None:
    page = open_page(rendering, SENT, CONFIRMED, wrapper=wrapper)
    expect_to_send(page)
    page.button("Send a code").click()
    expect_to_type(page)
    expect(page.page.get_by_text("We sent a code to •••• 1234.")).to_be_visible()
    expect(page.page.get_by_text("The code expires in 5 minutes.")).to_be_visible()
    expect(page.page.locator("bdi")).to_have_text("•••• 1234")
    page.page.keyboard.type("123 456")
    page.page.keyboard.press("Enter")
    expect(page.message).to_contain_text("Confirmed.")
    calls = [call for call in page.calls if call[0] != "default"]
    submitted = [["submit", {"send": True}], ["submit", {"passcode": "123456"}]]
    assert calls == [*submitted, ["verifyMFA", {"token": "the token"}]]
    assert page.page.url == page.url and "POST" not in {method for method, _ in page.requests}


@each_rendering
def test_short_code_is_refused_in_the_page(rendering: str, open_page: Open) -> None:
    page = open_page(rendering, SENT)
    page.button("Send a code").click()
    page.type("12345")
    expect(page.message).to_contain_text("Type all 6 digits of the code.")
    expect(page.field).to_have_value("12345")
    assert [name for name, _ in page.calls].count("submit") == 1


@pytest.mark.parametrize(
    "code", ["sent_too_often", "not_registered", "not_configured", "not_delivered", "locked"]
)
def test_code_that_cannot_be_sent_says_why(code: str, open_page: Open) -> None:
    page = open_page("ssr", denial(code))
    page.button("Send a code").click()
    expect(page.message).to_have_text(texts(MESSAGE)["en-US"][f"error_{code}"])
    final = code in ("not_registered", "not_configured")
    expect(page.main).to_be_visible(visible=code == "sent_too_often")
    expect(page.again).to_be_visible(visible=not final and code != "sent_too_often")
    expect(page.cancel).to_be_enabled()
    expect(page.field).to_be_hidden()


@each_rendering
def test_sending_that_failed_can_be_tried_again(rendering: str, open_page: Open) -> None:
    page = open_page(rendering, denial("not_delivered"), SENT)
    page.button("Send a code").click()
    page.again.click()
    expect_to_send(page)
    page.button("Send a code").click()
    expect_to_type(page)


@each_rendering
def test_code_sent_before_a_reload_can_still_be_typed(rendering: str, open_page: Open) -> None:
    page = open_page(rendering, denial("sent_just_now"), CONFIRMED, clock=True)
    page.button("Send a code").click()
    expect(page.message).to_contain_text("We sent you a code a moment ago.")
    expect_to_type(page)
    expect(page.field).to_have_attribute("aria-invalid", "false")
    expect(page.page.get_by_text("expires")).to_have_count(0)
    expect(page.button("Send a new code")).to_be_disabled()
    page.page.clock.run_for(31_000)
    expect(page.button("Send a new code")).to_be_enabled()
    page.type("123456")
    expect(page.message).to_contain_text("Confirmed.")


@pytest.mark.parametrize("code", ["wrong_passcode", "expired_passcode", "locked", "cache_unavailable"])
@each_rendering
def test_denied_code_shows_what_to_do(rendering: str, code: str, open_page: Open) -> None:
    page = open_page(rendering, SENT, denial(code), CONFIRMED)
    page.button("Send a code").click()
    page.type("123456")
    expect(page.message).to_have_text(texts(MESSAGE)["en-US"][f"error_{code}"])
    expect(page.cancel).to_be_enabled()
    if code == "expired_passcode":
        expect_to_send(page)
        return
    if code != "wrong_passcode":
        page.again.click()
    expect_to_type(page)
    expect(page.field).to_have_value("")
    page.type("123456")
    expect(page.message).to_contain_text("Confirmed.")


@each_rendering
def test_confirmation_that_hq_refuses_needs_a_new_code(rendering: str, open_page: Open) -> None:
    refused = {"verifyMFA": [{"reject": {}}]}
    page = open_page(rendering, SENT, CONFIRMED, answers=refused)
    page.button("Send a code").click()
    page.type("123456")
    expect(page.message).to_contain_text("Send a new code, and type that one.")
    expect_to_send(page)


def test_next_code_can_be_sent_after_half_a_minute(open_page: Open) -> None:
    page = open_page("ssr", SENT, clock=True)
    page.button("Send a code").click()
    expect(page.button("Send a new code")).to_be_disabled()
    page.page.clock.run_for(29_000)
    expect(page.button("Send a new code")).to_be_disabled()
    page.page.clock.run_for(2_000)
    page.button("Send a new code").click()
    page.page.wait_for_function("calls.filter(([name]) => name === 'submit').length === 2")
    expect(page.button("Send a new code")).to_be_disabled()
    expect_to_type(page)


def test_remaining_time_of_the_code_updates_each_minute_and_ends(open_page: Open) -> None:
    page = open_page("ssr", SENT, clock=True)
    page.button("Send a code").click()
    told = page.page.locator('[data-part="expires"]')
    expect(told).to_have_attribute("role", "status")
    expect(told).to_have_text("The code expires in 5 minutes.")
    page.page.evaluate(
        "window.told = []; new MutationObserver(() => told.push(1)).observe("
        "document.querySelector('[data-part=expires]'), {childList: true})"
    )
    page.page.clock.run_for(242_000)
    expect(told).to_have_text("The code expires in 1 minute.")
    assert page.page.evaluate("told.length") == 4
    page.page.clock.run_for(60_000)
    expect(page.message).to_contain_text("There is no valid code any more. Send a new one.")
    expect_to_send(page)


@each_rendering
def test_cancel_works_at_each_step(rendering: str, open_page: Open) -> None:
    for steps in (0, 1):
        page = open_page(rendering, SENT)
        expect_to_send(page)
        if steps:
            page.button("Send a code").click()
            expect_to_type(page)
        page.cancel.click()
        expect(page.message).to_contain_text("Canceling")
        assert page.calls[-1] == ["verifyMFA", {"exit": True}]


def test_cancel_works_while_the_code_is_being_sent(open_page: Open) -> None:
    page = open_page("ssr", {"never": True})
    page.button("Send a code").click()
    expect(page.message).to_contain_text("Sending")
    page.cancel.click()
    expect(page.message).to_contain_text("Canceling")


@each_rendering
def test_each_step_is_in_the_language_of_online_banking(rendering: str, open_page: Open) -> None:
    page = open_page(rendering, SENT, language="zh-TW")
    expect(page.main.locator("span:visible")).to_have_text(texts(MESSAGE)["zh-TW"]["send"])
    page.main.click()
    expect(page.field).to_be_focused()
    for language in LANGUAGES:
        page.page.evaluate("(tag) => changeLanguage(tag)", language)
        expected = texts(MESSAGE)[language]
        expect(page.main.locator("span:visible")).to_have_text(expected["confirm"])
        expect(page.page.get_by_text(expected["code_label"])).to_be_visible()
        expect(page.page.locator('[data-part="sent"]')).to_have_text(
            expected["sent_to"].format(name="•••• 1234")
        )
        expect(page.page.locator('[data-part="expires"]')).to_contain_text("5")
        expect(page.button(expected["send_again"])).to_be_visible()


@pytest.mark.parametrize("plan", [{"broken": {"q2-tecton-sdk": "blocked"}}, {"verify": "missing"}], ids=str)
@each_rendering
def test_page_shows_why_it_cannot_work(rendering: str, plan: dict[str, Any], open_page: Open) -> None:
    page = open_page(rendering, SENT, **plan)
    expect(page.message).to_contain_text(
        "We could not connect" if "broken" in plan else "This version of online banking"
    )
    expect(page.again).to_be_enabled()
    expect(page.field).to_be_hidden()
