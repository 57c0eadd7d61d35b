"""The preview's page when the extension, its page or the provider fails."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from banking_page import BankingPage
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect
from preview_process import PreviewProcess, create_variant, make_workspace, start_preview

pytestmark = pytest.mark.browser

OpenBanking = Callable[..., BankingPage]


@dataclass
class Edited:
    """A preview of an extension whose files a test edits."""

    preview: PreviewProcess
    folder: Path

    @contextlib.contextmanager
    def edit(self, file: str, before: str, after: str) -> Iterator[None]:
        """Replace *before* in *file* until the block ends."""
        source = self.folder / file
        text = source.read_text("utf-8")
        assert text.count(before) == 1
        source.write_text(text.replace(before, after))
        try:
            yield
        finally:
            source.write_text(text)


@pytest.fixture(scope="module", params=["StandardCsr", "StandardSsr"])
def edited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    workspace = make_workspace(tmp_path_factory.mktemp("edited") / "workspace")
    create_variant(workspace, request.param)
    with start_preview(workspace, request.param) as preview:
        yield Edited(preview, workspace / request.param)


@pytest.fixture(scope="module")
def failing_page(browser: Browser) -> Iterator[Page]:
    """Its errors are on purpose."""
    with contextlib.closing(
        browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    ) as context:
        yield context.new_page()


@pytest.fixture
def banking(edited: Edited, failing_page: Page) -> BankingPage:
    """The page of that preview."""
    return BankingPage(failing_page, edited.preview.url)


def overlay(banking: BankingPage) -> Locator:
    return banking.page.locator("#failure")


def line_of(edited: Edited, file: str, text: str) -> int:
    lines = (edited.folder / file).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def expect_failure(banking: BankingPage, what: str, where: str) -> None:
    expect(overlay(banking).get_by_role("alert")).to_have_text(what)
    expect(banking.page.locator("#failure-where")).to_have_text(where)


def test_route_that_raises_is_shown_with_its_source(edited: Edited, banking: BankingPage) -> None:
    start = "    async def submit(self):\n"
    loaded = banking.outlet.locator("main")
    loaded.evaluate("(main) => main.setAttribute('data-old', '')")
    with edited.edit("extension.py", start, f'{start}        {{}}["boom"]\n'):
        place = f"{edited.folder.name}/extension.py:{line_of(edited, 'extension.py', 'boom')}"
        expect(loaded).not_to_have_attribute("data-old", "")
        expect(overlay(banking)).to_be_hidden()
        banking.submit_code("123456")
        expect_failure(banking, "KeyError: 'boom'", f"{place} · route submit")
        expect(banking.page.locator("#failure-source [data-current]")).to_contain_text('{}["boom"]')
        expect(banking.page.locator("#failure-frames")).to_have_text(f"{place} in submit")
        said = f"500: KeyError: 'boom' ({place}, route submit)"
        expect(banking.page.locator("#outcome")).to_have_text(f"Failed at step 1: {said}")
        expect(banking.page.locator("#sequence .row[data-step='1'] .why")).to_have_text(said)
        banking.page.get_by_role("button", name="Copy the error").click()
        expect(banking.page.get_by_role("button", name="Copied")).to_be_visible()
        copied = banking.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(f"KeyError: 'boom'\n{place} (route submit)\n")
        assert "\n> " in copied and "site-packages" not in copied
    expect(overlay(banking)).to_be_hidden()
    banking.submit_code()
    banking.expect_outcome("complete")


def test_first_page_that_fails_is_shown(edited: Edited, banking: BankingPage) -> None:
    if edited.folder.name.endswith("Csr"):
        before, after = '{"purpose": self.purpose()}', '{"purpose": 1 / 0}'
        what = "ZeroDivisionError: division by zero"
    else:
        before, after = '"index.html.jinja2"', '"gone.html.jinja2"'
        what = "TemplateNotFound: 'gone.html.jinja2' not found in search path: 'StandardSsr/templates'"
    with edited.edit("extension.py", before, after):
        place = f"{edited.folder.name}/extension.py:{line_of(edited, 'extension.py', after)}"
        expect_failure(banking, what, f"{place} · route default")
        banking.expect_outcome("failed")
        expect(banking.page.locator("#outcome")).to_contain_text(what)
    expect(overlay(banking)).to_be_hidden()
    banking.expect_outcome("open")


IN_THE_PAGE = [
    ("notThere.boom();", "ReferenceError: notThere is not defined", "externalMfa is not defined"),
    ("Promise.reject(new TypeError('late'));", "TypeError: late", ""),
    ("console.error('wrong', { a: 1 });", 'console.error: wrong {"a":1}', ""),
]


# The renderings differ in how the reporting script gets into the page, and not in what it reports.
@pytest.mark.parametrize(
    ("edited", "script", "what", "consequence"),
    [*(("StandardCsr", *each) for each in IN_THE_PAGE), ("StandardSsr", *IN_THE_PAGE[0])],
    indirect=["edited"],
)
def test_error_of_the_page_is_shown_with_its_line(
    edited: Edited, banking: BankingPage, script: str, what: str, consequence: str
) -> None:
    # A page that fails at once has not connected yet, and may have no SDK.
    file = "frontend/public/mfa.js"
    with edited.edit(file, '"use strict";', f'"use strict"; {script}'):
        place = f"{edited.folder.name}/{file}:{line_of(edited, file, script)}"
        expect_failure(banking, what, f"{place} · the page")
        expect(banking.page.locator("#failure-source [data-current]")).to_contain_text(script)
        expect(banking.page.locator("#sequence")).to_contain_text(what)
        if consequence:
            # It comes later, and would be shown over the page again.
            expect(banking.page.locator("#sequence")).to_contain_text(consequence)
        banking.page.get_by_role("button", name="Show the page").click()
        expect(overlay(banking)).to_be_hidden()


def test_failure_of_the_previous_page_does_not_stay(edited: Edited, banking: BankingPage) -> None:
    def fail_before_it_goes(route: Route) -> None:
        banking.frame.evaluate("console.error('too late')")
        expect(overlay(banking).get_by_role("alert")).to_have_text("console.error: too late")
        route.continue_()

    loaded = banking.outlet.locator("main")
    loaded.evaluate("(main) => main.setAttribute('data-old', '')")
    banking.page.route("**/outlet", fail_before_it_goes, times=1)
    banking.page.get_by_role("button", name="Reload").click()
    expect(loaded).not_to_have_attribute("data-old", "")
    expect(overlay(banking)).to_be_hidden()


def test_resource_that_cannot_be_loaded_is_shown(edited: Edited, banking: BankingPage) -> None:
    style = edited.folder / "frontend" / "public" / "mfa.css"
    content = style.read_bytes()
    style.unlink()
    try:
        expect(overlay(banking).get_by_role("alert")).to_contain_text("<link> cannot be loaded: http")
    finally:
        # Not by a rename, which keeps the time of change: the preview may not have looked in between.
        style.write_bytes(content)
    expect(overlay(banking)).to_be_hidden()


# ---- the bar -------------------------------------------------------------------------------------------------


def test_reload_begins_a_fresh_sequence_and_close_ends_the_challenge(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardSsr")
    banking.submit_code("000000")
    expect(banking.page.locator("#outcome")).to_have_text("Refused at step 1: 400: wrong_passcode")
    banking.page.get_by_role("button", name="Reload").click()
    expect(banking.page.locator("#outcome")).to_have_text("Waiting for the customer.")
    expect(banking.page.locator("#sequence .row[data-state=failed]")).to_have_count(0)
    # The browser's own reload sends the form again: the ticket is good for its challenge.
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    banking.frame.evaluate("() => { document.querySelector('h1').textContent = 'old'; location.reload(); }")
    expect(banking.outlet.get_by_role("heading")).to_have_text("Confirm it is you")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    banking.page.locator("#close").click()
    banking.expect_outcome("closed")
    expect(banking.page.locator("#outlet")).to_be_hidden()
    expect(banking.page.get_by_text("Online banking closed the page.", exact=True)).to_be_visible()
    banking.page.get_by_role("button", name="Reload").click()
    banking.expect_outcome("open")
    banking.verify()
    banking.expect_outcome("complete")


def test_outlet_is_covered_once_mfa_is_complete(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    expect(banking.page.locator("#cover")).to_be_hidden()
    banking.verify()
    expect(banking.page.get_by_text("MFA is complete. Online banking continues from here.")).to_be_visible()
    expect(banking.page.locator("#outlet")).to_have_attribute("inert", "")
    banking.page.get_by_role("button", name="Ask again").click()
    expect(banking.page.locator("#cover")).to_be_hidden()
    banking.expect_outcome("open")


def test_late_code_of_another_customer_is_not_shown(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr", alone=True)
    page = banking.page
    expect(page.locator("#passcode")).to_have_text(re.compile(r"\d{3} \d{3}"))
    first = page.locator("#outlet").get_attribute("data-challenge") or "none"
    asked: dict[
        str, Route
    ] = {}  # by challenge: the first page's own request may still be under way, or come again

    def hold(route: Route) -> None:
        if first in route.request.url:
            route.continue_()
        else:
            asked.setdefault(route.request.url, route)

    page.route("**/passcode", hold)
    for workflow in ("Log in", "Patrol event"):
        before = {first, *asked}
        with page.expect_request(
            lambda request, before=before: (
                request.url.endswith("/passcode") and not any(each in request.url for each in before)
            )
        ):
            banking.start(workflow)
    for route, passcode in zip(reversed(asked.values()), ("222222", "111111"), strict=True):
        route.fulfill(json={"passcode": passcode, "seconds": 20})
        page.evaluate("() => fetch('/api/platform').then((response) => response.text())")
        expect(page.locator("#passcode")).to_have_text("222 222")


def test_double_click_on_start_makes_one_challenge(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr", alone=True)
    made: list[Request] = []
    banking.page.on(
        "request", lambda request: made.append(request) if request.url.endswith("/challenges") else None
    )
    before = banking.page.locator("#outlet").get_attribute("data-challenge")
    banking.page.get_by_role("button", name="Start").dblclick()
    expect(banking.page.locator(f"#outlet[data-challenge]:not([data-challenge='{before}'])")).to_be_attached()
    banking.verify()
    banking.expect_outcome("complete")
    assert len(made) == 1


# ---- the sequence ----------------------------------------------------------------------------------------------

POLL = """async (count) => {
    for (let i = 0; i < count; i += 1) {
        await tecton.sources.requestExtensionData({ route: i % 2 ? 'default' : 'nowhere', body: {} }).catch(() => 0);
    }
}"""


def test_one_event_draws_one_row(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    banking.frame.evaluate(POLL, 30)
    row = banking.page.locator("#sequence .row:not([data-state=ahead])")
    expect(row).to_have_count(32)
    # The last event of a call may come after its answer, and draws the row again.
    expect(banking.page.locator("#sequence .row[data-state=running]")).to_have_count(0)
    expect(row.last).to_be_in_viewport()
    row.evaluate_all("(rows) => rows.forEach((row) => { row.isOld = true; })")
    banking.frame.evaluate(POLL, 1)
    expect(row).to_have_count(33)
    expect(row.last).to_have_attribute("data-state", "failed")
    # The new row is drawn again with each of its events; the others stay.
    assert row.evaluate_all("(rows) => rows.map((row) => !!row.isOld)") == [True] * 32 + [False]


# A sequence that no challenge fills.
SEQUENCE = """
    const { Sequence } = await import("/sequence.js");
    const [scroller, list, lanes] = ["div", "ol", "div"].map((name) => document.createElement(name));
    scroller.append(list);
    const parties = { page: "Page", extension: "Extension", hq: "HQ" };
    const steps = [[1, "page", "extension", "asks"], [2, "extension", "hq", "sets"]];
    const sequence = new Sequence(list, lanes, { steps, parties, lanes: Object.keys(parties) });
    const row = (index, state) => ({ index, state, step: null, sender: "page", receiver: "extension", what: "poll", at: 0, took: null, why: "", count: 1 });
"""

# 60 calls, each with three events, for a sequence that is drawn twice.
BURST = f"""async () => {{
    {SEQUENCE}
    const changes = [];
    const observer = new MutationObserver(() => 0);
    observer.observe(list, {{ childList: true }});
    for (let turn = 0; turn < 2; turn += 1) {{
        for (let number = 0; number < 30; number += 1) for (const state of ["running", "running", "ok"]) sequence.put(row(30 * turn + number, state));
        sequence.draw();
        changes.push(observer.takeRecords().reduce((sum, {{ addedNodes, removedNodes }}) => sum + addedNodes.length + removedNodes.length, 0));
    }}
    sequence.put(row(59, "failed"));
    sequence.remove(58);
    sequence.draw();
    sequence.draw();
    changes.push(observer.takeRecords().reduce((sum, {{ addedNodes, removedNodes }}) => sum + addedNodes.length + removedNodes.length, 0));
    return changes;
}}"""


def test_burst_of_events_draws_each_row_once(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    # 30 rows each; then one that is replaced and one that is removed.
    assert banking.page.evaluate(BURST) == [30, 30, 3]


LONG = f"""async () => {{
    {SEQUENCE}
    const shown = () => [list.querySelector(".earlier").textContent, list.querySelectorAll(".row:not([data-state=ahead])").length];
    const before = list.querySelector(".earlier");
    for (let number = 0; number < 200; number += 1) sequence.put(row(number, "ok"));
    sequence.draw();
    const isComplete = before === null && list.querySelector(".earlier") === null;
    for (let number = 200; number < 212; number += 1) {{
        sequence.put(row(number, "ok"));
        sequence.draw();
    }}
    return [isComplete, ...shown()];
}}"""


def test_long_sequence_draws_the_newest_rows_and_counts_the_others(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    assert banking.page.evaluate(LONG) == [True, "12 earlier messages are in the copied reports.", 200]


def test_highlight_of_the_newest_row_is_left_to_the_compositor(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    banking.frame.evaluate(POLL, 4)
    fresh = banking.page.locator("#sequence .row[data-fresh]")
    expect(fresh).to_have_count(1)
    animated = banking.page.evaluate(
        """() => document.getAnimations().map((each) => each.effect.getKeyframes().flatMap(Object.keys)).flat()
            .filter((name) => !["offset", "easing", "composite", "computedOffset", "opacity"].includes(name))"""
    )
    assert animated == []


def test_equal_calls_are_one_row_with_a_count(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    row = banking.page.locator("#sequence .row", has_text="requestExtensionData: default")
    poll = "() => tecton.sources.requestExtensionData({ route: 'default', body: {} }).then(() => 0)"
    for count in (2, 3):
        banking.frame.evaluate(poll)
        expect(row.locator(".count")).to_have_text(f"\N{MULTIPLICATION SIGN} {count}")
        expect(row).to_have_count(1)
    expect(row.locator(".answer")).to_be_visible()


# ---- at the provider -----------------------------------------------------------------------------------------------


def test_login_form_reloads_and_back_leads_to_a_page_with_a_way_on(open_banking: OpenBanking) -> None:
    banking = open_banking("RedirectCsr")
    banking.go_to_provider()
    banking.frame.evaluate("() => { document.querySelector('h1').textContent = 'old'; location.reload(); }")
    expect(banking.outlet.get_by_role("heading", name="Log in")).to_be_visible()
    banking.outlet.get_by_role("button", name="Deny").click()
    banking.expect_message("You did not confirm it.")
    banking.page.evaluate("() => { setTimeout(() => history.back()); }")
    expect(banking.outlet.get_by_role("heading", name="This login is complete")).to_be_visible()
    banking.outlet.get_by_role("link", name="Back to online banking").click()
    banking.outlet.get_by_role("button", name="Try again").click()
    banking.outlet.get_by_role("button", name="Approve").click()
    banking.expect_outcome("complete")


def test_provider_that_is_down_shows_a_way_back(open_banking: OpenBanking) -> None:
    banking = open_banking("RedirectSsr")
    expect(banking.outlet.get_by_role("button", name="Continue")).to_be_enabled()
    banking.set_switch("The provider is down")
    banking.outlet.get_by_role("button", name="Continue").click()
    heading = banking.outlet.get_by_role("heading", name="503 Service Unavailable")
    expect(heading).to_be_visible()
    assert heading.evaluate("(element) => getComputedStyle(element).fontSize") == "24px"
    expect(banking.page.locator("#outcome")).to_have_text("Failed: it answers 503")
    banking.outlet.get_by_role("link", name="Back to online banking").click()
    banking.expect_message("The sign-in service is busy.")


def test_two_tabs_keep_their_switches_and_their_rows(open_banking: OpenBanking) -> None:
    mine, other = open_banking("RedirectCsr"), open_banking("RedirectCsr")
    mine.set_switch("The provider denies")
    mine.go_to_provider()
    other.set_switch("The provider is down")
    other.outlet.get_by_role("button", name="Continue").click()
    other.expect_message("cannot be reached")
    other.set_switch("The provider is down", on=False)
    other.start("Patrol event")
    other.go_to_provider()
    shown = re.compile("The customer is sent to log in")
    for banking in (mine, other):
        expect(banking.page.locator("#sequence").get_by_text(shown)).to_have_count(1)
    mine.outlet.get_by_role("button", name="Approve").click()
    mine.expect_message("You did not confirm it.")
    other.outlet.get_by_role("button", name="Approve").click()
    other.expect_outcome("complete")
    expect(mine.page.locator("#sequence").get_by_text("The login is denied")).to_have_count(1)
    expect(other.page.locator("#sequence").get_by_text("The login is denied")).to_have_count(0)
