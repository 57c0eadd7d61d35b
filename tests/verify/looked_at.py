"""Extensions whose page a browser looks at, with a defect or without. One browser for all, and one preview for each extension."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from served import Edit, Served, generated, hand_written, importable

from q2mfa_cli.platform.events import ReadingsChanged
from q2mfa_cli.platform.preview.serving import Preview, serving
from q2mfa_cli.platform.preview.workflows import workflow_named
from q2mfa_cli.platform.verify.check import NotApplicable, Problem
from q2mfa_cli.platform.verify.customers.choice import customer_class_of
from q2mfa_cli.platform.verify.dynamic import DYNAMIC
from q2mfa_cli.platform.verify.dynamic.bench import Bench, Known
from q2mfa_cli.platform.verify.dynamic.browser import Browser


@dataclass
class SharedBrowser:
    """A browser, and the event loop that it runs in."""

    loop: asyncio.AbstractEventLoop
    browser: Browser
    is_owner: bool = True

    def close(self) -> None:
        self.loop.run_until_complete(self.browser.aclose())
        if self.is_owner:
            self.loop.close()


@dataclass
class LookedAt:
    """A served extension. :param name: of a golden tree or a folder of ``hand_written/dynamic``."""

    name: str
    served: Served
    shared: SharedBrowser
    preview: Preview

    def find(self, check: str, edits: Sequence[Edit] = (), workflow: str = "login") -> list[Problem]:
        """What *check* finds once its source is changed.

        :raises NotApplicable: the check is not for this extension. :raises Skipped: it cannot run.
        """
        with self.edited(edits):
            return self.find_all([check], workflow)[check]

    def find_all(self, checks: Iterable[str], workflow: str = "login") -> dict[str, list[Problem]]:
        """What *checks* find, as in one run."""
        return self.find_and_reject(checks, (), workflow)[0]

    def find_and_reject(
        self, checks: Iterable[str], others: Iterable[str], workflow: str = "login"
    ) -> tuple[dict[str, list[Problem]], dict[str, str]]:
        """What *checks* find, and why those of *others* that are not for this extension are not, as in one run."""
        return self.shared.loop.run_until_complete(self._find(checks, others, workflow))

    async def _find(
        self, checks: Iterable[str], others: Iterable[str], workflow: str
    ) -> tuple[dict[str, list[Problem]], dict[str, str]]:
        known = Known(browser=self.shared.browser)
        bench = Bench(
            self.preview, workflow_named(workflow), customer_class_of(self.preview.extension), known
        )
        try:
            found = {check: list(await DYNAMIC[check](bench)) for check in checks}
            reasons = {}
            for check in others:
                try:
                    await DYNAMIC[check](bench)
                except NotApplicable as reason:
                    reasons[check] = str(reason)
            return found, reasons
        finally:
            bench.close()

    @contextlib.contextmanager
    def edited(self, edits: Sequence[Edit]) -> Iterator[None]:
        """Change the source until the block ends."""
        try:
            with self.served.edited(edits):
                self._reload(edits)
                yield
        finally:
            self._reload(edits)

    def _reload(self, edits: Sequence[Edit]) -> None:
        # At once: the preview would notice it itself in the middle of a look, and open the page again.
        if edits:
            self.shared.browser.unusable.clear()
            self.shared.loop.run_until_complete(self._publish_change())

    async def _publish_change(self) -> None:
        # In the loop: a page that is about to close is told, too.
        self.preview.uux.platform.events.publish(ReadingsChanged())


@contextlib.contextmanager
def looked_at(root: Path, name: str, shared: SharedBrowser) -> Iterator[LookedAt]:
    """The extension *name*, of the golden trees or of ``hand_written/dynamic``, until the block ends."""
    served = generated(root, name) if "-" in name else hand_written(root, name)
    with importable(served.workspace, served.name):
        serves = serving(served.workspace, served.name, 0)
        preview = shared.loop.run_until_complete(serves.__aenter__())
        try:
            yield LookedAt(name, served, shared, preview)
        finally:
            shared.loop.run_until_complete(serves.__aexit__(None, None, None))
