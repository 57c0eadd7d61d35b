"""The browser of a run: headless Chromium, through Playwright."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from q2mfa_cli import chromium
from q2mfa_cli.platform.verify.check import Skipped

if TYPE_CHECKING:
    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Page, Playwright

SCRIPT = Path(__file__).with_name("look.js")

# Only loopback resolves, so no request leaves the machine.
FLAGS = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]

SECONDS = 15.0  # for one step of a page


@dataclass
class Browser:
    """Headless Chromium, started on first use.

    :ivar unusable: why the page cannot be used, by workflow, so that no other check waits for it again.
    """

    unusable: dict[str, str] = field(default_factory=dict)
    _playwright: Playwright | None = None
    _chromium: Chromium | None = None
    _why_not: str = ""

    async def aclose(self) -> None:
        if self._chromium is not None:
            await self._chromium.close()
        if self._playwright is not None:
            await self._playwright.stop()
        self._chromium = self._playwright = None

    @contextlib.asynccontextmanager
    async def page(self, has_scripts: bool = True) -> AsyncIterator[Page]:
        """Yield a page with its own storage.

        :param has_scripts: whether scripts run.
        :raises Skipped: there is no browser, or it failed.
        """
        started = await self._start()
        from playwright.async_api import Error

        try:
            context = await started.new_context(
                java_script_enabled=has_scripts,
                service_workers="block",
                viewport={"width": 1280, "height": 1000},
            )
            try:
                yield await _page_of(context, has_scripts)
            finally:
                await context.close()
        except Error as error:
            raise Skipped(f"{chromium.failed(error.message)}.") from error

    async def _start(self) -> Chromium:
        if self._chromium is None and not self._why_not:
            self._why_not = await self._launch()
        if self._chromium is None:
            raise Skipped(self._why_not)
        return self._chromium

    async def _launch(self) -> str:
        """Start Chromium. Return why it cannot start; empty if it has started."""
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError:
            return chromium.NO_PLAYWRIGHT
        try:
            self._playwright = await async_playwright().start()
            found = chromium.executable(self._playwright.chromium.executable_path)
            if found is None:
                return chromium.NO_CHROMIUM
            self._chromium = await self._playwright.chromium.launch(
                executable_path=found, args=FLAGS, timeout=chromium.LAUNCH_SECONDS * 1000
            )
        except Error as error:
            return chromium.failed(error.message)
        return ""


async def _page_of(context: BrowserContext, has_scripts: bool) -> Page:
    context.set_default_timeout(SECONDS * 1000)
    if has_scripts:
        await context.add_init_script(path=SCRIPT)
    return await context.new_page()
