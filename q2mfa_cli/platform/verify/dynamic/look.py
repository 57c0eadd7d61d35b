"""A customer's look at the extension's page in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from q2mfa_cli.platform.preview.challenges import Challenge, RowChanged
from q2mfa_cli.platform.verify.check import Skipped
from q2mfa_cli.platform.verify.customers.scripted import Phone
from q2mfa_cli.platform.verify.customers.user_agent import UserAgent
from q2mfa_cli.platform.verify.dynamic.bench import Bench
from q2mfa_cli.platform.verify.dynamic.browser import SECONDS

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page, Request, Response, Route

SHOW_SECONDS = 3.0  # for a page to show an answer

# How often a page may navigate while it is read.
NAVIGATIONS = 3

TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
ARE_ANSWERED = "(ids) => ids.every((id) => q2mfaSeen.answered.includes(id))"
VERIFY = re.compile(r"/api/challenges/[\w-]+/verify$")

UsePage = Callable[["Frame", Phone], Awaitable[None]]
"""What a customer does in the outlet's page until the page has the proof."""


class Look:
    """One customer's look at the extension's page, inside UUX's page.

    ``verifyMFA`` is held until :meth:`answer_verify` lets HQ answer it.

    :ivar challenge: the challenge in UUX. :ivar frame: the outlet. :ivar requests: the browser's requests, in order.
    """

    def __init__(self, bench: Bench, page: Page, use_page: UsePage | None) -> None:
        self.bench, self.page, self._use_page = bench, page, use_page
        self.challenge: Challenge
        self.frame: Frame
        self.requests: list[Request] = []
        self.is_refused = asyncio.Event()
        self.is_verifying = asyncio.Event()
        self._may_verify = asyncio.Event()
        self._open: set[Request] = set()
        self._is_idle = asyncio.Event()
        self._refused: set[str] = set()

    @contextlib.asynccontextmanager
    async def opened(self, mfa_info: Mapping[str, str], switches: Iterable[str]) -> AsyncIterator[None]:
        """Open the page as UUX does, with these attributes and faults, until the block ends.

        :raises Skipped: the page does not connect to online banking.
        """
        from playwright.async_api import TimeoutError

        self.page.on("request", self._requested)
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._ended)
        self.page.on("response", self._answered)
        await self.page.route(VERIFY, self._hold)
        events = self.bench.platform.events
        unsubscribe = events.subscribe(RowChanged, self._row_changed)
        parameters = {
            "workflow": self.bench.workflow.id,
            **{f"mfa_info.{name}": text for name, text in mfa_info.items()},
        }
        query = urlencode([*parameters.items(), *(("switch", each) for each in switches)])
        try:
            await self.page.goto(f"{self.bench.preview.url}/?{query}", wait_until="commit")
            outlet = await self.page.wait_for_selector("#outlet[data-challenge]", state="attached")
            identifier = await outlet.get_attribute("data-challenge") if outlet else None
            self.challenge = self.bench.preview.uux.challenges.get(identifier or "")
            frame = self.page.frame(name="outlet")
            assert frame is not None
            self.frame = frame
            if self.challenge.id in self._refused:
                self.is_refused.set()
            try:
                await self.page.wait_for_function("() => q2mfaSeen.asked.length > 0")
                await self.frame.evaluate("() => tecton.connected.then(() => null)")
            except TimeoutError:
                raise Skipped("The page does not connect to online banking.") from None
            await self.settle()
            yield
        finally:
            unsubscribe()
            self._may_verify.set()
            await self.page.unroute_all(behavior="ignoreErrors")

    async def use(self, is_over: asyncio.Event | None = None) -> str:
        """Let the customer use the page, until it calls ``verifyMFA`` or *is_over* is set.

        :returns: Why neither happens; empty if one does.
        """
        assert self._use_page is not None
        user_agent = UserAgent(self.bench.customer().fetch)
        phone = Phone(self.bench.preview.uux, self.challenge, user_agent)
        uses = asyncio.ensure_future(self._use_page(self.frame, phone))
        ends = [
            asyncio.ensure_future(each.wait()) for each in (self.is_verifying, is_over) if each is not None
        ]
        try:
            await asyncio.wait([uses, *ends], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if uses.done() and (error := uses.exception()):
                return _said(error)
            done, _ = await asyncio.wait(ends, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
            return "" if done else "it does not call verifyMFA"
        finally:
            for each in (uses, *ends):
                each.cancel()
            await asyncio.gather(uses, *ends, return_exceptions=True)

    async def answer_verify(self) -> None:
        """Let HQ respond to ``verifyMFA``, and wait until the page has handled the response."""
        self._may_verify.set()
        await self.settle()

    async def settle(self) -> None:
        """Wait until every call of the page has a response, and two more animation frames. A held ``verifyMFA`` does not count."""
        with contextlib.suppress(asyncio.TimeoutError):  # a page that never rests is looked at as it is
            await asyncio.wait_for(self._settle(), SECONDS)

    async def _settle(self) -> None:
        while True:
            asked = await self._asked()
            is_answered = await self.read(ARE_ANSWERED, asked)
            await self.read(TWO_FRAMES)
            if is_answered and not self._open and asked == await self._asked():
                return
            if self._open:
                await self._is_idle.wait()

    async def _asked(self) -> list[int]:
        asked = await self.page.evaluate("() => q2mfaSeen.asked")
        is_held = not self._may_verify.is_set()
        return [identifier for identifier, name in asked if not (is_held and name == "verifyMFA")]

    async def read(self, script: str, argument: object = None) -> Any:
        """Return the result of *script* in the outlet. Run it again if the page navigates."""
        from playwright.async_api import Error

        for _ in range(NAVIGATIONS):
            with contextlib.suppress(Error):
                return await self.frame.evaluate(script, argument)
            await self.frame.wait_for_load_state()
        return await self.frame.evaluate(script, argument)

    # The page.

    async def lines(self) -> list[str]:
        """Return the visible lines of text, including those that UUX shows for the page."""
        inside: list[str] = await self.read("() => q2mfaSeen.lines()")
        shown: list[str] = await self.page.evaluate(
            "() => [...document.querySelectorAll('dialog[open], #outlet-title')].map((each) => each.innerText.trim()).filter(Boolean)"
        )
        return [*inside, *shown]

    async def lines_other_than(self, before: list[str]) -> list[str]:
        """As :meth:`lines`, but give the page some time to change them if they are as *before*."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SHOW_SECONDS
        while comparable(lines := await self.lines()) == comparable(before) and loop.time() < until:
            await self.read(TWO_FRAMES)
        return lines

    # Events of the browser and the platform.

    def _requested(self, request: Request) -> None:
        self.requests.append(request)
        if not VERIFY.search(urlsplit(request.url).path):
            self._open.add(request)
            self._is_idle.clear()

    def _ended(self, request: Request) -> None:
        self._open.discard(request)
        if not self._open:
            self._is_idle.set()

    def _answered(self, response: Response) -> None:
        if not response.ok:
            self._ended(response.request)  # if the page does not read its body, it never ends

    async def _hold(self, route: Route) -> None:
        body = json.loads(route.request.post_data or "{}")
        if body.get("token") or body.get("exit") is not True:
            self.is_verifying.set()
            await self._may_verify.wait()
        with contextlib.suppress(Exception):  # the page may be gone
            await route.continue_()

    def _row_changed(self, event: RowChanged) -> None:
        row = event.row
        if row.why and (row.sender, row.receiver) == ("page", "extension"):
            self._refused.add(event.challenge_id)
            if getattr(self, "challenge", None) is not None and event.challenge_id == self.challenge.id:
                self.is_refused.set()


WAITING = re.compile(r"waiting for .*")


def _said(error: BaseException) -> str:
    """Return the message of *error* on one line, with what Playwright waited for."""
    text = str(error)
    first = text.partition("\n")[0].strip().rstrip(".") or type(error).__name__
    waiting = WAITING.search(text, len(first))
    return f"{first}, {waiting[0]}" if waiting else first


def comparable(lines: Iterable[str]) -> list[str]:
    """Return *lines* without what differs between customers: numbers and remaining times."""
    return [re.sub(r"\d+", "0", line) for line in lines]
