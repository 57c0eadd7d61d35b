"""The page of a preview, as the browser tests use it."""

from __future__ import annotations

import re

from playwright.sync_api import Frame, Page, expect

expect.set_options(timeout=10_000)


class BankingPage:
    """Online banking in a customer's browser, as a preview shows it.

    In UUX's own page, which is large, selectors are CSS: a search by role computes the name of every element.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.outlet = page.frame_locator("#outlet")
        page.goto(url)
        self._wait_for_challenge()

    @property
    def frame(self) -> Frame:
        """The document in the outlet."""
        return next(frame for frame in self.page.frames if frame.name == "outlet")

    def start(self, workflow: str) -> None:
        """Start a challenge, and wait until the outlet shows it."""
        self.page.locator(f"#workflows [aria-label='{workflow}']").check()
        self.press_start()

    def press_start(self) -> None:
        challenge = self.page.locator("#outlet").get_attribute("data-challenge")
        self.page.locator("#ask [type=submit]").click()
        self._wait_for_challenge(f":not([data-challenge='{challenge}'])")

    def set_switch(self, switch: str, on: bool = True) -> None:
        with self.page.expect_response("**/switches"):
            self.page.locator(f"#switches [aria-label='{switch}']").set_checked(on)

    def passcode(self) -> str:
        shown = self.page.locator("#passcode")
        expect(shown).to_have_text(re.compile(r"\d{3} \d{3}"))
        return shown.inner_text().replace(" ", "")

    def submit_code(self, passcode: str | None = None) -> None:
        self.outlet.get_by_label("6-digit code").fill(passcode or self.passcode())
        self.outlet.get_by_role("button", name="Confirm").click()

    def go_to_provider(self) -> None:
        """Open the provider's login form."""
        self.outlet.get_by_role("button", name="Continue").click()
        expect(self.outlet.get_by_label("User name")).to_be_visible()

    def verify(self) -> None:
        """Do what the right user does."""
        if self.page.locator("#authenticator").is_visible():
            self.submit_code()
        else:
            self.go_to_provider()
            self.outlet.get_by_role("button", name="Approve").click()

    def expect_outcome(self, outcome: str) -> None:
        expect(self.page.locator("#outcome")).to_have_attribute("data-outcome", outcome)

    def expect_message(self, text: str, within: float = 10) -> None:
        """Wait until the extension's page shows *text*."""
        expect(self.outlet.locator("[role=alert]")).to_contain_text(text, timeout=within * 1000)

    def steps(self) -> list[tuple[int, str]]:
        """Number and state of the rows of the eight steps, as drawn."""
        rows = self.page.locator("#sequence .row[data-step]").evaluate_all(
            "(rows) => rows.map(({ dataset }) => [Number(dataset.step), dataset.state])"
        )
        return [(step, state) for step, state in rows]

    def _wait_for_challenge(self, other_than: str = "") -> None:
        expect(self.page.locator(f"#outlet[data-challenge]{other_than}")).to_be_attached()
