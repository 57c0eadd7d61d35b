"""The fake of Tecton's SDK in an extension's page: theme, texts, rejections and MFA for other extensions."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from banking_page import BankingPage
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

OpenBanking = Callable[..., BankingPage]


@pytest.fixture
def banking(open_banking: OpenBanking) -> BankingPage:
    """A page that is connected."""
    opened = open_banking("StandardCsr")
    expect(opened.outlet.get_by_role("button", name="Cancel")).to_be_enabled()
    return opened


def custom_property(banking: BankingPage, name: str) -> str:
    script = "(name) => getComputedStyle(document.documentElement).getPropertyValue(name)"
    return str(banking.frame.evaluate(script, name))


def test_page_gets_the_properties_of_the_theme(banking: BankingPage) -> None:
    assert custom_property(banking, "--t-primary") == "#6a4a9e"
    assert custom_property(banking, "--app-scale-12x") == "60px"
    assert custom_property(banking, "--const-focus-color") == "#0066cc"


def test_theme_follows_tecton_and_not_the_operating_system(banking: BankingPage) -> None:
    banking.page.emulate_media(color_scheme="dark")
    assert custom_property(banking, "--t-base") == "#ffffff"
    banking.page.get_by_label("Theme").select_option("dark")
    expect(banking.outlet.locator("html[data-prefers-color-scheme=dark]")).to_be_attached()
    assert custom_property(banking, "--t-base") == "#1a1a1a"


def test_language_callback_is_called_for_another_language_only(banking: BankingPage) -> None:
    banking.frame.evaluate(
        "() => { window.calls = 0; tecton.sources.languageChanged(() => { window.calls += 1; }); }"
    )
    banking.page.get_by_label("Theme").select_option("dark")
    expect(banking.outlet.locator("html[data-prefers-color-scheme=dark]")).to_be_attached()
    banking.page.get_by_label("Language").select_option("es-MX")
    banking.frame.wait_for_function("() => window.calls > 0")
    assert banking.frame.evaluate("window.calls") == 1


MESSAGES = {
    "plain": "A text",
    "name": "Hello {name}, {missing}",
    "plural": "{count, plural, =0 {none} one {# item of {name}} other {# items}} left",
    "select": "{kind, select, a {first} other {second}}",
    "quoted": "It''s '{name}' in '{'braces'}'",
    "open": "an open '{quote",
    "broken": "{count, plural, one {",
}


LOC = [
    ("plain", {}, "A text"),
    ("name", {"name": "Ada"}, "Hello Ada, {missing}"),
    ("plural", {"count": 0}, "none left"),
    ("plural", {"count": 1, "name": "Ada"}, "1 item of Ada left"),
    ("plural", {"count": 1200}, "1,200 items left"),
    ("select", {"kind": "a"}, "first"),
    ("select", {"kind": "b"}, "second"),
    ("quoted", {"name": "Ada"}, "It's {name} in {braces}"),
    ("open", {}, "an open {quote"),
    ("broken", {"count": 1}, ""),
    ("nowhere", {}, None),
]


def test_loc_formats_icu_messages(banking: BankingPage) -> None:
    for language in ("es-MX", "en-US"):
        banking.page.route(f"**/languages/{language}.json", lambda route: route.fulfill(json=MESSAGES))
        banking.frame.evaluate(
            "() => { window.changed = false; tecton.sources.languageChanged(() => { window.changed = true; }); }"
        )
        banking.page.get_by_label("Language").select_option(language)
        banking.frame.wait_for_function("() => window.changed")
    script = "([key, values]) => tecton.sources.loc(key, values)"
    for key, values, text in LOC:
        assert banking.frame.evaluate(script, [key, values]) == text, (key, values)


def test_rejected_request_is_a_plain_object(banking: BankingPage) -> None:
    script = """() => tecton.sources.requestExtensionData({ route: 'submit', body: { passcode: 'x' } })
        .catch((error) => [error instanceof Error, Object.keys(error).sort(), JSON.stringify(error)])"""
    is_error, keys, text = banking.frame.evaluate(script)
    assert (is_error, keys) == (False, ["data", "status", "statusText"])
    assert json.loads(text)["status"] == 400


@pytest.mark.parametrize(("button", "outcome"), [("MFA succeeds", "resolved"), ("MFA fails", "rejected")])
def test_prompt_for_mfa_ends_as_chosen(button: str, outcome: str, banking: BankingPage) -> None:
    banking.frame.evaluate(
        """() => { window.prompted = tecton.sources.promptForMFA({ message: 'Prove it.' })
            .then(() => 'resolved', () => 'rejected'); }"""
    )
    dialog = banking.page.get_by_role("dialog", name="An extension asks for MFA")
    expect(dialog).to_contain_text("Prove it.")
    dialog.get_by_role("button", name=button).click()
    assert banking.frame.evaluate("() => window.prompted") == outcome
