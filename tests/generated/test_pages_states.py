"""The generated pages in Chromium: what they do, and that they never end without a word and a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from scripted_pages import (
    ASSETS,
    AUTHORIZE,
    LANGUAGES,
    PROVIDER,
    SIGNING_IN,
    TOKEN,
    VARIANTS,
    ScriptedPage,
    new_tab,
    texts,
)

pytestmark = [pytest.mark.browser, pytest.mark.node]

Open = Callable[..., ScriptedPage]

# Every page that a customer can get: each variant's first one, and the one that the provider sends them back to.
PAGES = [(*variant, False) for variant in VARIANTS] + [("redirect", "csr", True)]
page_of_every_kind = pytest.mark.parametrize(("mfa", "rendering", "verify_page"), PAGES)
variant = pytest.mark.parametrize(("mfa", "rendering"), VARIANTS)
standard = pytest.mark.parametrize("rendering", ["ssr", "csr"])
redirect = pytest.mark.parametrize("rendering", ["ssr", "csr"])


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    return new_tab(browser)


@pytest.fixture
def open_page(browser: Browser, tab: Page) -> Iterator[Open]:
    with ExitStack() as stack:

        def get(mfa: str, rendering: str, verify_page: bool = False, **options: Any) -> ScriptedPage:
            page = ScriptedPage(browser, mfa, rendering, verify_page=verify_page, **{"tab": tab, **options})
            return stack.enter_context(closing(page))

        yield get


def rejection(data: Any, **more: Any) -> dict[str, Any]:
    """An answer outside 2xx, as the platform hands it to the page: no Error."""
    return {"reject": {"data": data, "status": 400, "statusText": "Bad Request", **more}}


def expect_message(page: ScriptedPage, text: str) -> None:
    expect(page.message).to_contain_text(text)


def expect_failed_request(page: ScriptedPage, part: str, how: str | int) -> AbstractContextManager[Any]:
    """Wait for a request to fail as *how* says, once the block has asked for it."""
    event: Any = "requestfailed" if how == "blocked" else "response"
    return page.page.expect_event(event, lambda each: part in each.url)


# ---- never dead ------------------------------------------------------------------------------------------

NOT_CONNECTED = "We could not connect to online banking."


@pytest.mark.parametrize("how", ["blocked", 500])
@page_of_every_kind
def test_page_without_tecton_says_so_and_tries_again(
    mfa: str, rendering: str, verify_page: bool, how: str | int, open_page: Open
) -> None:
    page = open_page(mfa, rendering, verify_page, broken={"q2-tecton-sdk": how})
    expect_message(page, NOT_CONNECTED)
    expect(page.cancel).to_be_disabled()
    expect(page.again).to_be_enabled()
    with expect_failed_request(page, "q2-tecton-sdk", how):
        page.again.click()
    expect(page.again).to_be_visible()
    expect_message(page, NOT_CONNECTED)
    page.broken.clear()
    page.again.click()
    expect_message(page, "Confirmed.") if verify_page else expect(page.main).to_be_enabled()


@pytest.mark.parametrize(
    "plan", [{"connects": "never"}, {"connects": "late"}, {"connects": "rejects"}], ids=str
)
@page_of_every_kind
def test_page_whose_tecton_does_not_connect_says_so_after_ten_seconds(
    mfa: str, rendering: str, verify_page: bool, plan: dict[str, str], open_page: Open
) -> None:
    page = open_page(mfa, rendering, verify_page, clock=True, **plan)
    if plan["connects"] != "rejects":
        expect_message(page, "Connecting")
        page.page.clock.fast_forward(9_900)
        expect_message(page, "Connecting")
        page.page.clock.fast_forward(200)
    expect_message(page, NOT_CONNECTED)
    expect(page.cancel).to_be_disabled()
    expect(page.again).to_be_enabled()
    if plan["connects"] == "late":
        page.page.evaluate("connectLate()")
        expect_message(page, "Confirmed.") if verify_page else expect(page.main).to_be_enabled()


@pytest.mark.parametrize(("mfa", "rendering", "verify_page"), [each for each in PAGES if each[1] == "csr"])
def test_page_whose_tecton_script_hangs_says_so_after_ten_seconds(
    mfa: str, rendering: str, verify_page: bool, open_page: Open
) -> None:
    page = open_page(mfa, rendering, verify_page, clock=True, broken={"q2-tecton-sdk": "hangs"})
    expect_message(page, "Connecting")
    page.page.clock.fast_forward(10_100)
    expect_message(page, NOT_CONNECTED)
    expect(page.again).to_be_enabled()


@page_of_every_kind
def test_page_shows_that_the_platform_has_no_verify_mfa(
    mfa: str, rendering: str, verify_page: bool, open_page: Open
) -> None:
    page = open_page(mfa, rendering, verify_page, verify="missing")
    expect_message(page, "This version of online banking cannot take your confirmation.")
    expect(page.cancel).to_be_disabled()
    expect(page.again).to_be_enabled()
    page.again.click()
    expect_message(page, "This version of online banking cannot take your confirmation.")
    assert page.calls == []


@pytest.mark.parametrize("how", ["blocked", 404])
@page_of_every_kind
def test_page_whose_index_script_fails_says_so_and_can_be_canceled(
    mfa: str, rendering: str, verify_page: bool, how: str | int, open_page: Open
) -> None:
    page = open_page(mfa, rendering, verify_page, broken={"index.js": how})
    expect_message(page, "This page could not be loaded.")
    expect(page.again).to_be_enabled()
    expect(page.cancel).to_be_enabled()
    with expect_failed_request(page, "index.js", how):
        page.again.click()
    expect_message(page, "This page could not be loaded.")
    page.broken.clear()
    page.again.click()
    expect_message(page, "Confirmed.") if verify_page else expect(page.main).to_be_enabled()


@page_of_every_kind
def test_page_whose_index_script_throws_can_be_canceled(
    mfa: str, rendering: str, verify_page: bool, open_page: Open
) -> None:
    poison = 'Object.defineProperty(window, "externalMfa", {set() {}, get() { throw new Error("broken"); }});'
    page = open_page(mfa, rendering, verify_page, init=poison)
    expect_message(page, "This page could not be loaded.")
    page.cancel.click()
    assert page.calls[-1] == ["verifyMFA", {"exit": True}]


@pytest.mark.parametrize("broken", ["mfa.js", "mfa.css"])
@page_of_every_kind
def test_page_without_its_first_script_or_style_shows_a_message(
    mfa: str, rendering: str, verify_page: bool, broken: str, open_page: Open
) -> None:
    files = {"mfa.js": "blocked", broken: "blocked"}
    page = open_page(mfa, rendering, verify_page, broken=files)
    fallback = page.page.get_by_text("This page could not be loaded. Reload online banking")
    if broken == "mfa.css":
        expect(fallback).to_be_visible()
    else:
        # The style sheet shows it after 12 seconds; the animation's clock is the browser's own.
        page.page.wait_for_function("document.getAnimations().length > 0")
        expect(fallback).to_be_hidden()
        page.page.evaluate("document.getAnimations().forEach((each) => each.finish())")
        expect(fallback).to_be_visible()


@page_of_every_kind
def test_page_without_javascript_shows_a_message(
    mfa: str, rendering: str, verify_page: bool, open_page: Open
) -> None:
    page = open_page(mfa, rendering, verify_page, javascript=False, broken={"mfa.css": "blocked"})
    expect(page.page.get_by_text("This page could not be loaded. Reload online banking")).to_be_visible()
    for button in page.page.get_by_role("button").all():
        expect(button).to_be_disabled()


@variant
def test_customer_can_cancel_after_the_backend_failed(mfa: str, rendering: str, open_page: Open) -> None:
    route = "submit" if mfa == "standard" else "start"
    answers = {route: [{"reject": {"data": None, "status": 500, "statusText": "Internal Server Error"}}]}
    start: dict[str, Any] = {}
    page = open_page(mfa, rendering, answers=answers, start=start)
    expect(page.main).to_be_enabled()
    page.type("123456") if mfa == "standard" else page.main.click()
    expect_message(page, "Something went wrong. Please try again in a moment.")
    expect(page.again).to_be_enabled()
    expect(page.cancel).to_be_enabled()


@variant
def test_customer_can_cancel_while_the_backend_does_not_respond(
    mfa: str, rendering: str, open_page: Open
) -> None:
    answers = {"submit": [{"never": True}], "start": [{"never": True}]}
    page = open_page(mfa, rendering, answers=answers, start={})
    page.type("123456") if mfa == "standard" else page.main.click()
    expect_message(page, "Checking" if mfa == "standard" else "Taking you to the sign-in service")
    page.cancel.click()
    expect_message(page, "Canceling")
    assert page.calls[-1] == ["verifyMFA", {"exit": True}]


@pytest.mark.parametrize("mfa", ["standard", "redirect"])
def test_first_request_of_a_client_side_page_fails_and_can_be_tried_again(mfa: str, open_page: Open) -> None:
    data = {"purpose": SIGNING_IN, "provider": "login.bank.example"}
    answers = {"default": [rejection(None), {"resolve": {"data": data}}]}
    page = open_page(mfa, "csr", answers=answers)
    expect_message(page, "Something went wrong.")
    page.again.click()
    if mfa == "standard":
        expect(page.main).to_be_enabled()
    else:
        page.page.wait_for_url(AUTHORIZE)


@variant
def test_cancel_that_is_rejected_can_be_tried_again(mfa: str, rendering: str, open_page: Open) -> None:
    page = open_page(mfa, rendering, answers={"exit": [{"reject": {}}, {"never": True}]})
    expect(page.main).to_be_enabled()
    page.cancel.click()
    expect_message(page, "Something went wrong.")
    page.cancel.click()
    expect_message(page, "Canceling")
    assert page.calls[-2:] == [["verifyMFA", {"exit": True}]] * 2


# ---- nothing is ever posted ------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapper", [True, False])
@standard
def test_enter_in_the_field_confirms_and_posts_nothing(
    rendering: str, wrapper: bool, open_page: Open
) -> None:
    page = open_page("standard", rendering, wrapper=wrapper)
    expect(page.field).to_be_focused()
    page.page.keyboard.type("123456")
    page.page.keyboard.press("Enter")
    expect_message(page, "Confirmed.")
    assert ["submit", {"passcode": "123456"}] in page.calls
    assert page.page.url == page.url and "POST" not in {method for method, _ in page.requests}


@variant
def test_page_never_posts_the_forms_of_the_platform(mfa: str, rendering: str, open_page: Open) -> None:
    page = open_page(mfa, rendering)
    expect(page.main).to_be_enabled()
    if rendering == "csr":
        page.page.evaluate("document.body.append(document.createElement('form'))")
    page.page.evaluate("document.querySelector('form').requestSubmit()")
    expect(page.main).to_be_enabled()
    # What posts a form without asking anybody posts no code: the field has no name.
    assert page.page.evaluate("[...new FormData(document.querySelector('form')).keys()]") in ([], ["q2token"])
    assert page.page.url == page.url and "POST" not in {method for method, _ in page.requests}


@standard
def test_field_cannot_be_typed_in_before_the_script_runs(rendering: str, open_page: Open) -> None:
    page = open_page("standard", rendering, broken={"mfa.js": "hangs"})
    expect(page.field).to_be_disabled()
    expect(page.main).to_be_disabled()


@pytest.mark.parametrize("wrapper", [True, False])
@variant
def test_page_works_with_and_without_the_form_around_it(
    mfa: str, rendering: str, wrapper: bool, open_page: Open
) -> None:
    page = open_page(mfa, rendering, wrapper=wrapper)
    expect(page.main).to_be_enabled()
    if mfa == "standard":
        page.type("123456")
        expect_message(page, "Confirmed.")
        assert page.calls[-1] == ["verifyMFA", {"token": "the token"}]
    else:
        page.main.click()
        page.page.wait_for_url(AUTHORIZE)


# ---- the code ------------------------------------------------------------------------------------------------


@standard
def test_incomplete_code_is_refused_in_the_page(rendering: str, open_page: Open) -> None:
    page = open_page("standard", rendering)
    for code in ("", "12345", "1234567", "12345a", "\uff11\uff12\uff13"):
        page.type(code)
        expect_message(page, "Type all 6 digits of the code.")
        expect(page.field).to_have_value(code)
        expect(page.field).to_be_focused()
        expect(page.field).to_have_attribute("aria-invalid", "true")
    assert "submit" not in [call[0] for call in page.calls]


@pytest.mark.parametrize("code", ["123 456", "123-456", " \uff11\uff12\uff13456 "])
def test_code_may_be_written_in_groups_and_wide_digits(code: str, open_page: Open) -> None:
    page = open_page("standard", "ssr")
    page.type(code)
    expect_message(page, "Confirmed.")
    assert ["submit", {"passcode": "123456"}] in page.calls


CODE_IN = {
    "data.code": rejection({"code": "wrong_passcode"}),
    "data.data.code": rejection({"data": {"code": "wrong_passcode"}}),
    "message": rejection({}, message="wrong_passcode"),
    "data.message": rejection({"message": "wrong_passcode"}),
    "data.error": rejection({"error": "wrong_passcode", "data": {}}),
    "data": rejection("wrong_passcode"),
}


@pytest.mark.parametrize("where", CODE_IN)
@standard
def test_error_code_is_found_at_any_nesting_level(rendering: str, where: str, open_page: Open) -> None:
    page = open_page("standard", rendering, answers={"submit": [CODE_IN[where], {"resolve": TOKEN}]})
    page.type("111111")
    expect_message(page, "That code is not right.")
    expect(page.field).to_have_value("")
    expect(page.field).to_be_focused()
    page.type("222222")
    expect_message(page, "Confirmed.")


UNKNOWN = [
    None,
    "",
    7,
    "title",
    {"code": "constructor"},
    {"code": ["locked"]},
    {"message": "Internal error"},
    [1],
]


def test_rejection_without_a_known_code_shows_a_general_message(open_page: Open) -> None:
    page = open_page("standard", "csr", answers={"submit": [{"reject": data} for data in UNKNOWN]})
    for _ in UNKNOWN:
        page.type("111111")
        expect_message(page, "Something went wrong.")
        page.again.click()
        expect(page.field).to_be_focused()


@pytest.mark.parametrize(
    ("code", "says", "again"),
    [("locked", "Too many wrong codes.", True), ("not_registered", "is not registered with us yet", False)],
)
@standard
def test_field_is_hidden_if_no_code_can_pass(
    rendering: str, code: str, says: str, again: bool, open_page: Open
) -> None:
    page = open_page("standard", rendering, answers={"submit": [rejection({"code": code})]})
    page.type("111111")
    expect_message(page, says)
    expect(page.message).to_be_focused()
    expect(page.field).to_be_disabled()
    expect(page.main).to_be_hidden()
    expect(page.again).to_be_visible(visible=again)
    expect(page.cancel).to_be_enabled()


# ---- the token -------------------------------------------------------------------------------------------------

TOKENS = {
    "dict": {"token": "the token"},
    "nested": {"data": {"token": "the token"}},
    "text": "the token",
    "nested text": {"data": "the token"},
}


@pytest.mark.parametrize(("shape", "place"), [*zip(TOKENS, ["actions", "sources"] * 2, strict=True)])
@pytest.mark.parametrize("verify_page", [False, True])
def test_token_is_found_in_every_response_shape_and_passed_to_verify_mfa(
    verify_page: bool, shape: str, place: str, open_page: Open
) -> None:
    answer = [{"resolve": {"data": TOKENS[shape], "status": 200, "statusText": "OK"}}]
    mfa: str = "redirect" if verify_page else "standard"
    answers = {"submit": answer, "token_handler": answer}
    page = open_page(mfa, "csr", verify_page, verify=place, answers=answers)
    if not verify_page:
        page.type("123456")
    expect_message(page, "Confirmed.")
    expect(page.cancel).to_be_disabled()
    assert page.calls[-1] == ["verifyMFA", {"token": "the token"}]


def test_response_without_a_token_is_not_passed_to_verify_mfa(open_page: Open) -> None:
    shapes = [None, {}, {"token": ""}, {"token": None}, {"success": True}, 7]
    page = open_page("standard", "csr", answers={"submit": [{"resolve": {"data": data}} for data in shapes]})
    for _ in shapes:
        page.type("123456")
        expect_message(page, "Something went wrong.")
        page.again.click()
    assert "verifyMFA" not in [call[0] for call in page.calls]


@standard
def test_after_hq_refused_the_customer_types_the_next_code(rendering: str, open_page: Open) -> None:
    page = open_page("standard", rendering, answers={"verifyMFA": [{"reject": None}, {"resolve": None}]})
    page.type("123456")
    expect_message(page, "Wait for the next code in your authenticator app, and type that one.")
    expect(page.field).to_be_focused()
    expect(page.field).to_have_value("")
    page.type("234567")
    expect_message(page, "Confirmed.")


def test_after_hq_refused_the_customer_goes_to_the_provider_again(open_page: Open) -> None:
    page = open_page("redirect", "csr", True, answers={"verifyMFA": [{"reject": {"message": "no"}}]})
    expect_message(page, "Your confirmation did not go through. Please try again.")
    page.again.click()
    page.page.wait_for_url(AUTHORIZE)


@variant
def test_page_needs_nothing_after_verify_mfa_started(mfa: str, rendering: str, open_page: Open) -> None:
    """The platform may end the page when it succeeds, so the promise may never settle."""
    page = open_page(mfa, rendering, verify_page=mfa == "redirect", answers={"verifyMFA": [{"never": True}]})
    if mfa == "standard":
        page.type("123456")
    expect_message(page, "Checking")
    page.page.wait_for_function("calls.some(([name, argument]) => name === 'verifyMFA' && argument.token)")
    assert page.calls[-1] == ["verifyMFA", {"token": "the token"}]
    expect(page.cancel).to_be_enabled()


@pytest.mark.parametrize("verify_page", [False, True])
def test_response_after_cancel_is_not_used(verify_page: bool, open_page: Open) -> None:
    page = open_page(
        "redirect" if verify_page else "standard",
        "csr",
        verify_page,
        answers={"submit": [{"late": True}], "token_handler": [{"late": True}]},
    )
    if not verify_page:
        page.type("123456")
    expect_message(page, "Checking")
    page.cancel.click()
    page.page.evaluate("answerLate({ data: { token: 'the token' } })")
    expect_message(page, "Canceling")
    assert page.calls[-1] == ["verifyMFA", {"exit": True}]


# ---- leaving and coming back -----------------------------------------------------------------------------------


@redirect
def test_leaving_replaces_the_page_in_the_history(rendering: str, open_page: Open) -> None:
    # In a tab of its own: after 50 pages, the length of a tab's history no longer changes.
    page = open_page("redirect", rendering, tab=None)
    before = page.page.evaluate("history.length")
    page.main.click()
    page.page.wait_for_url(AUTHORIZE)
    assert page.page.evaluate("history.length") == before


# Playwright's own calls wait for a navigation to end, so the page itself looks and cancels while it lasts.
CANCEL_AT_ONCE = """() => {
    const part = (name) => document.querySelector(`[data-part="${name}"]`);
    part("main").addEventListener("click", () => setTimeout(() => {
        window.seen = [part("message").textContent, part("cancel").disabled];
        part("cancel").click();
    }));
    part("main").click();
}"""


@redirect
def test_cancel_works_while_the_page_is_leaving(rendering: str, open_page: Open) -> None:
    page = open_page("redirect", rendering, broken={AUTHORIZE: "hangs"})
    expect(page.main).to_be_enabled()
    page.page.evaluate(CANCEL_AT_ONCE)
    expect_message(page, "Canceling")
    assert page.page.evaluate("seen") == ["Taking you to the sign-in service …", False]
    assert page.calls[-1] == ["verifyMFA", {"exit": True}]
    assert page.page.url == page.url


def test_expired_provider_url_of_a_server_side_page_is_requested_again(open_page: Open) -> None:
    for seconds, asked in ((600, False), (1, True)):
        start = {"authorization_url": AUTHORIZE, "expires_in": seconds}
        page = open_page("redirect", "ssr", start=start, answers={"start": [{"never": True}]})
        expect(page.main).to_be_enabled()
        page.main.click()
        if asked:
            page.page.wait_for_function("calls.some(([name]) => name === 'start')")
        else:
            page.page.wait_for_url(AUTHORIZE)


@pytest.mark.parametrize(
    ("code", "again"), [("provider_unavailable", True), ("not_configured", False), ("not_linked", False)]
)
def test_server_side_page_without_a_provider_url_shows_why(code: str, again: bool, open_page: Open) -> None:
    page = open_page("redirect", "ssr", start={"code": code})
    expect_message(page, texts("redirect")["en-US"][f"error_{code}"])
    expect(page.again).to_be_visible(visible=again)
    expect(page.cancel).to_be_enabled()


@redirect
def test_customer_who_left_and_did_not_come_back_sees_a_message(rendering: str, open_page: Open) -> None:
    page = open_page("redirect", rendering)
    page.main.click()
    page.page.wait_for_url(AUTHORIZE)
    page.page.goto(page.url)
    expect_message(page, "You have not come back from the sign-in service yet.")
    note = page.page.locator("details", has_text="developers")
    expect(note).not_to_have_attribute("open", "")
    expect(note).to_contain_text("frame-ancestors")
    page.page.goto(page.url)
    expect(page.main).to_be_enabled()


def test_callback_is_removed_from_the_url_and_sent_to_the_backend(open_page: Open) -> None:
    query = {"code": "the code", "state": "abc", "iss": PROVIDER, "other": "x"}
    page = open_page("redirect", "csr", True, query=query)
    expect_message(page, "Confirmed.")
    assert page.page.url == f"{ASSETS}/verify.html"
    del query["other"]
    assert page.calls[0] == ["token_handler", query]
    assert page.page.evaluate("window.mfaCallback") is None


def test_verify_page_without_its_first_script_starts_again(open_page: Open) -> None:
    page = open_page("redirect", "csr", True, broken={"verify.js": "blocked"})
    expect_message(page, "Something went wrong.")
    assert page.page.url == f"{ASSETS}/verify.html"
    page.again.click()
    page.page.wait_for_url(AUTHORIZE)


# ---- what for ------------------------------------------------------------------------------------------------------

ACTION = "ChangeEmailAddress\u200f (تغيير) <b>x</b>"
PURPOSES = {
    "signing in": ({"signing_in": True, "transactions": [], "action": None}, "You are signing in."),
    "unknown": (
        {"signing_in": False, "transactions": [], "action": None},
        "Online banking needs to make sure it is you.",
    ),
    "one": ({"signing_in": False, "transactions": ["1001"], "action": None}, "1 transaction: 1001"),
    "two": (
        {"signing_in": False, "transactions": ["1001", "1002"], "action": None},
        "2 transactions: 1001, 1002",
    ),
    "action": ({"signing_in": True, "transactions": [], "action": ACTION}, f"You are confirming: {ACTION}"),
}


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(("mfa", "rendering"), [("standard", "ssr"), ("redirect", "csr")])
def test_page_shows_what_the_customer_confirms(
    mfa: str, rendering: str, purpose: str, open_page: Open
) -> None:
    given, says = PURPOSES[purpose]
    page = open_page(mfa, rendering, purpose=given)
    expect(page.purpose).to_have_text(says)
    if purpose == "action":
        expect(page.purpose.locator("bdi")).to_have_text(ACTION)
    if mfa == "redirect":
        expect(
            page.page.get_by_text("You continue at login.bank.example and then come back here.")
        ).to_be_visible()


@variant
def test_many_transactions_are_counted_and_folded(mfa: str, rendering: str, open_page: Open) -> None:
    ids = [str(number) for number in range(1001, 1061)]
    page = open_page(mfa, rendering, purpose={"signing_in": False, "transactions": ids, "action": None})
    expect(page.purpose.locator("summary")).to_have_text("60 transactions")
    assert page.purpose.inner_text().strip() == "60 transactions"
    page.purpose.locator("summary").click()
    expect(page.purpose).to_contain_text(", ".join(ids))


# ---- language ------------------------------------------------------------------------------------------------------


@variant
def test_page_is_in_the_language_of_online_banking(mfa: str, rendering: str, open_page: Open) -> None:
    purpose = {"signing_in": False, "transactions": ["1001", "1002"], "action": None}
    page = open_page(mfa, rendering, language="zh-TW", purpose=purpose)
    expect(page.main).to_be_enabled()
    if mfa == "standard":
        page.type("1")
    for language in ["zh-TW", *LANGUAGES]:
        page.page.evaluate("(tag) => changeLanguage(tag)", language)
        expected = texts(mfa)[language]
        expect(page.page.get_by_role("heading")).to_have_text(expected["title"])
        expect(page.main).to_have_text(expected["confirm" if mfa == "standard" else "continue"])
        expect(page.cancel).to_have_text(expected["cancel"])
        expect(page.page.locator("html")).to_have_attribute("lang", expected["language"])
        expect(page.purpose).to_contain_text(re.compile(r"2\D+1001, 1002"))
        if mfa == "standard":
            expect_message(page, expected["error_incomplete"])
        else:
            expect(page.page.locator("bdi")).to_have_text("login.bank.example")
        if rendering == "csr":
            assert page.page.title() == expected["title"]


@pytest.mark.parametrize("missing", ["key", "nothing"])
@variant
def test_missing_translation_is_english(mfa: str, rendering: str, missing: str, open_page: Open) -> None:
    spanish = texts(mfa)["es-MX"]
    kept = {"cancel": spanish["cancel"]}
    page = open_page(mfa, rendering, language="es-MX", missingText=missing, texts={"es-MX": kept})
    expect(page.cancel).to_have_text("Cancelar")
    expect(page.page.get_by_role("heading")).to_have_text("Confirm it is you")
    expect(page.purpose).to_have_text("You are signing in.")


@variant
def test_text_of_the_page_itself_is_kept_where_tecton_has_none(
    mfa: str, rendering: str, open_page: Open
) -> None:
    page = open_page(mfa, rendering, replace=("Confirm it is you", "Is it you?"))
    expect(page.main).to_be_enabled()
    expect(page.page.get_by_role("heading")).to_have_text("Is it you?")
