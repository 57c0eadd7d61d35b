"""The generated pages in five brandings of Tecton's theme and on three widths: accessible, and never too wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import node
import pytest
from playwright.sync_api import Browser, Page, expect
from scripted_pages import AUTHORIZE, MESSAGE, TOKEN, ScriptedPage

pytestmark = [pytest.mark.browser, pytest.mark.node]

WIDTHS = (320, 400, 1280)
BRANDINGS: dict[str, dict[str, str]] = {
    "base": {},
    "green": {"--t-primary": "#1b5e20", "--t-primary-text": "#ffffff"},
    "bright green": {"--t-primary": "#63c93f", "--t-primary-text": "#0d0d0d"},
    "dark": {
        "--t-base": "#161616",
        "--t-base-gray1": "#222222",
        "--t-text": "#e6e6e6",
        "--t-a11y-gray-color-AA": "#8c8c8c",
        "--t-gray-12": "#3a3a3a",
        "--t-primary": "#b39ddb",
        "--t-primary-text": "#161616",
    },
    "round": {"--app-border-radius-1": "24px", "--t-font-family": "Georgia, serif"},
}


SENT = {"resolve": {"data": {"sent_to": "•••• 1234", "seconds": 300, "resend_seconds": 30}}}


def rejected(code: str) -> dict[str, Any]:
    return {"reject": {"data": {"code": code}, "status": 400, "statusText": "Bad Request"}}


def type_code(page: ScriptedPage) -> None:
    page.type("123456")


def press_main(page: ScriptedPage) -> None:
    page.main.click()


def send_and_type(page: ScriptedPage) -> None:
    page.main.click()
    expect(page.field).to_be_focused()
    type_code(page)


def nothing(page: ScriptedPage) -> None:
    pass


MANY = {"signing_in": False, "transactions": [str(1001 + n) for n in range(60)], "action": None}
LONG = {"signing_in": False, "transactions": [], "action": "ChangeEmailAddress" * 200}
NEVER = {"submit": [{"never": True}], "start": [{"never": True}], "token_handler": [{"never": True}]}

# By name: the page, what it is given, what the customer does, and the state that it ends in.
STATES: dict[str, tuple[str, str, dict[str, Any], Callable[[ScriptedPage], None], str]] = {
    "code, ready": ("standard", "ssr", {}, nothing, "ready"),
    "code, ready, client": ("standard", "csr", {}, nothing, "ready"),
    "code, checking": ("standard", "csr", {"answers": NEVER}, type_code, "busy"),
    "code, wrong": (
        "standard",
        "ssr",
        {"answers": {"submit": [rejected("wrong_passcode")]}},
        type_code,
        "error",
    ),
    "code, locked": ("standard", "csr", {"answers": {"submit": [rejected("locked")]}}, type_code, "failed"),
    "code, not registered": (
        "standard",
        "ssr",
        {"answers": {"submit": [rejected("not_registered")]}},
        type_code,
        "final",
    ),
    "code, confirmed": ("standard", "ssr", {"answers": {"submit": [{"resolve": TOKEN}]}}, type_code, "done"),
    "code, many transactions": (
        "standard",
        "csr",
        {"purpose": MANY},
        lambda page: page.purpose.locator("summary").click(),
        "ready",
    ),
    "code, long action": ("standard", "ssr", {"purpose": LONG, "language": "pt-BR"}, nothing, "ready"),
    "code, not connected": ("standard", "ssr", {"broken": {"q2-tecton-sdk": 500}}, nothing, "failed"),
    "message, ready": (MESSAGE, "csr", {}, nothing, "ready"),
    "message, sending": (MESSAGE, "ssr", {"answers": NEVER}, press_main, "busy"),
    "message, sent": (MESSAGE, "ssr", {"answers": {"submit": [SENT]}}, press_main, "ready"),
    "message, just sent": (
        MESSAGE,
        "csr",
        {"answers": {"submit": [rejected("sent_just_now")]}, "language": "es-MX"},
        press_main,
        "error",
    ),
    "message, wrong": (
        MESSAGE,
        "csr",
        {"answers": {"submit": [SENT, rejected("wrong_passcode")]}},
        send_and_type,
        "error",
    ),
    "message, not set up": (
        MESSAGE,
        "ssr",
        {"answers": {"submit": [rejected("not_configured")]}},
        press_main,
        "final",
    ),
    "code, no script": ("standard", "csr", {"broken": {"index.js": 404}}, nothing, "failed"),
    "provider, ready": ("redirect", "ssr", {}, nothing, "ready"),
    "provider, ready, client": ("redirect", "csr", {"purpose": LONG, "language": "zh-TW"}, nothing, "ready"),
    "provider, leaving": ("redirect", "csr", {"answers": NEVER}, press_main, "busy"),
    "provider, unavailable": (
        "redirect",
        "ssr",
        {"start": {"code": "provider_unavailable"}},
        nothing,
        "failed",
    ),
    "provider, not linked": ("redirect", "ssr", {"start": {"code": "not_linked"}}, nothing, "final"),
    "back, checking": ("redirect", "csr", {"verify_page": True, "answers": NEVER}, nothing, "busy"),
    "back, wrong user": (
        "redirect",
        "csr",
        {"verify_page": True, "answers": {"token_handler": [rejected("wrong_user")]}},
        nothing,
        "failed",
    ),
    "back, confirmed": ("redirect", "csr", {"verify_page": True}, nothing, "done"),
}


@pytest.fixture(scope="module")
def theme() -> str:
    """Tecton's base theme."""
    node.install()
    return (node.WEB / "node_modules/q2-tecton-theme/dist/q2-tecton-theme.css").read_text("utf-8")


@pytest.fixture(scope="module")
def axe() -> str:
    node.install()
    return (node.WEB / "node_modules/axe-core/axe.min.js").read_text("utf-8")


@pytest.fixture
def shown(request: pytest.FixtureRequest, browser: Browser) -> Iterator[ScriptedPage]:
    """A page in the state that the test's parameter names."""
    mfa, rendering, options, act, state = STATES[request.param]
    with closing(ScriptedPage(browser, mfa, rendering, **options)) as page:
        if act is not nothing:
            expect(page.main).to_be_enabled()
            act(page)
        expect(page.page.locator("#mfa")).to_have_attribute("data-state", state)
        yield page


def put_on(page: Page, theme: str, branding: Mapping[str, str], dark: bool) -> None:
    """Inject the theme as Tecton does, and what the bank changes of it."""
    changes = ":root{" + "".join(f"{name}: {value};" for name, value in branding.items()) + "}"
    page.evaluate(
        """([css, scheme]) => {
            const style = document.querySelector("#theme") ?? document.createElement("style");
            style.id = "theme";
            style.textContent = css;
            document.head.prepend(style);
            document.documentElement.dataset.prefersColorScheme = scheme;
        }""",
        [theme + changes, "dark" if dark else "light"],
    )


# What a branding can break: it changes colors, fonts and corners.
OF_COLORS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def violations(page: Page, axe: str, only: Mapping[str, Any] | None = None) -> list[str]:
    """Return what axe-core finds. *only* selects rules."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(f"() => {{ {axe} }}")
    # HTML allows `main` in a form without a name; the SDK's form says role="form", to which axe objects.
    is_whole = page.locator(".sdk-form").count() == 0
    rules = only or {"rules": {"landmark-main-is-top-level": {"enabled": is_whole}}}
    passed, found = page.evaluate(
        """async (rules) => {
            const { passes, violations } = await axe.run(document, { ...rules, resultTypes: ["violations"], preload: false });
            return [passes.length, violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)];
        }""",
        rules,
    )
    assert passed > (0 if only else 10)
    return [str(each) for each in found]


@pytest.mark.parametrize("shown", STATES, indirect=True)
def test_state_is_accessible_and_fits_in_every_branding(shown: ScriptedPage, theme: str, axe: str) -> None:
    found = []
    for name, branding in BRANDINGS.items():
        put_on(shown.page, theme, branding, name == "dark")
        for width in WIDTHS:
            shown.page.set_viewport_size({"width": width, "height": 800})
            # Colors do not depend on the width, nor the structure on the branding.
            if width == WIDTHS[0] or name == "base":
                only = None if name == "base" else OF_COLORS
                found += [f"{name}, {width}: {each}" for each in violations(shown.page, axe, only)]
            wide = shown.page.evaluate("document.documentElement.scrollWidth")
            found += [f"{name}, {width}: {wide} px wide"] if wide > width else []
    assert found == []


def contrast(first: str, second: str) -> float:
    """Of two computed colors (WCAG 2.2, relative luminance)."""

    def luminance(color: str) -> float:
        red, green, blue = (int(part) / 255 for part in color.strip("rgb()").split(",")[:3])
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("shown", ["code, ready", "code, wrong"], indirect=True)
def test_controls_have_an_edge_in_every_branding(shown: ScriptedPage, theme: str) -> None:
    for name, branding in BRANDINGS.items():
        put_on(shown.page, theme, branding, name == "dark")
        background = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        for part in ("main", "cancel"):
            style = f"getComputedStyle(document.querySelector('[data-part={part}]'))"
            edge, width = shown.page.evaluate(f"[{style}.borderTopColor, {style}.borderTopWidth]")
            assert contrast(edge, background) >= 3 and width == "1px", (name, part)
        colors = shown.page.evaluate(
            "['color', 'backgroundColor'].map((name) => getComputedStyle(document.querySelector('[data-part=main]'))[name])"
        )
        if {"--t-primary", "--t-primary-text"} <= branding.keys():
            expected = [branding["--t-primary-text"], branding["--t-primary"]]
            assert colors == [f"rgb({', '.join(str(b) for b in bytes.fromhex(c[1:]))})" for c in expected]


@pytest.mark.parametrize("shown", ["code, ready"], indirect=True)
def test_dark_follows_tecton_and_not_the_system(shown: ScriptedPage, theme: str) -> None:
    shown.page.emulate_media(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert shown.page.evaluate(background) == "rgb(255, 255, 255)"
    put_on(shown.page, theme, BRANDINGS["dark"], True)
    shown.page.emulate_media(color_scheme="light")
    assert shown.page.evaluate(background) == "rgb(22, 22, 22)"


@pytest.mark.parametrize("shown", ["code, wrong", "provider, ready"], indirect=True)
def test_page_can_be_used_in_forced_colors(shown: ScriptedPage, axe: str) -> None:
    shown.page.emulate_media(forced_colors="active")
    for part in ("main", "cancel"):
        style = f"getComputedStyle(document.querySelector('[data-part={part}]'))"
        border = shown.page.evaluate(f"[{style}.borderTopStyle, {style}.borderTopWidth, {style}.opacity]")
        assert border == ["solid", "1px", "1"]
    shown.cancel.focus()
    shown.page.keyboard.press("Shift+Tab")
    outline = shown.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    assert violations(shown.page, axe) == []


@pytest.mark.parametrize("shown", ["provider, ready"], indirect=True)
def test_page_works_by_keyboard(shown: ScriptedPage) -> None:
    shown.page.keyboard.press("Tab")
    expect(shown.main).to_be_focused()
    shown.page.keyboard.press("Tab")
    expect(shown.cancel).to_be_focused()
    shown.page.keyboard.press("Shift+Tab")
    shown.page.keyboard.press("Enter")
    shown.page.wait_for_url(AUTHORIZE)
