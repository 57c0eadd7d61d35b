"""Chromium as a fixture, for the tests of every folder."""

from __future__ import annotations

from collections.abc import Iterator

import chromium
import prerequisites
import pytest
from playwright.sync_api import Browser, sync_playwright


# Not for the session: while Playwright runs, no other test of the process can start an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium.path()
    if executable is None:
        pytest.fail(f"Chromium is missing. Install it: {prerequisites.COMMAND}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        yield started
        started.close()
