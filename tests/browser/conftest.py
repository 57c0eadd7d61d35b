"""Browser sessions for the tests of the preview's page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from banking_page import BankingPage
from playwright.sync_api import Browser, BrowserContext, Page
from preview_process import PreviewProcess

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def _watch(context: BrowserContext, errors: list[str]) -> None:
    context.set_default_timeout(15_000)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on(
        "console",
        lambda message: errors.append(message.text) if "Security Policy" in message.text else None,
    )


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Separate browser sessions. An error in any of their pages fails the test."""
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def get(**options: Any) -> BrowserContext:
            context = stack.enter_context(contextlib.closing(browser.new_context(**options)))
            _watch(context, errors)
            return context

        yield get
    assert errors == []


class SharedPage:
    """A page for one test after the other: a new one costs more than most tests."""

    def __init__(self, context: BrowserContext) -> None:
        self.errors: list[str] = []
        _watch(context, self.errors)
        self._page = context.new_page()
        self._at = ""

    def open(self, url: str) -> BankingPage:
        """Open the preview at *url* in the page, as if it was new."""
        page = self._page
        page.unroute_all()
        page.emulate_media(color_scheme="null", reduced_motion="null", forced_colors="null")
        page.set_viewport_size({"width": 1280, "height": 720})
        if self._at:
            # The pages of redirect extensions use the tab's storage.
            page.goto(f"{self._at}/_cdn/none.js")
            page.evaluate("sessionStorage.clear()")
        platform = requests.get(f"{url.partition('?')[0].rstrip('/')}/api/platform", timeout=10).json()
        self._at = platform["extension_origin"] if platform["integration"] == "redirect" else ""
        return BankingPage(page, url)


@pytest.fixture(scope="module")
def shared_page(browser: Browser) -> Iterator[SharedPage]:
    with contextlib.closing(browser.new_context(permissions=CLIPBOARD)) as context:
        yield SharedPage(context)


@pytest.fixture
def open_url(
    shared_page: SharedPage, new_context: Callable[..., BrowserContext]
) -> Iterator[Callable[..., BankingPage]]:
    """Open a preview in a page that nothing else has open. An error in it fails the test.

    A test that changes the browser itself, listens to the page, or stops the preview asks for a session *alone* or gives
    its options.
    """
    is_taken = False

    def get(url: str, alone: bool = False, **options: Any) -> BankingPage:
        nonlocal is_taken
        if is_taken or alone or options:
            page: Page = new_context(**{"permissions": CLIPBOARD, **options}).new_page()
            return BankingPage(page, url)
        is_taken = True
        return shared_page.open(url)

    yield get
    errors, shared_page.errors[:] = list(shared_page.errors), []
    assert errors == []


@pytest.fixture
def open_banking(
    open_url: Callable[..., BankingPage], preview_of: Callable[[str], PreviewProcess]
) -> Callable[..., BankingPage]:
    """Open the preview of a variant. The *state* is what a link of the preview keeps."""

    def get(name: str, state: Mapping[str, str] | None = None, **options: Any) -> BankingPage:
        url = preview_of(name).url
        return open_url(f"{url}/?{urlencode(state)}" if state else url, **options)

    return get
