"""Checks that need a browser: what the page shows, and what it leaves behind."""

from __future__ import annotations

import contextlib
import functools
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.page_failures import page_failure
from q2mfa_cli.platform.sessions import TICKET_FIELD
from q2mfa_cli.platform.verify.check import Location, NotApplicable, Problem, Severity, Skipped
from q2mfa_cli.platform.verify.dynamic.bench import Bench, location_in
from q2mfa_cli.platform.verify.dynamic.look import Look, comparable
from q2mfa_cli.platform.verify.dynamic.page_customers import use_page_of
from q2mfa_cli.platform.verify.static import browser as static_browser
from q2mfa_cli.platform.verify.static.source import Source

if TYPE_CHECKING:
    from playwright.async_api import Frame, Locator

SAYS_CONFIRMED = re.compile(
    r"\b(confirmed|approved|verified|success(ful|fully)?|succeeded|completed?|done|thank you|all set)\b",
    re.IGNORECASE,
)
# "The code was sent successfully", "not confirmed", "until it is approved".
SAYS_ELSE = re.compile(
    r"\b(sent|not|cannot|until|once|when|if|before|will|failed)\b|n['\u2019]t\b", re.IGNORECASE
)

# Switches of the preview. A refused token, an expired one and an HQ that is down all look alike to the page: verifyMFA rejects.
# An HQ that is down before the token is set looks different.
REFUSED, DOWN = "hq_rejects", "hq_down"

# On a busy machine, one request of the backend may time out, so the right customer tries again.
TRIES = 2

CALL = re.compile(r"\bverifyMFA\s*\(")
SCRIPTS = (".html", ".htm", ".js", ".mjs", ".jsx", ".ts", ".tsx", ".jinja2")


@dataclass(frozen=True)
class Landing:
    """The state of the landing page when it has called ``verifyMFA``.

    :param came_to: the URL that the provider redirected to. :param given: the code and the state in it.
    :param address: the page's URL. :param history: the URLs in the history.
    :param elsewhere: other hosts that the page loads from before it removes the code from its URL.
    :param referred: whether the Referer header of a request contains the code.
    :param kept: the secrets in the browser's storage, as ``(storage, key, value)``.
    """

    came_to: str
    given: tuple[str, ...]
    address: str
    history: tuple[str, ...]
    elsewhere: tuple[str, ...]
    referred: bool
    kept: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Seen:
    """What a customer saw until ``verifyMFA`` settled.

    :param before: the lines of text before the customer did anything. :param waiting: the lines while ``verifyMFA`` was pending.
    :param after: the lines after it settled. :param is_unhandled: whether the page did not handle the rejection.
    """

    challenge: Challenge
    before: list[str]
    waiting: list[str]
    after: list[str]
    is_unhandled: bool
    landing: Landing | None

    def news(self, lines: Iterable[str]) -> list[str]:
        """Return the *lines* that show success and are new since the customer started."""
        before = comparable(self.before)
        says = (line for line in lines if SAYS_CONFIRMED.search(line) and not SAYS_ELSE.search(line))
        return [line for line in says if comparable([line])[0] not in before]


@contextlib.asynccontextmanager
async def look(
    bench: Bench, mfa_info: Mapping[str, str] | None = None, switches: Iterable[str] = ()
) -> AsyncIterator[Look]:
    """Open the page in a browser until the block ends.

    :raises Skipped: there is no browser, or q2mfa does not know how a customer uses the page.
    """
    browser, workflow = bench.known.browser, bench.workflow.id
    use_page = use_page_of(bench.preview.extension, bench.customer_class)
    if workflow in browser.unusable:
        raise Skipped(browser.unusable[workflow])
    async with browser.page() as page:
        view = Look(bench, page, use_page)
        async with view.opened(mfa_info or {}, switches):
            yield view


async def see(bench: Bench, is_refused: bool = False) -> Seen:
    """Let the right customer use the page until HQ accepts or refuses the token. Each happens once per run.

    :raises Skipped: see :func:`look`; or the right customer cannot use the page.
    """
    key, why = (bench.workflow.id, is_refused), ""
    for _ in range(TRIES):
        found = bench.known.seen.get(key) or await _see(bench, is_refused)
        if isinstance(found, Seen):
            bench.known.seen[key] = found
            return found
        why = found
    reason = f"The right customer cannot use the page: {why}."
    bench.known.browser.unusable[bench.workflow.id] = reason
    raise Skipped(reason)


async def _see(bench: Bench, is_refused: bool) -> Seen | str:
    """As :func:`see`. Return why, if the right customer cannot use the page."""
    async with look(bench, switches=[REFUSED] if is_refused else []) as view:
        before = await view.lines()
        if why := await view.use():
            return why
        await view.settle()
        waiting = await view.lines()
        landing = await _landing(view)
        rejections = await view.read("() => q2mfaSeen.rejections")
        await view.answer_verify()
        after = await (view.lines_other_than(waiting) if is_refused else view.lines())
        is_unhandled = is_refused and await view.read("() => q2mfaSeen.rejections") > rejections
        return Seen(view.challenge, before, waiting, after, is_unhandled, landing)


async def hq_refusal(bench: Bench) -> list[Problem]:
    accepted, refused = await see(bench), await see(bench, is_refused=True)
    if comparable(refused.after) == comparable(accepted.after):
        message = "The page shows the same text whether HQ accepts or refuses the token."
    elif _still_says(accepted, refused.after):
        message = "The page shows success although HQ refuses the token."
    else:
        return await _without_token(bench, accepted)
    return [_at_call(bench, message, refused.challenge)]


def _still_says(accepted: Seen, lines: list[str]) -> bool:
    """Return whether *lines* contain every line that shows success."""
    news = comparable(accepted.news(accepted.after))
    return bool(news) and set(news) <= set(comparable(lines))


async def _without_token(bench: Bench, accepted: Seen) -> list[Problem]:
    """Check the page with HQ down, so that the backend returns an error."""
    async with look(bench, switches=[DOWN]) as view:
        if await view.use(view.is_refused):
            return []  # the page goes on in another way, without a token
        await view.settle()
        if view.is_verifying.is_set():
            await view.answer_verify()
        if not _still_says(accepted, await view.lines()):
            return []
        message = "The page shows success although HQ is down."
        return [_at_call(bench, message, view.challenge)]


async def verify_ignored(bench: Bench) -> list[Problem]:
    accepted, refused = await see(bench), await see(bench, is_refused=True)
    problems = []
    early = accepted.news(accepted.waiting)
    if early and set(comparable(early)) <= set(comparable(accepted.after)):
        message = "The page shows success before verifyMFA resolves."
        problems.append(_at_call(bench, message, accepted.challenge))
    if refused.is_unhandled:
        message = "The page does not handle a rejection of verifyMFA."
        problems.append(_at_call(bench, message, refused.challenge))
    elif comparable(refused.after) == comparable(refused.waiting):
        message = "The page does not change when verifyMFA rejects."
        problems.append(_at_call(bench, message, refused.challenge))
    return problems


def _at_call(bench: Bench, message: str, challenge: Challenge, severity: Severity | None = None) -> Problem:
    """A problem where the page calls ``verifyMFA`` with a token."""
    static = _as_static(bench, static_browser.verify_ignored, message)
    location = static.location if static else _call_of(bench)
    return _problem(bench, message, challenge, location, severity)


def _call_of(bench: Bench) -> Location | None:
    extension, calls = bench.preview.extension, []
    for file in sorted(path for path in extension.folder.rglob("*") if path.suffix in SCRIPTS):
        folder = file.relative_to(extension.folder).parts[0]
        if folder not in ("frontend", "templates") or {"node_modules", "dist"} & set(file.parts):
            continue
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
            if (found := CALL.search(line)) and "exit" not in line[found.end() :]:
                # The call that names the token, before one that passes on what it gets.
                calls.append(("token" not in line[found.end() :], file, number))
    return location_in(extension.workspace, *min(calls, key=lambda call: call[0])[1:]) if calls else None


# --- The landing page -----------------------------------------------------------------------------------------------------


async def _landing(view: Look) -> Landing | None:
    """What the page to which a provider sent the customer leaves behind; None if there was none."""
    origin = view.bench.preview.uux.extension_origin
    came = [
        request
        for request in view.requests
        if request.is_navigation_request()
        and request.url.startswith(origin)
        and "code" in _parameters(request.url)
    ]
    if not came:
        return None
    given = _parameters(came[-1].url)
    secrets = tuple(given[name][0] for name in ("code", "state") if name in given)
    script = "() => ({ href: location.href, kept: [...q2mfaSeen.keptBefore, ...q2mfaSeen.kept()], entries: q2mfaSeen.entries(), "
    script += "elsewhere: q2mfaSeen.elsewhere ?? q2mfaSeen.fromElsewhere() })"
    state: dict[str, Any] = await view.read(script)
    tokens = [token.value for token in view.challenge.session.tokens]
    sent = [value for request in view.requests for value in _secrets_in(request.post_data or "")]
    known = {*secrets, *tokens, *sent}
    after = view.requests[view.requests.index(came[-1]) + 1 :]
    return Landing(
        came[-1].url,
        secrets,
        state["href"],
        tuple(state["entries"]),
        tuple(dict.fromkeys(state["elsewhere"])),
        any(
            "/_cdn/" not in request.url and _has(request.headers.get("referer", ""), secrets[:1])
            for request in after
            if request.frame == view.frame
        ),
        tuple((storage, key, value) for storage, key, value in state["kept"] if _has(value, known)),
    )


async def landing_leak(bench: Bench) -> list[Problem]:
    seen = await see(bench)
    if seen.landing is None:
        raise NotApplicable("No provider sends the customer back with a code.")
    return [
        _problem(bench, message, seen.challenge, location, severity)
        for message, location, severity in _leaks(bench, seen.landing)
    ]


def _leaks(bench: Bench, landing: Landing) -> Iterator[tuple[str, Location | None, Severity | None]]:
    lines = _asset_text(bench, landing.came_to)
    head = next((number for number, line in enumerate(lines, 1) if re.search(r"<head\b", line)), 1)
    place = _asset_at(bench, landing.came_to, head)

    def of_static(message: str, end: str = "") -> tuple[str, Location | None]:
        found = _as_static(bench, static_browser.landing_leak, end or message)
        return (found.message, found.location) if found else (message, place)

    if _has(landing.address, landing.given):
        yield *of_static("The code stays in the URL and in the history."), None
    elif any(_has(entry, landing.given) for entry in landing.history):
        yield "The code stays in the history.", place, None
    if landing.referred:
        yield *of_static("The landing page leaks its URL in the Referer header."), Severity.LOW
    for host in landing.elsewhere:
        number = next((number for number, line in enumerate(lines, 1) if host in line), head)
        message = f'The landing page loads from "{host}" before it removes the code from its URL.'
        yield message, _asset_at(bench, landing.came_to, number), None
    for storage, key in dict.fromkeys((storage, key) for storage, key, _ in landing.kept):
        message = f'The page keeps a code, a state or a token in {storage}, under "{key}".'
        yield *of_static(message, f"is stored in {storage}."), None


# --- Markup ---------------------------------------------------------------------------------------------------------------

# The attributes that a workflow confirms. A workflow without them uses HQ's data about the customer, who then may not get past
# the first page.
OF_WORKFLOW = ("audit_action_name", "transaction_ids")
OF_CUSTOMER = ("mfa_context", "registration_value", "sso_identifier")


async def dom_xss(bench: Bench) -> list[Problem]:
    names = [name for name in OF_WORKFLOW if name in bench.workflow.mfa_info] or OF_CUSTOMER
    async with look(bench, {name: f'"></script><img data-q2mfa-canary="{name}">' for name in names}) as view:
        found = await _canaries(view)
        if not await view.use(view.is_refused):
            await view.settle()
            found |= await _canaries(view)
            if view.is_verifying.is_set():
                await view.answer_verify()
                found |= await _canaries(view)
        problems = []
        for name in (name for name in names if name in found):
            message = f'Markup in "mfa_info.{name}" becomes an element of the page.'
            place = _written_at(bench, found[name]) or _page_at(bench, name)
            problems.append(_problem(bench, message, view.challenge, place))
        return problems


async def _canaries(view: Look) -> dict[str, str]:
    """Return the attributes whose markup became an element, each with the stack of the call that inserted it."""
    script = "() => q2mfaSeen.canaries().map((name) => [name, q2mfaSeen.written[name] ?? ''])"
    return dict(await view.read(script))


FRAME = re.compile(r"(https?://[^\s()]+?):(\d+):\d+\)?$", re.MULTILINE)


def _written_at(bench: Bench, stack: str) -> Location | None:
    """Return the first line of the extension's own scripts in *stack*. Libraries act for their callers."""
    for url, line in FRAME.findall(stack):
        if not re.search(r"jquery|\.min\.js", url) and (place := _asset_at(bench, url, int(line))):
            return place
    return None


# --- Transactions ---------------------------------------------------------------------------------------------------------

# More than a page shows without folding the list.
TRANSACTIONS = tuple(str(number) for number in range(731_001, 731_008))
BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s,.'\u2019]+(?=\d{3}(?!\d))")


async def txn_shown(bench: Bench) -> list[Problem]:
    async with look(bench, {"transaction_ids": ", ".join(TRANSACTIONS)}) as view:
        shown = await _with_details_open(view)
        if not _missing(shown):
            return []
        if why := await view.use():
            raise Skipped(f"The right customer cannot use the page: {why}.")
        await view.settle()
        missing = _missing(shown + await _with_details_open(view))
        if not missing:
            return []
        which = "none" if len(missing) == len(TRANSACTIONS) else "not all"
        message = f'The page shows {which} of the "transaction_ids" that the customer confirms.'
        return [_problem(bench, message, view.challenge, _page_at(bench, "<body"))]


async def _with_details_open(view: Look) -> str:
    await view.read("() => q2mfaSeen.open()")
    return "\n".join(await view.lines())


def _missing(shown: str) -> list[str]:
    # 731,001 is 731001, but a list of numbers is not one number.
    texts = (shown, BETWEEN_DIGITS.sub("", shown))
    return [number for number in TRANSACTIONS if not any(number in text for text in texts)]


# --- Without a script -----------------------------------------------------------------------------------------------------

TYPED = "271828"
FIELDS = "input:not([type=hidden], [type=checkbox], [type=radio], [type=submit], [type=button], [type=image], [type=file]), textarea"
SUBMITS = "button:not([type=button], [type=reset]), input[type=submit], input[type=image]"
SUBMIT_SECONDS = 3.0


async def native_submit(bench: Bench) -> list[Problem]:
    customer = bench.customer()
    challenge = await customer.open_challenge()
    async with bench.known.browser.page(has_scripts=False) as page:
        outlet = bench.preview.uux.outlet(challenge)
        await page.goto(
            f"{bench.preview.url}/api/platform"
        )  # a page of UUX's origin, which the extension lets frame it
        await page.set_content(_holder(outlet))
        if outlet["method"] == "post":
            async with page.expect_event("framenavigated", lambda frame: frame.name == "outlet"):
                await page.click("button")
        frame = page.frame(name="outlet")
        assert frame is not None
        await frame.wait_for_load_state()
        if not await frame.locator(FIELDS).count():
            raise NotApplicable("The page has no field before its script runs.")
        address, body = await _submitted(frame)
    place = _page_at(bench, "<input", "<textarea")
    if TYPED in address:
        message = "Before its script runs, the page puts the customer's input into the URL."
        return [_problem(bench, message, challenge, place)]
    if TYPED in body:
        path = urlsplit(address).path
        message = f'Before its script runs, the page posts what the customer types to "{path}".'
        return [_problem(bench, message, challenge, place, Severity.LOW)]
    return []


def _holder(outlet: Mapping[str, Any]) -> str:
    """Return the part of UUX's page that needs no script."""
    url, ticket = html.escape(outlet["url"]), html.escape(outlet["ticket"])
    if outlet["method"] == "get":
        return f'<iframe name="outlet" width="1000" height="900" src="{url}"></iframe>'
    return (
        '<iframe name="outlet" width="1000" height="800"></iframe>'
        f'<form method="post" target="outlet" action="{url}"><input type="hidden" name="{TICKET_FIELD}" value="{ticket}">'
        "<button>Open</button></form>"
    )


async def _submitted(frame: Frame) -> tuple[str, str]:
    """Type into each field and press Enter; if that sends nothing, press each button.

    :returns: the address and the body of what was sent; empty if nothing was.
    """
    typed: list[Locator] = []
    for field in await frame.locator(FIELDS).all():
        if (
            await field.is_visible()
            and await field.is_editable()
            and await field.evaluate("(each) => each.form !== null")
        ):
            await field.fill(TYPED)
            typed.append(field)
    presses: list[Callable[[], Awaitable[None]]] = [
        functools.partial(field.press, "Enter") for field in typed[:1]
    ]
    if typed:
        buttons = await frame.locator(SUBMITS).all()
        presses += [each.click for each in buttons if await each.is_visible() and await each.is_enabled()]
    for press in presses:
        if sent := await _sent_by(frame, press):
            return sent
    return "", ""


async def _sent_by(frame: Frame, press: Callable[[], Awaitable[None]]) -> tuple[str, str] | None:
    from playwright.async_api import TimeoutError

    def is_form(request: Any) -> bool:
        return bool(request.is_navigation_request() and request.frame == frame)

    with contextlib.suppress(TimeoutError):
        async with frame.page.expect_event("request", is_form, timeout=SUBMIT_SECONDS * 1000) as sent:
            await press()
        request = await sent.value
        return unquote(request.url), unquote(request.post_data or "")
    return None


# --- Places ---------------------------------------------------------------------------------------------------------------


def _problem(
    bench: Bench, message: str, challenge: Challenge, place: Location | None, severity: Severity | None = None
) -> Problem:
    customer = bench.customer()
    customer.challenges.append(challenge)
    return bench.problem_at(message, customer, place or bench.location("default"), severity)


def _as_static(bench: Bench, check: Callable[[Source], Iterable[Problem]], end: str) -> Problem | None:
    """Return the static problem with this *end* of its message, so that a report contains the defect once."""
    extension = bench.preview.extension
    with contextlib.suppress(NotApplicable, Skipped):
        for problem in check(Source(extension.workspace, extension.name)):
            if problem.message.endswith(end):
                return problem
    return None


def _asset_at(bench: Bench, url: str, line: int) -> Location | None:
    """Return *line* of the file that is served at *url*; None if it is not one of the extension's files."""
    origin = f"{bench.preview.uux.extension_origin}/"
    return bench.location_of(page_failure({"url": url, "line": line}, bench.preview.extension, origin))


def _asset_text(bench: Bench, url: str) -> list[str]:
    place = _asset_at(bench, url, 1)
    file = bench.preview.extension.workspace / place.path if place else None
    return file.read_text("utf-8", "replace").splitlines() if file else []


def _page_at(bench: Bench, *marks: str) -> Location | None:
    """Return the line of the opened page with one of *marks*, or its first line; None if the page has several files."""
    extension = bench.preview.extension
    if extension.feature.get("formPostAuth"):
        files = sorted((extension.folder / "templates").rglob("*.jinja2"))
    else:
        files = [extension.assets / urlsplit(extension.page.replace("{BASE_URL}/", "")).path]
    files = [file for file in files if file.is_file()]
    for file in files:
        for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
            if any(mark in line for mark in marks):
                return location_in(extension.workspace, file, number)
    is_one_file = bool(files) and not extension.feature.get("formPostAuth")
    return location_in(extension.workspace, files[0], 1) if is_one_file else None


def _parameters(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def _has(text: str, secrets: Iterable[str]) -> bool:
    return any(secret in text or secret in unquote(text) for secret in secrets)


MIN_SECRET = 16


def _secrets_in(body: str) -> Iterator[str]:
    """Yield the values that a request of the page sends under names such as ``code`` or ``state``."""
    for name, value in re.findall(r'"(\w+)"\s*:\s*"([^"\\]+)"', body):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        if (static_browser.KEPT.search(snake) or "verifier" in snake) and len(value) >= MIN_SECRET:
            yield value


CHECKS: dict[str, Callable[[Bench], Awaitable[Iterable[Problem]]]] = {
    "hq-refusal": hq_refusal,
    "dom-xss": dom_xss,
    "landing-leak": landing_leak,
    "verify-ignored": verify_ignored,
    "native-submit": native_submit,
    "txn-shown": txn_shown,
}
