"""Load the login page in a frame of online banking, in headless Chromium."""

from __future__ import annotations

import contextlib
import html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from q2mfa_cli import chromium
from q2mfa_cli.provider.observation import FramedPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

FIELDS = ", ".join(
    f"{selector}:visible"
    for selector in (
        "input:not([type])",
        *(f"input[type={kind}]" for kind in ("text", "email", "password", "tel", "number")),
    )
)
LOCAL_NETWORK = "local-network-access"


def frame(url: Callable[[], str], embedder: str, on_loopback: bool, seconds: float) -> FramedPage | str:
    """Load the page at *url* in a frame of the origin *embedder*. If Chromium cannot be started, return the reason.

    Playwright serves the embedder's page, so nothing is sent to the embedder, and Chromium applies ``frame-ancestors`` to
    the embedder's real origin.

    :param url: Returns the URL of a new authorization request.
    :param seconds: The time limit for loading a page.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return chromium.NO_PLAYWRIGHT
    try:
        with sync_playwright() as playwright:
            found = chromium.executable(playwright.chromium.executable_path)
            if found is None:
                return chromium.NO_CHROMIUM
            with contextlib.closing(
                playwright.chromium.launch(executable_path=found, timeout=chromium.LAUNCH_SECONDS * 1000)
            ) as browser:
                return framed_page(browser, url, embedder, on_loopback, seconds)
    except Error as error:
        return chromium.failed(error.message)


def framed_page(
    browser: Browser, url: Callable[[], str], embedder: str, on_loopback: bool, seconds: float
) -> FramedPage:
    """Load the page in a frame. If it has no field, load it outside a frame too. The parameters are those of :func:`frame`."""
    # Chromium asks the user for permission before a page of the Internet frames one of this machine.
    context = browser.new_context(permissions=[LOCAL_NETWORK] if on_loopback else [])
    page, failures = context.new_page(), list[str]()
    page.on(
        "requestfailed",
        lambda request: failures.append(request.failure or "") if request.is_navigation_request() else None,
    )
    holder = f"{embedder}/q2mfa-frame"
    body = f'<iframe width="100%" height="800" allow="{LOCAL_NETWORK}" src="{html.escape(url())}"></iframe>'
    page.route(holder, lambda route: route.fulfill(content_type="text/html", body=body))
    _open(page, holder, seconds)
    inner = page.frames[1]
    shown_url = inner.url.partition("?")[0]
    if inner.url.startswith("chrome-error:"):
        return FramedPage(shown_url, failure=failures[-1] if failures else "no reason given")
    if inner.url in ("", "about:blank"):
        return FramedPage(shown_url, failure="no response in time")
    if fields := _fields(page.frames[1:]):
        return FramedPage(shown_url, fields=fields)
    tab = browser.new_context().new_page()
    _open(tab, url(), seconds)
    return FramedPage(shown_url, fields_in_tab=_fields(tab.frames))


def _open(page: Page, url: str, seconds: float) -> None:
    """Open *url*, and wait until the page and its frames have no open requests."""
    from playwright.sync_api import TimeoutError

    # A page that never stops loading is used as it is at the time limit.
    with contextlib.suppress(TimeoutError):
        page.goto(url, wait_until="networkidle", timeout=seconds * 1000)


def _fields(frames: Sequence[Frame]) -> int:
    return sum(frame.locator(FIELDS).count() for frame in frames)
