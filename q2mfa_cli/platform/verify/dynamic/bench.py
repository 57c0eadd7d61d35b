"""The test bench of a dynamic check: the served extension, its customers, and the faults that can occur around them."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import re
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

from q2mfa_cli.platform.events import Logged, ReadingsChanged, RouteCalled, RouteRaised
from q2mfa_cli.platform.failures import Failure, failure_of, is_within
from q2mfa_cli.platform.hq import HQDown
from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.extension import SECRET_NAME
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.trace import PARTIES, Row
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.sessions import current_session_id
from q2mfa_cli.platform.verify.check import Location, Problem, Severity
from q2mfa_cli.platform.verify.customers.customer import Customer
from q2mfa_cli.platform.verify.dynamic.browser import Browser

# Parts of a sequence that differ between runs: ports, memory addresses, long random strings.
CHANGING = (
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), r"\1"),
    (re.compile(r"port=\d+"), "port=…"),
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"[\w-]{24,}"), "…"),
    (re.compile(r"\b\d{6,}\b"), "…"),
)

FAULT = "q2mfa made the cache fail"


class CacheFault(OSError):
    """The cache was made to fail."""


class FailingPool:
    """A connection pool that fails after the first *working* uses.

    :ivar used: the number of requests for a connection.
    """

    def __init__(self, pool: Any, working: int) -> None:
        self._pool, self._working, self.used = pool, working, 0

    def get_and_release(self, *args: Any, **options: Any) -> Any:
        self.used += 1
        if self.used > self._working:
            raise CacheFault(FAULT)
        return self._pool.get_and_release(*args, **options)


@dataclass(frozen=True)
class LogLine:
    """A line that the extension logged or printed.

    :param location: of the call; None if it is not in the workspace.
    """

    level: int
    text: str
    location: Location | None


class _Lines(logging.Handler):
    """Keeps the lines that are logged during a request."""

    def __init__(self, workspace: Path) -> None:
        super().__init__(logging.DEBUG)
        self.workspace = workspace
        self.lines: list[LogLine] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not current_session_id.get():
            return
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += f": {record.exc_info[1]}"
        file = Path(record.pathname)
        is_own = is_within(record.pathname, self.workspace)
        location = location_in(self.workspace, file, record.lineno) if is_own else None
        self.lines.append(LogLine(record.levelno, text, location))


class _Keys(deque[str]):
    """Keeps the cache keys in use, each with the line of the workspace that used it."""

    def __init__(self, workspace: Path) -> None:
        super().__init__()
        self.workspace = workspace
        self.used: list[tuple[str, Location | None]] = []

    def append(self, key: str) -> None:
        super().append(key)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not is_within(frame.f_code.co_filename, self.workspace):
            frame = frame.f_back
        location = None
        if frame is not None:
            location = location_in(self.workspace, Path(frame.f_code.co_filename), frame.f_lineno)
        self.used.append((key, location))


@dataclass
class Known:
    """What earlier checks learned about the extension.

    :param routes: the function behind each route. :param route: the one that takes the proof; empty if it is not known.
    :param browser: the browser of the whole run. :param seen: what a customer saw, by workflow and whether HQ refused the token.
    """

    routes: dict[str, Callable[..., Any]] = field(default_factory=dict)
    route: str = ""
    browser: Browser = field(default_factory=Browser)
    seen: dict[tuple[str, bool], Any] = field(default_factory=dict)


class Bench:
    """One check in one workflow.

    :ivar only_waits: set by the check when it only waits for responses, so that the next check can start.
    """

    def __init__(
        self, preview: Preview, workflow: Workflow, customer_class: type[Customer], known: Known
    ) -> None:
        self.preview, self.workflow, self.customer_class = preview, workflow, customer_class
        self.platform, self.known = preview.uux.platform, known
        self.only_waits = asyncio.Event()
        self._unsubscribe = self.platform.events.subscribe(RouteCalled, self._route_called)

    def close(self) -> None:
        self._unsubscribe()

    def customer(self) -> Any:
        """Return a new customer of :attr:`customer_class`. In the standard integration, each challenge belongs to another person."""
        customer = self.customer_class(self.preview, self.workflow)
        customer.route = customer.route or self.known.route
        return customer

    async def routes(self) -> list[str]:
        """Return the extension's routes that a page can call."""
        customer = self.customer()
        await customer.request_extension_data(await customer.open_challenge(), "default", {}, is_known=False)
        return sorted(self.known.routes)

    # Faults around the extension.

    def reload(self) -> None:
        """Import the extension again, as if another worker answered the next request. The cache and HQ keep their state."""
        self.platform.events.publish(ReadingsChanged())

    @contextlib.contextmanager
    def configured(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Replace values of the extension's configuration until the block ends."""
        before = self.platform.overrides
        self.platform.overrides = {**before, **values}
        self.reload()
        try:
            yield
        finally:
            self.platform.overrides = before
            self.reload()

    @contextlib.contextmanager
    def failing_cache(self, after: int = 0) -> Iterator[FailingPool]:
        """Make every cache operation after the first *after* fail until the block ends."""
        platform, before = self.platform, self.platform.cache
        failing = before.with_prefix("")
        pool = failing.client_pool = FailingPool(before.client_pool, after)
        platform.__dict__["cache"] = failing
        try:
            yield pool
        finally:
            platform.__dict__["cache"] = before

    # Observations.

    @contextlib.contextmanager
    def cache_keys(self) -> Iterator[list[tuple[str, Location | None]]]:
        """Yield the cache keys that are used until the block ends, each with the line that used it."""
        before = self.platform.cache.recent_keys
        keys = _Keys(self.preview.extension.workspace)
        self.platform.cache.recent_keys = keys
        try:
            yield keys.used
        finally:
            self.platform.cache.recent_keys = before

    @contextlib.contextmanager
    def log(self) -> Iterator[list[LogLine]]:
        """Yield the lines that are logged at any level, or printed, until the block ends."""
        handler, root = _Lines(self.preview.extension.workspace), logging.getLogger()
        level = root.level

        def printed(event: Logged) -> None:
            if event.level == "PRINT":
                handler.lines.append(LogLine(logging.INFO, event.text, None))

        unsubscribe = self.platform.events.subscribe(Logged, printed)
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield handler.lines
        finally:
            root.setLevel(level)
            root.removeHandler(handler)
            unsubscribe()

    @contextlib.contextmanager
    def crashes(self) -> Iterator[list[Failure]]:
        """Yield the errors that routes do not handle until the block ends, except that HQ is down."""
        failures: list[Failure] = []

        def raised(event: RouteRaised) -> None:
            if not isinstance(event.error, HQDown):
                during = f"route {event.route}"
                failures.append(failure_of(event.error, self.preview.extension.workspace, during))

        unsubscribe = self.platform.events.subscribe(RouteRaised, raised)
        try:
            yield failures
        finally:
            unsubscribe()

    @property
    def secrets(self) -> dict[str, str]:
        """The secret values of the configuration, by name."""
        return {
            name: value
            for name, value in vars(self.preview.extension.configuration).items()
            if SECRET_NAME.search(name) and isinstance(value, str) and len(value) >= 8
        }

    # Problems.

    def problem(
        self, message: str, customer: Customer, route: str = "", severity: Severity | None = None
    ) -> Problem:
        """Return a problem with *customer*'s sequence, located at the ``def`` of *route*, or of the proof's route."""
        sequence = tuple(line for challenge in customer.challenges for line in sequence_of(challenge))
        location = self.location(route or customer.route or self.known.route)
        return Problem(message, location, severity, sequence, self.workflow.label)

    def problem_at(
        self, message: str, customer: Customer, location: Location | None, severity: Severity | None = None
    ) -> Problem:
        """As :meth:`problem`, for a known line."""
        found = self.problem(message, customer, severity=severity)
        return found if location is None else replace(found, location=location)

    def location_of(self, failure: Failure) -> Location | None:
        """Return the line that raised *failure*."""
        workspace = self.preview.extension.workspace
        return location_in(workspace, workspace / failure.file, failure.line) if failure.line else None

    def location(self, route: str) -> Location:
        """Return the location of *route*'s ``def``; the extension's ``urls.py`` if it is not known."""
        extension = self.preview.extension
        function = inspect.unwrap(self.known.routes[route]) if route in self.known.routes else None
        code = getattr(function, "__code__", None)
        path = Path(code.co_filename) if code else extension.folder / "urls.py"
        if code is None or not path.is_relative_to(extension.workspace):
            return location_in(extension.workspace, extension.folder / "urls.py", 1)
        lines = path.read_text("utf-8", "replace").splitlines()
        line = code.co_firstlineno
        while line < len(lines) and not re.match(r"\s*(async\s+)?def\b", lines[line - 1]):
            line += 1  # past the decorators
        return location_in(extension.workspace, path, line)

    def _route_called(self, event: RouteCalled) -> None:
        self.known.routes.update(event.routes)


async def until_first(awaited: asyncio.Future[Any], signal: Coroutine[Any, Any, object]) -> None:
    """Wait until *awaited* is done or *signal* ends, and let *awaited* continue. If it is done, raise its error."""
    signaled = asyncio.ensure_future(signal)
    try:
        await asyncio.wait({awaited, signaled}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        signaled.cancel()
    if awaited.done():
        awaited.result()


def location_in(workspace: Path, file: Path, line: int) -> Location:
    """Return the location of *line* in *file*, with the line's text."""
    lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    column = len(source) - len(source.lstrip()) + 1
    return Location(file.relative_to(workspace).as_posix(), line, column, source)


def sequence_of(challenge: Challenge) -> Iterator[str]:
    """Return the sequence of *challenge*, one line per message, the same in every run."""
    return (_line(row) for row in challenge.trace.rows)


def _line(row: Row) -> str:
    what = row.what if row.count == 1 else f"{row.what} (x {row.count})"
    line = f"{row.step or '·'} {PARTIES[row.sender]} → {PARTIES[row.receiver]}: {what}"
    return f"{line} FAILED: {stable(row.why)}" if row.why else line


def stable(text: str) -> str:
    """Return *text* without the parts that differ between runs."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return text


def location_of_class(workspace: Path, kind: type) -> Location | None:
    """Return the location of the class *kind*; None if it is outside the workspace."""
    try:
        file, line = inspect.getsourcefile(kind), inspect.getsourcelines(kind)[1]
    except (OSError, TypeError):
        return None
    return location_in(workspace, Path(file), line) if file and is_within(file, workspace) else None
