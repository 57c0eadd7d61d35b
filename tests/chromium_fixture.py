"""Chromium as a fixture, for the tests of every folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# Not for the session: while Playwright runs, no other test of the process can start an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not at the top: every process of every lane imports this module.
    import chromium
    import prerequisites
    from playwright.sync_api import sync_playwright

    executable = chromium.path()
    if executable is None:
        pytest.fail(f"Chromium is missing. Install it: {prerequisites.COMMAND}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        yield started
        started.close()
