"""The preview in a browser: every variant in every workflow, its switches, the bridge, reloads and accessibility."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import node
import pytest
from banking_page import BankingPage
from playwright.sync_api import BrowserContext, Frame, expect
from preview_process import STANDARD, VARIANTS, create_variant, make_workspace, start_preview

pytestmark = pytest.mark.browser

OpenBanking = Callable[..., BankingPage]

# By workflow: what the page of a standard extension shows.
WORKFLOWS = {
    "Log in": "You are signing in.",
    "Approve a transaction": "2 transactions: 1001, 1002",
    "Patrol event": "You are confirming: ChangeEmailAddress",
}
ALL_DONE = [(step, "ok") for step in range(1, 9)]


@pytest.mark.parametrize("name", VARIANTS)
def test_right_user_completes_each_workflow(name: str, open_banking: OpenBanking) -> None:
    banking = open_banking(name)
    assert banking.steps() == [(step, "ahead") for step in range(1, 9)]
    for workflow, purpose in WORKFLOWS.items():
        if workflow != "Log in":  # the page starts with it
            banking.start(workflow)
        if name in STANDARD:
            expect(banking.outlet.locator("main")).to_contain_text(purpose)
        banking.verify()
        banking.expect_outcome("complete")
        banking.expect_message("Confirmed.")
        assert banking.steps() == ALL_DONE, workflow


@pytest.mark.parametrize("name", STANDARD)
def test_wrong_code_fails_step_1_and_a_right_one_completes(name: str, open_banking: OpenBanking) -> None:
    banking = open_banking(name)
    passcode = banking.passcode()
    banking.submit_code(f"{(int(passcode) + 500_000) % 1_000_000:06}")
    banking.expect_message("That code is not right.")
    row = banking.page.locator("#sequence .row[data-step='1']")
    expect(row).to_have_attribute("data-state", "failed")
    expect(row.locator(".why")).to_contain_text("wrong_passcode")
    banking.submit_code()
    banking.expect_outcome("complete")
    assert banking.steps() == [(1, "failed"), *ALL_DONE]


@pytest.mark.parametrize("name", VARIANTS)
def test_cancel_leaves_mfa(name: str, open_banking: OpenBanking) -> None:
    banking = open_banking(name)
    banking.outlet.get_by_role("button", name="Cancel").click()
    banking.expect_outcome("left")
    expect(banking.page.locator("#outlet")).to_be_hidden()


@pytest.mark.parametrize("name", ["StandardSsr", "RedirectCsr"])
def test_page_and_copied_reports_show_no_secret(name: str, open_banking: OpenBanking) -> None:
    banking = open_banking(name, alone=True)
    secrets: list[str] = []

    def keep(text: str | None) -> None:
        body = json.loads(text or "{}")
        secrets.extend(str(value) for value in body.get("body", body).values() if len(str(value)) > 5)

    banking.page.on(
        "request", lambda request: keep(request.post_data) if "/extension" in request.url else None
    )
    banking.page.on("request", lambda request: keep(request.post_data) if "/verify" in request.url else None)
    banking.verify()
    banking.expect_outcome("complete")
    secrets = [secret for secret in secrets if not secret.startswith("http")]
    assert len(secrets) >= 2
    shown = banking.page.locator("#sequence").inner_text()
    for kind in ("text", "json"):
        button = banking.page.locator(f"[data-copy={kind}]")
        button.click()
        expect(button).to_have_text("Copied")
        copied = banking.page.evaluate("navigator.clipboard.readText()")
        assert "set_external_mfa_token" in copied
        assert [secret for secret in secrets if secret in shown + copied] == []
    report = json.loads(copied)
    assert [row["step"] for row in report["sequence"] if row["step"]] == list(range(1, 9))
    assert report["outcome"] == "complete"


# By switch: the message that the page shows, and the step that fails.
BROKEN = {
    "HQ rejects the token": ("did not go through", 7),
    "The token expires": ("did not go through", 7),
    "HQ is down": ("Something went wrong", 2),
    "The session is lost": ("Something went wrong", 1),
}


def expect_failed_step(banking: BankingPage, switch: str) -> None:
    message, step = BROKEN[switch]
    banking.expect_message(message)
    failed = banking.page.locator(f"#sequence .row[data-step='{step}'][data-state=failed]").last
    expect(failed.locator(".why"), switch).not_to_be_empty()
    expect(banking.outlet.get_by_role("button", name="Cancel"), switch).to_be_enabled()
    assert (8, "ok") not in banking.steps(), switch
    banking.set_switch(switch, on=False)


def test_switch_of_hq_shows_a_message_and_the_failed_step(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardSsr")
    for switch in BROKEN:
        banking.set_switch(switch)
        banking.submit_code()
        expect_failed_step(banking, switch)
        banking.start("Log in")
    banking.verify()
    banking.expect_outcome("complete")


def test_login_succeeds_after_each_failure_of_hq(open_banking: OpenBanking) -> None:
    banking = open_banking("RedirectCsr")
    banking.go_to_provider()
    for switch in BROKEN:
        banking.set_switch(switch)
        banking.outlet.get_by_role("button", name="Approve").click()
        expect_failed_step(banking, switch)
        banking.outlet.get_by_role("button", name="Try again").click()
    banking.outlet.get_by_role("button", name="Approve").click()
    banking.expect_outcome("complete")


# By switch: the message that the page shows.
PROVIDER_BROKEN = {
    "The provider denies": "You did not confirm it.",
    "Another user": "You signed in there as someone else.",
    "The provider is down": "cannot be reached",
    "The provider is slow": "cannot be reached",
}


def test_login_succeeds_after_each_failure_of_the_provider(open_banking: OpenBanking) -> None:
    banking = open_banking("RedirectCsr")
    failed = banking.page.locator("#sequence .row[data-state=failed]")
    expect(banking.outlet.get_by_role("button", name="Continue")).to_be_enabled()
    for switch, message in PROVIDER_BROKEN.items():
        before = failed.count()
        banking.set_switch(switch)
        banking.outlet.get_by_role("button", name=re.compile("Continue|Try again")).click()
        if "cannot be reached" not in message:
            banking.outlet.get_by_role("button", name="Approve").click()
        # The extension waits 10 s for its provider.
        banking.expect_message(message, within=20)
        expect(failed.nth(before), switch).to_be_attached()
        assert (2, "ok") not in banking.steps(), switch
        banking.set_switch(switch, on=False)
    banking.outlet.get_by_role("button", name="Try again").click()
    banking.outlet.get_by_role("button", name="Approve").click()
    banking.expect_outcome("complete")


def test_ssr_page_with_provider_down_shows_a_message(open_banking: OpenBanking) -> None:
    banking = open_banking("RedirectSsr", {"workflow": "login", "switch": "down"})
    banking.expect_message("cannot be reached")
    banking.set_switch("The provider is down", on=False)
    banking.outlet.get_by_role("button", name="Try again").click()
    banking.outlet.get_by_role("button", name="Approve").click()
    banking.expect_outcome("complete")


def test_edited_mfa_info_reaches_the_extension(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    banking.page.get_by_label("Approve a transaction").check()
    banking.page.get_by_text("What mfa_info holds").click()
    banking.page.get_by_label("transaction_ids").fill("7, 8, 9")
    banking.page.get_by_label("registration_value").fill("")
    banking.press_start()
    expect(banking.outlet.locator("main")).to_contain_text("3 transactions: 7, 8, 9")
    expect(banking.page.get_by_role("heading", name="Authenticator app")).to_be_hidden()
    banking.submit_code("123456")
    banking.expect_message("not registered")


def test_token_of_another_browser_session_is_rejected(open_banking: OpenBanking) -> None:
    mine, other = open_banking("StandardCsr", alone=True), open_banking("StandardCsr")
    tokens: list[str] = []
    mine.page.on(
        "request",
        lambda request: (
            tokens.append(request.post_data_json["token"]) if request.url.endswith("/verify") else None
        ),
    )
    mine.verify()
    mine.expect_outcome("complete")
    other.expect_outcome("open")
    assert other.steps() == [(step, "ahead") for step in range(1, 9)]
    # The token is valid in its own session only.
    refused = other.frame.evaluate(
        "token => tecton.actions.verifyMFA({ token }).then(() => 'resolved', () => 'rejected')",
        tokens[0],
    )
    assert refused == "rejected"
    other.expect_outcome("refused")


# ---- the bridge -----------------------------------------------------------------------------------------


def test_outlet_has_no_cookie_and_no_challenge_id(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardSsr")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_visible()
    seen = banking.frame.evaluate(
        "() => [document.cookie, document.documentElement.outerHTML, location.href, JSON.stringify(sessionStorage)]"
    )
    challenge = re.search(r"/challenges/([\w-]+)/", banking.page.locator("#qr").get_attribute("src") or "")
    assert challenge
    assert challenge[1] not in "".join(seen)
    assert seen[0] == ""


def test_bridge_ignores_message_from_provider(open_banking: OpenBanking) -> None:
    banking = open_banking("RedirectCsr")
    banking.go_to_provider()
    # The outlet shows the provider now, whose messages the bridge must ignore.
    ask = "{tecton: {id: 1, kind: 'actions', name: 'verifyMFA', argument: {exit: true}}}"
    banking.frame.evaluate(f"() => parent.postMessage({ask}, '*')")
    banking.outlet.get_by_role("button", name="Approve").click()
    banking.expect_outcome("complete")


def test_extension_page_ignores_message_from_itself(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    forged = """async () => {
        for (let id = 1; id < 50; id += 1) postMessage({ tecton: { id, value: { data: 'forged' } } }, '*');
        const { data } = await tecton.sources.requestExtensionData({ route: 'default', body: {} });
        return data;
    }"""
    assert banking.frame.evaluate(forged)["purpose"]["signing_in"] is True


def test_bridge_runs_known_actions_and_names_unknown_ones(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardCsr")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    banking.frame.evaluate("() => tecton.actions.setTitle('One more step')")
    expect(banking.page.get_by_text("One more step")).to_be_visible()
    banking.frame.evaluate("() => tecton.actions.setFetching(true)")
    expect(banking.page.locator("#fetching")).to_be_visible()
    banking.frame.evaluate("() => tecton.actions.showModal({ title: 'Careful', message: 'Read this.' })")
    expect(banking.page.get_by_role("dialog", name="Careful")).to_contain_text("Read this.")
    banking.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    with banking.page.expect_console_message(lambda message: "orderPizza" in message.text) as warning:
        assert banking.frame.evaluate("() => typeof tecton.actions.orderPizza") == "undefined"
    assert warning.value.text == "q2mfa preview has no tecton.actions.orderPizza"
    body = banking.frame.evaluate(
        "() => tecton.sources.requestExtensionData({ route: 'submit', body: '{}' }).catch((error) => error.message)"
    )
    assert "plain object" in body


# ---- reload -------------------------------------------------------------------------------------------------


def test_outlet_reloads_when_a_file_changes(
    tmp_path: Path, new_context: Callable[..., BrowserContext]
) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, "StandardSsr")
    extension = workspace / "StandardSsr" / "extension.py"
    original = extension.read_text("utf-8")
    with start_preview(workspace, "StandardSsr") as preview:
        banking = BankingPage(new_context().new_page(), preview.url)
        banking.page.evaluate("window.marker = 'the same page'")
        heading = banking.outlet.get_by_role("heading")
        expect(heading).to_have_text("Confirm it is you")

        template = workspace / "StandardSsr" / "templates" / "index.html.jinja2"
        title = '<h1 data-text="title">Confirm it is you</h1>'
        template.write_text(template.read_text("utf-8").replace(title, "<h1>Is it you?</h1>"))
        expect(heading).to_have_text("Is it you?")

        extension.write_text(
            original.replace('"audit_action_name", None', '"audit_action_name", "A new route"')
        )
        expect(banking.outlet.locator("main")).to_contain_text("You are confirming: A new route")

        extension.write_text("class Broken(\n")
        expect(heading).to_have_text("The extension cannot be imported")
        expect(banking.outlet.locator("main")).to_contain_text("StandardSsr/extension.py:1")

        extension.write_text(original)
        expect(heading).to_have_text("Is it you?")
        banking.verify()
        banking.expect_outcome("complete")
        assert banking.page.evaluate("window.marker") == "the same page"


@pytest.mark.parametrize(
    ("name", "workflows"), [("StandardSsr", list(WORKFLOWS)), ("StandardCsr", ["Approve a transaction"])]
)
def test_code_lands_on_the_phone_and_completes_each_workflow(
    name: str, workflows: list[str], tmp_path: Path, new_context: Callable[..., BrowserContext]
) -> None:
    workspace = make_workspace(tmp_path / "workspace")
    create_variant(workspace, name, "--factor", "message")
    with start_preview(workspace, name) as preview:
        banking = BankingPage(new_context().new_page(), preview.url)
        message = banking.page.locator("#messages li")
        for workflow in workflows:
            if workflow != "Log in":
                banking.start(workflow)
            expect(message).to_have_count(0)
            expect(banking.page.get_by_role("heading", name="Authenticator app")).to_be_hidden()
            banking.outlet.get_by_role("button", name="Send a code").click()
            expect(message).to_contain_text("is your code to")
            code = re.search(r"(\d{6}) is your code", message.inner_text())
            assert code
            banking.outlet.get_by_label("6-digit code").fill(code[1])
            banking.outlet.get_by_role("button", name="Confirm").click()
            banking.expect_outcome("complete")
            assert code[1] not in banking.page.locator("#sequence").inner_text()


def test_page_of_stopped_preview_says_so(variants: Path, new_context: Callable[..., BrowserContext]) -> None:
    with start_preview(variants, "RedirectSsr") as preview:
        banking = BankingPage(new_context().new_page(), preview.url)
        banking.go_to_provider()
        assert preview.interrupt() == (0, "Stopped.\n", "")
        expect(banking.page.locator("#outcome")).to_contain_text("The preview was stopped.")


# ---- accessibility --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe() -> str:
    node.install()
    return (node.WEB / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(axe: str, frame: Frame) -> list[str]:
    """Violations that axe-core finds in *frame* alone."""
    if frame.evaluate("typeof axe") == "undefined":
        frame.evaluate(f"() => {{ {axe} }}")
    # A server-side rendered page stands inside the SDK's form, which is a landmark. The page cannot change that.
    # At forced colors, the colors are the user's: axe measures those that the page asked for.
    forced = frame.evaluate("matchMedia('(forced-colors: active)').matches")
    rules = {
        "landmark-main-is-top-level": {"enabled": frame.query_selector("form.sdk-form") is None},
        "color-contrast": {"enabled": not forced},
    }
    passed, found = frame.evaluate(
        """async (rules) => {
            const options = { iframes: false, rules, resultTypes: ["violations"], preload: false };
            const { passes, violations } = await axe.run(document, options);
            return [passes.length, violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)];
        }""",
        rules,
    )
    assert passed > 10
    return [str(each) for each in found]


def violations_in_both_schemes(axe: str, banking: BankingPage) -> Iterator[str]:
    """Violations in the current state: light on a desktop, and dark on a phone."""
    for scheme, width in (("light", 1280), ("dark", 400)):
        banking.page.emulate_media(color_scheme=scheme)
        banking.page.set_viewport_size({"width": width, "height": 900})
        for frame in (banking.page.main_frame, banking.frame):
            yield from (f"{scheme}, {width}: {each}" for each in violations(axe, frame))
        # No horizontal scrolling (WCAG 1.4.10).
        if banking.page.evaluate("document.documentElement.scrollWidth") > width:
            yield f"{scheme}, {width}: wider than the window"


# tests/generated/test_pages_looks.py shows the pages of both renderings in more states.
@pytest.mark.node
@pytest.mark.parametrize("name", ["StandardSsr", "RedirectCsr"])
def test_axe_finds_no_violation(name: str, axe: str, open_banking: OpenBanking) -> None:
    # A moving element has no color to measure.
    banking = open_banking(name, reduced_motion="reduce")
    banking.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    banking.page.get_by_role("button", name="Add an attribute").click()
    expect(banking.outlet.get_by_role("button", name=re.compile("Confirm|Continue"))).to_be_enabled()
    found = [*violations_in_both_schemes(axe, banking)]
    if name in STANDARD:
        banking.submit_code("abcdef")
        banking.expect_message("Type all 6 digits of the code.")
    else:
        banking.go_to_provider()
        found += violations_in_both_schemes(axe, banking)
        banking.outlet.get_by_role("button", name="Deny").click()
        banking.expect_message("You did not confirm it.")
    found += violations_in_both_schemes(axe, banking)
    banking.start("Log in")
    banking.verify()
    banking.expect_outcome("complete")
    found += violations_in_both_schemes(axe, banking)
    assert found == []


@pytest.mark.node
def test_axe_finds_no_violation_at_forced_colors_and_over_a_failure(
    axe: str, open_banking: OpenBanking
) -> None:
    banking = open_banking("StandardSsr", reduced_motion="reduce", forced_colors="active")
    banking.set_switch("HQ is down")
    banking.submit_code()
    banking.expect_outcome("failed")
    banking.page.evaluate(SHOW_FAILURE)
    expect(banking.page.locator("#failure")).to_be_visible()
    assert [*violations_in_both_schemes(axe, banking)] == []
    # The two states of a switch differ by more than color.
    on, off = (
        banking.page.get_by_role("switch", name=name).evaluate(
            "(it) => getComputedStyle(it, '::after').translate"
        )
        for name in ("HQ is down", "The session is lost")
    )
    assert on != off


@pytest.mark.node
@pytest.mark.parametrize("name", ["StandardCsr", "RedirectSsr"])
def test_axe_finds_no_violation_in_any_theme(name: str, axe: str, open_banking: OpenBanking) -> None:
    banking = open_banking(name, reduced_motion="reduce")
    expect(banking.outlet.get_by_role("button", name=re.compile("Confirm|Continue"))).to_be_enabled()
    select = banking.page.get_by_label("Theme")
    themes = select.locator("option").evaluate_all("(options) => options.map(({ value }) => value)")
    assert len(themes) == 4
    contrast = banking.page.get_by_label("Contrast")
    for theme, chosen in [*((theme, "") for theme in themes), *itertools.product(themes[:2], CONTRASTS)]:
        select.select_option(theme)
        contrast.select_option(chosen)
        wanted = f"{f'&theme={theme}' if theme != 'tecton' else ''}{chosen and f'&contrast={chosen}'}$"
        expect(banking.page).to_have_url(re.compile(r"\?workflow=\w+" + wanted))
        background = SHOWN.get((theme, chosen))
        if background:
            expect(banking.outlet.locator("body")).to_have_css("background-color", background)
        assert violations(axe, banking.frame) == [], (theme, chosen)


CONTRASTS = ["more", "forced"]
# What shows that a theme has arrived in the page.
SHOWN = {
    ("dark", ""): "rgb(26, 26, 26)",
    ("dark", "more"): "rgb(0, 0, 0)",
    ("tecton", "more"): "rgb(255, 255, 255)",
    ("tecton", "forced"): "rgb(18, 18, 18)",
}


SHOW_FAILURE = """async () => {
    const frame = document.querySelector('#outlet');
    const id = frame.dataset.challenge;
    const body = JSON.stringify({ kind: 'TypeError', message: 'made up', url: '', line: 0, frames: ['a', 'b'] });
    await fetch(`/api/challenges/${id}/failures`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
}"""


def test_code_stands_beside_its_field_on_a_phone(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardSsr", viewport={"width": 400, "height": 700})
    banking.passcode()
    field = banking.outlet.get_by_label("6-digit code")
    field.scroll_into_view_if_needed()
    for part in (banking.page.locator("#passcode"), banking.page.locator("#copy-passcode"), field):
        expect(part).to_be_in_viewport(ratio=1)


def test_challenge_completes_by_keyboard(open_banking: OpenBanking) -> None:
    banking = open_banking("StandardSsr")
    keyboard = banking.page.keyboard
    # The page in the outlet takes the focus once, when it is ready.
    expect(banking.outlet.get_by_label("6-digit code")).to_be_focused()
    banking.page.locator("#workflow-login").focus()
    keyboard.press("ArrowDown")
    expect(banking.page.locator("#workflow-transaction")).to_be_checked()
    while banking.page.evaluate("document.activeElement.textContent.trim()") != "Start":
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(banking.outlet.locator("main")).to_contain_text("1001, 1002")
    expect(banking.outlet.get_by_label("6-digit code")).to_be_focused()
    keyboard.type(banking.passcode())
    keyboard.press("Enter")
    banking.expect_outcome("complete")
