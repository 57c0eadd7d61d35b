"""Previews running as a user runs them, and a browser in front of them: fixtures of the tests that need them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chromium
import prerequisites
import pytest
import requests
from command import q2mfa
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect, sync_playwright

VARIANTS = ["StandardSsr", "StandardCsr", "RedirectSsr", "RedirectCsr"]
STANDARD, REDIRECT = VARIANTS[:2], VARIANTS[2:]
WORKFLOWS = ["Log in", "Approve a transaction", "Patrol event"]

expect.set_options(timeout=10_000)


def create(workspace: Path, name: str, *options: str) -> None:
    """One of :data:`VARIANTS`, by the command."""
    mfa, rendering = re.findall("[A-Z][a-z]+", name)[:2]
    wanted = ["--mfa", mfa.lower(), "--rendering", rendering.lower(), "--no-input"]
    run = q2mfa("create", name, *wanted, *options, cwd=workspace)
    assert run.status == 0, run


def empty_workspace(root: Path) -> Path:
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    settings = "from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n"
    (root / "configuration" / "settings.py").write_text(settings)
    return root


@dataclass
class Running:
    """One preview, as its process says of itself."""

    url: str
    process: subprocess.Popen[str]
    said: str

    def platform(self) -> Any:
        return requests.get(f"{self.url}/api/platform", timeout=10).json()

    def call(self, path: str, body: Any, method: str = "POST", **headers: str) -> requests.Response:
        """As UUX's page asks."""
        headers = {"Origin": self.url, **headers}
        return requests.request(method, f"{self.url}/api/{path}", json=body, headers=headers, timeout=20)

    def challenge(self, workflow: str = "login", **mfa_info: Any) -> str:
        answer = self.call("challenges", {"workflow": workflow, "mfa_info": mfa_info})
        assert answer.ok, answer.text
        return str(answer.json()["id"])

    def interrupted(self) -> tuple[int, str, str]:
        """Ctrl-C: its exit status, and what is left of its two streams."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@contextlib.contextmanager
def running(
    workspace: Path, name: str, *options: str, env: dict[str, str] | None = None
) -> Iterator[Running]:
    """A preview on free ports; it ends with the block."""
    given = [
        "-o",
        str(workspace),
        "--no-browser",
        *(options if "--port" in options else ("--port", "0", *options)),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "q2mfa_cli", "preview", name, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=workspace,  # not the checkout, which Python would find before what is installed
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        while not said or said[-1] not in ("", "Ctrl-C stops it.\n"):
            said.append(process.stdout.readline())
        address = re.search(r"http://127\.0\.0\.1:\d+", said[0])
        assert address, process.communicate(timeout=20)[1]
        yield Running(address[0], process, "".join(said))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with every variant; nobody changes it."""
    workspace = empty_workspace(tmp_path_factory.mktemp("four"))
    for name in VARIANTS:
        create(workspace, name)
    return workspace


@pytest.fixture(scope="session")
def preview_of(four: Path) -> Iterator[Callable[[str], Running]]:
    """The preview of a variant, started when it is first asked for."""
    with contextlib.ExitStack() as stack:
        started: dict[str, Running] = {}

        def get(name: str) -> Running:
            if name not in started:
                started[name] = stack.enter_context(running(four, name))
            return started[name]

        yield get


# Not for the session: where Playwright runs, no other test of the process can start an event loop.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium.path()
    if executable is None:
        pytest.fail(f"Chromium is missing. Install it: {prerequisites.COMMAND}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=chromium.FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Browser sessions that share nothing; what goes wrong in any page of them fails the test."""
    wrong: list[str] = []
    with contextlib.ExitStack() as stack:

        def get(**options: Any) -> BrowserContext:
            context = stack.enter_context(contextlib.closing(browser.new_context(**options)))
            context.set_default_timeout(15_000)
            context.on("weberror", lambda error: wrong.append(str(error.error)))
            context.on(
                "console",
                lambda message: wrong.append(message.text) if "Security Policy" in message.text else None,
            )
            return context

        yield get
    assert wrong == []


class Banking:
    """A customer's window on a preview."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.outlet = page.frame_locator("#outlet")
        page.goto(url)
        expect(page.locator("body[data-ready]")).to_be_attached()

    @property
    def frame(self) -> Frame:
        """What the outlet holds now."""
        return next(frame for frame in self.page.frames if frame.name == "outlet")

    def start(self, workflow: str) -> None:
        self.page.get_by_label(workflow, exact=True).check()
        with self.page.expect_event("framenavigated", lambda frame: frame.name == "outlet"):
            self.page.get_by_role("button", name="Start").click()

    def turn(self, switch: str, on: bool = True) -> None:
        with self.page.expect_response("**/switches"):
            self.page.get_by_role("switch", name=switch, exact=True).set_checked(on)

    def passcode(self) -> str:
        shown = self.page.locator("#passcode")
        expect(shown).to_have_text(re.compile(r"\d{3} \d{3}"))
        return shown.inner_text().replace(" ", "")

    def type_code(self, passcode: str | None = None) -> None:
        self.outlet.get_by_label("6-digit code").fill(passcode or self.passcode())
        self.outlet.get_by_role("button", name="Confirm").click()

    def go(self) -> None:
        """To the provider's login form."""
        self.outlet.get_by_role("button", name="Continue").click()
        expect(self.outlet.get_by_label("User name")).to_be_visible()

    def prove(self) -> None:
        """All that the right user does."""
        if self.page.get_by_role("heading", name="Authenticator app").is_visible():
            self.type_code()
        else:
            self.go()
            self.outlet.get_by_role("button", name="Approve").click()

    def expect_outcome(self, outcome: str) -> None:
        expect(self.page.locator("#outcome")).to_have_attribute("data-outcome", outcome)

    def expect_message(self, text: str, within: float = 10) -> None:
        """What the extension's page tells the customer."""
        expect(self.outlet.get_by_role("alert")).to_contain_text(text, timeout=within * 1000)

    def steps(self) -> list[tuple[int, str]]:
        """Number and state of the eight steps' rows, as drawn."""
        rows = self.page.locator("#sequence .row[data-step]").all()
        return [
            (int(row.get_attribute("data-step") or 0), row.get_attribute("data-state") or "") for row in rows
        ]


@pytest.fixture
def open_banking(
    new_context: Callable[..., BrowserContext], preview_of: Callable[[str], Running]
) -> Callable[..., Banking]:
    """A new browser session at the preview of a variant."""

    def get(name: str, **options: Any) -> Banking:
        return Banking(new_context(**options).new_page(), preview_of(name).url)

    return get
