"""A browser for the tests of the preview's page."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from banking_page import BankingPage
from playwright.sync_api import Browser, BrowserContext
from preview_process import PreviewProcess


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Separate browser sessions. An error in any of their pages fails the test."""
    errors: list[str] = []
    with contextlib.ExitStack() as stack:

        def get(**options: Any) -> BrowserContext:
            context = stack.enter_context(contextlib.closing(browser.new_context(**options)))
            context.set_default_timeout(15_000)
            context.on("weberror", lambda error: errors.append(str(error.error)))
            context.on(
                "console",
                lambda message: errors.append(message.text) if "Security Policy" in message.text else None,
            )
            return context

        yield get
    assert errors == []


@pytest.fixture
def open_banking(
    new_context: Callable[..., BrowserContext], preview_of: Callable[[str], PreviewProcess]
) -> Callable[..., BankingPage]:
    """Open the preview of a variant in a new browser session."""

    def get(name: str, **options: Any) -> BankingPage:
        return BankingPage(new_context(**options).new_page(), preview_of(name).url)

    return get
