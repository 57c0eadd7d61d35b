"""The preview's page: themes, width, what its address keeps, configuration, exports, and saving while someone types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from banking_page import BankingPage
from playwright.sync_api import expect
from preview_process import PreviewProcess, create_variant, make_workspace, start_preview

pytestmark = pytest.mark.browser

NAME = "StandardCsr"
BIG = "9007199254740993"  # JavaScript's numbers do not have it


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_workspace(tmp_path_factory.mktemp("stage") / "workspace")
    create_variant(workspace, NAME)
    (workspace / "bank.css").write_text(":root { --t-primary: #112233; }")
    return workspace


@pytest.fixture(scope="module")
def preview(workspace: Path) -> Iterator[PreviewProcess]:
    with start_preview(workspace, NAME, "--theme", str(workspace / "bank.css")) as started:
        yield started


@pytest.fixture
def open_page(preview: PreviewProcess, open_url: Callable[..., BankingPage]) -> Callable[..., BankingPage]:
    return lambda query="": open_url(preview.url + query)


OpenPage = Callable[..., BankingPage]


def expect_primary(banking: BankingPage, color: str) -> None:
    button = banking.outlet.get_by_role("button", name="Confirm")
    expect(button).to_be_enabled()
    expect(button).to_have_css("background-color", color)


def test_theme_of_the_bank_is_shown_and_changes_with_its_file(open_page: OpenPage, workspace: Path) -> None:
    banking = open_page()
    expect_primary(banking, "rgb(17, 34, 51)")
    (workspace / "bank.css").write_text(":root { --t-primary: #445566; }")
    expect_primary(banking, "rgb(68, 85, 102)")
    banking.page.get_by_label("Theme").select_option("tecton")
    expect_primary(banking, "rgb(106, 74, 158)")
    banking.page.get_by_label("Theme").select_option("bright")
    expect_primary(banking, "rgb(99, 201, 63)")
    (workspace / "bank.css").write_text(":root { --t-primary: #112233; }")


def test_link_shows_the_same_again(open_page: OpenPage) -> None:
    banking = open_page()
    page = banking.page
    page.get_by_label("Language").select_option("es-MX")
    page.get_by_label("Theme").select_option("round")
    page.get_by_label("Width").select_option("320")
    page.get_by_label("Motion").select_option("reduced")
    banking.set_switch("HQ is down")
    page.get_by_text("What mfa_info holds").click()
    page.get_by_label("Approve a transaction").check()
    page.get_by_label("transaction_ids").fill(f"7, {BIG}")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(banking.outlet.locator("main")).to_contain_text(f"7, {BIG}")
    address = parse_qs(urlsplit(page.url).query)
    assert "registration_value" not in page.url
    assert (address["workflow"], address["switch"]) == (["transaction"], ["hq_down"])

    again = open_page(f"/?{urlsplit(page.url).query}")
    expect(again.outlet.locator("main")).to_contain_text(f"7, {BIG}")
    expect(again.outlet.locator("html")).to_have_attribute("lang", "es-MX")
    expect(again.outlet.locator("html")).to_have_attribute("data-prefers-motion", "reduced")
    expect(again.page.get_by_label("Theme")).to_have_value("round")
    expect(again.page.get_by_role("switch", name="HQ is down")).to_be_checked()
    assert again.page.locator("#bank").evaluate("(bank) => bank.clientWidth") <= 320


@pytest.fixture
def default_readings(preview: PreviewProcess) -> Iterator[None]:
    """Give the run its default readings once the test has ended."""
    yield
    assert preview.call("readings", {}, "PUT").ok


@pytest.mark.usefixtures("default_readings")
def test_link_keeps_the_readings_and_every_page_of_the_run_follows(open_page: OpenPage) -> None:
    banking, other = open_page(), open_page("/?workflow=patrol")
    reading = "tecton.sources.loc:"
    for each in (banking, other):
        each.page.get_by_text("What Q2 does not document").click()
    with other.page.expect_response("**/outlet"):
        banking.page.get_by_label(reading).select_option("absent")
    for each in (banking, other):
        expect(each.page.get_by_label(reading)).to_have_value("absent")
        expect(each.page.get_by_text("1 changed")).to_be_visible()
        expect(each.page).to_have_url(re.compile("&reading.loc=absent"))
        expect(each.outlet.get_by_label("6-digit code")).to_be_enabled()
        assert each.frame.evaluate("typeof tecton.sources.loc") == "undefined"
    link = urlsplit(other.page.url).query
    # Another link has its own readings: what it does not name is read by the default.
    strict = open_page("/?workflow=login&reading.verify_mfa=sources&reading.pizza=1")
    expect(strict.outlet.get_by_label("6-digit code")).to_be_enabled()
    assert (
        strict.frame.evaluate("[typeof tecton.sources.loc, typeof tecton.sources.verifyMFA]")
        == ["function"] * 2
    )
    again = open_page(f"/?{link}")
    expect(again.outlet.get_by_label("6-digit code")).to_be_enabled()
    assert again.frame.evaluate("[typeof tecton.sources.loc, typeof tecton.actions.verifyMFA]") == [
        "undefined",
        "function",
    ]
    # The start page shows the run as it is.
    bare = open_page()
    expect(bare.page).to_have_url(re.compile("reading.loc=absent"))


MEDIA = """() => {
    const style = document.createElement("style");
    style.textContent = `
        @media (prefers-reduced-motion: reduce) { h1 { letter-spacing: 1px; } }
        @supports (color: red) { @media (width > 1px) and (prefers-contrast: more) { h1 { word-spacing: 2px; } } }
        @media (forced-colors) { h1 { text-indent: 3px; } }
        @media not (prefers-reduced-motion) { h1 { line-height: 40px !important; } }`;
    document.head.append(style);
    window.seen = () => {
        const { letterSpacing, wordSpacing, textIndent, lineHeight, color } = getComputedStyle(document.querySelector("h1"));
        const queries = ["(prefers-reduced-motion: reduce)", "(prefers-contrast: more)", "(forced-colors: active)"];
        return [letterSpacing === "1px", wordSpacing === "2px", textIndent === "3px", lineHeight !== "40px", color,
            ...queries.map((query) => matchMedia(query).matches)];
    };
}"""


def test_contrast_and_motion_are_emulated_in_the_page(open_page: OpenPage) -> None:
    banking = open_page()
    page, frame = banking.page, banking.frame
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    frame.evaluate(MEDIA)
    grey, black, white = "rgb(77, 77, 77)", "rgb(0, 0, 0)", "rgb(255, 255, 255)"

    def expect_seen(motion: bool, more: bool, forced: bool, color: str) -> None:
        wanted = [motion, more, forced, motion, color, motion, more, forced]
        frame.wait_for_function("(wanted) => String(seen()) === String(wanted)", arg=wanted)

    for contrast, motion, color in [
        ("", "reduced", grey),
        ("more", "reduced", black),
        ("forced", "normal", white),
        ("", "", grey),
    ]:
        page.get_by_label("Motion").select_option(motion)
        page.get_by_label("Contrast").select_option(contrast)
        expect_seen(motion == "reduced", contrast == "more", contrast == "forced", color)
        expect(page).to_have_url(re.compile(f"contrast={contrast}" if contrast else r"^(?!.*contrast)"))
    page.emulate_media(reduced_motion="reduce")
    frame.wait_for_function("() => seen()[0] && seen().at(-3)")
    page.get_by_label("Motion").select_option("normal")
    expect_seen(False, False, False, grey)


def test_any_attribute_can_be_given_in_any_workflow(open_page: OpenPage) -> None:
    banking = open_page()
    banking.page.get_by_text("What mfa_info holds").click()
    banking.page.get_by_label("audit_action_name").fill("ChangeLimits")
    banking.press_start()
    expect(banking.outlet.locator("main")).to_contain_text("ChangeLimits")
    banking.page.get_by_label("transaction_ids").fill("1")
    banking.page.get_by_role("button", name="Start", exact=True).click()
    expect(banking.page.locator("#outcome")).to_contain_text("belongs to a transaction or to Patrol")


def test_sequence_is_copied_as_mermaid(open_page: OpenPage) -> None:
    banking = open_page()
    banking.verify()
    banking.expect_outcome("complete")
    button = banking.page.locator("[data-copy=mermaid]")
    button.click()
    expect(button).to_have_text("Copied")
    copied = banking.page.evaluate("navigator.clipboard.readText()").splitlines()
    assert copied[0] == "sequenceDiagram"
    assert "    extension->>hq: 2. set_external_mfa_token" in copied
    assert not [
        line
        for line in copied[1:]
        if not re.match(r"    (participant \w+ as |\w+(->>|--x)\w+: |Note over )", line)
    ]


def test_setting_is_changed_for_this_run_only(variants: Path, open_url: Callable[..., BankingPage]) -> None:
    file = variants / "configuration" / "RedirectCsr.py"
    before = file.read_bytes()
    with start_preview(variants, "RedirectCsr") as preview:
        banking = open_url(preview.url, alone=True)
        banking.page.get_by_text("Change it for this run").click()
        error = banking.page.locator("#settings-error")
        field = banking.page.get_by_label("ACR_VALUES")
        for typed, said in [
            ("{", "ACR_VALUES is not JSON."),
            ("1", "ACR_VALUES must be a string"),
        ]:
            field.fill(typed)
            field.blur()
            expect(error).to_contain_text(said)
        field.fill('"urn:example:strong"')
        with banking.page.expect_response("**/outlet"):
            field.blur()
        expect(error).to_be_empty()
        assert "CLIENT_SECRET" not in banking.page.locator("#settings").inner_text()
        banking.go_to_provider()
        expect(banking.outlet.get_by_text("It asks for the assurance urn:example:strong.")).to_be_visible()
        link = urlsplit(banking.page.url).query
        assert parse_qs(link)["setting.ACR_VALUES"] == ['"urn:example:strong"']
        with banking.page.expect_response("**/outlet"):
            field.fill("")
            field.blur()
        expect(field).to_have_value('""')
        expect(banking.page).not_to_have_url(re.compile("setting"))
        again = open_url(f"{preview.url}/?{link}", alone=True)
        again.go_to_provider()
        expect(again.outlet.get_by_text("urn:example:strong")).to_be_visible()
        # A link of another extension: its settings are not here.
        banking.page.goto(f"{preview.url}/?workflow=login&setting.PIZZA=1")
        expect(error).to_have_text("RedirectCsr has no setting PIZZA")
        expect(error).to_be_visible()
        # The preview must not stop while the page loads.
        expect(banking.outlet.get_by_role("button", name="Cancel")).to_be_enabled()
    assert file.read_bytes() == before


def test_style_is_swapped_in_place_and_typed_text_stays(open_page: OpenPage, workspace: Path) -> None:
    banking = open_page()
    field = banking.outlet.get_by_label("6-digit code")
    expect(field).to_be_enabled()
    field.fill("12")
    # What is not used changes nothing.
    (workspace / NAME / "README.md").write_text("changed")
    (workspace / NAME / "tests" / "test_new.py").write_text("")
    (workspace / "configuration" / "Another.py").write_text("")
    style = workspace / NAME / "frontend" / "public" / "mfa.css"
    style.write_text(style.read_text() + "\nh1 { letter-spacing: 3px !important; }\n")
    expect(banking.outlet.get_by_role("heading")).to_have_css("letter-spacing", "3px")
    expect(field).to_have_value("12")


def test_save_while_typing_beside_the_outlet_keeps_the_focus(open_page: OpenPage, workspace: Path) -> None:
    banking = open_page()
    # The page in the outlet takes the focus once, when it is ready.
    expect(banking.outlet.get_by_label("6-digit code")).to_be_focused()
    banking.page.get_by_text("What mfa_info holds").click()
    typed = banking.page.get_by_label("sso_identifier")
    typed.focus()
    script = workspace / NAME / "frontend" / "public" / "index.js"
    text = script.read_text()
    banking.page.locator("#outlet").evaluate("(frame) => { frame.isOld = true; }")
    script.write_text(text + "\n")
    banking.page.wait_for_function(
        "() => { const { isOld, dataset } = document.querySelector('#outlet'); return !isOld && dataset.challenge; }"
    )
    expect(banking.outlet.get_by_label("6-digit code")).to_be_enabled()
    expect(typed).to_be_focused()
    banking.page.keyboard.type("x")
    expect(typed).to_have_value("jane.doex")
    script.write_text(text)
