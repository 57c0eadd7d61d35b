"""What a dynamic check works with: the served extension, its customers, and everything that can go wrong around them."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from q2mfa_cli.platform.cache import Q2CacheClient
from q2mfa_cli.platform.events import ReadingsChanged, RouteCalled
from q2mfa_cli.platform.preview.challenges import Challenge
from q2mfa_cli.platform.preview.serving import Preview
from q2mfa_cli.platform.preview.trace import PARTIES, Row
from q2mfa_cli.platform.preview.workflows import Workflow
from q2mfa_cli.platform.verify.check import Location, Problem, Severity
from q2mfa_cli.platform.verify.customer import Customer

# What changes from run to run in a sequence: ports, addresses in memory, long random texts.
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


class _FailingPool:
    """A pool of connections that gives none any more after the first *working*."""

    def __init__(self, pool: Any, working: int) -> None:
        self._pool, self._left = pool, working

    def get_and_release(self, *args: Any, **options: Any) -> Any:
        if self._left <= 0:
            raise CacheFault(FAULT)
        self._left -= 1
        return self._pool.get_and_release(*args, **options)


@dataclass
class Known:
    """What earlier checks learned of the extension.

    :param routes: the function behind each route. :param route: the one that takes the proof; empty if it is not known.
    """

    routes: dict[str, Callable[..., Any]] = field(default_factory=dict)
    route: str = ""


class Bench:
    """One check in one workflow."""

    def __init__(
        self, preview: Preview, workflow: Workflow, customer_class: type[Customer], known: Known
    ) -> None:
        self.preview, self.workflow, self.customer_class = preview, workflow, customer_class
        self.platform, self.known = preview.uux.platform, known
        self._unsubscribe = self.platform.events.subscribe(RouteCalled, self._route_called)

    def close(self) -> None:
        self._unsubscribe()

    def customer(self) -> Any:
        """A new customer, of :attr:`customer_class`. In the standard integration, each challenge is another person's."""
        return self.customer_class(self.preview, self.workflow)

    async def routes(self) -> list[str]:
        """The routes of the extension that a page can ask."""
        customer = self.customer()
        await customer.request_extension_data(await customer.open_challenge(), "default", {}, is_known=False)
        return sorted(self.known.routes)

    # What can go wrong around the extension.

    def reload(self) -> None:
        """Import the extension again: what follows is answered as if by another worker. The cache and HQ stay."""
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
    def failing_cache(self, after: int = 0) -> Iterator[None]:
        """Let every use of the cache fail until the block ends, but for the first *after*."""
        platform, before = self.platform, self.platform.cache
        failing = before.with_prefix("")
        failing.client_pool = _FailingPool(before.client_pool, after)
        platform.__dict__["cache"] = failing
        try:
            yield
        finally:
            platform.__dict__["cache"] = before

    @property
    def cache(self) -> Q2CacheClient:
        return self.platform.cache

    # What a check found.

    def problem(
        self, message: str, customer: Customer, route: str = "", severity: Severity | None = None
    ) -> Problem:
        """What was found: the sequence is that of *customer*, and the place is the ``def`` of *route*, else that of the proof."""
        sequence = tuple(line for challenge in customer.challenges for line in sequence_of(challenge))
        location = self.location(route or customer.route or self.known.route)
        return Problem(message, location, severity, sequence, self.workflow.label)

    def location(self, route: str) -> Location:
        """Where *route* is defined; the extension's ``urls.py`` if that is not known."""
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


def location_in(workspace: Path, file: Path, line: int) -> Location:
    """The place *line* of *file*, with the line's text."""
    lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    column = len(source) - len(source.lstrip()) + 1
    return Location(file.relative_to(workspace).as_posix(), line, column, source)


def sequence_of(challenge: Challenge) -> Iterator[str]:
    """The sequence of *challenge*, a line per message, the same in every run."""
    return (_line(row) for row in challenge.trace.rows)


def _line(row: Row) -> str:
    what = row.what if row.count == 1 else f"{row.what} (x {row.count})"
    line = f"{row.step or '·'} {PARTIES[row.sender]} → {PARTIES[row.receiver]}: {what}"
    return f"{line} FAILED: {stable(row.why)}" if row.why else line


def stable(text: str) -> str:
    """*text*, a reason, without what changes from run to run."""
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    return text
