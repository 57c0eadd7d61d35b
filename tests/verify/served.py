"""Extensions with a defect, served in this process, and what the dynamic checks find in them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import verifying
from preview_process import make_workspace
from verifying import GENERATED

from q2mfa_cli.platform import FAKE_SDK
from q2mfa_cli.platform.preview.serving import serving
from q2mfa_cli.platform.preview.workflows import workflow_named
from q2mfa_cli.platform.verify.check import Problem
from q2mfa_cli.platform.verify.customers.choice import customer_class_of
from q2mfa_cli.platform.verify.dynamic import DYNAMIC
from q2mfa_cli.platform.verify.dynamic.bench import Bench, Known

HAND_WRITTEN = Path(__file__).parent / "hand_written"

Edit = tuple[str, str, str]
"""A file of the extension, or ``configuration``; a text that it has once; and the text instead."""


@dataclass(frozen=True)
class Defect:
    """One defect.

    :param check: the id of the check that sees it. :param says: the message of one of its findings.
    :param edits: what is changed. :param severity: of the finding, if it is not the check's. :param name: for the test.
    """

    check: str
    says: str
    edits: tuple[Edit, ...]
    severity: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.check}{'-' if self.name else ''}{self.name}"


@dataclass(frozen=True)
class Served:
    """A workspace with one extension, *name*."""

    workspace: Path
    name: str

    def run(self, ids: Iterable[str], workflow: str = "login") -> dict[str, list[Problem]]:
        """What each of the checks *ids* finds.

        :raises NotApplicable: a check is not for this extension. :raises Skipped: a check cannot run.
        """

        async def run() -> dict[str, list[Problem]]:
            found = {}
            async with serving(self.workspace, self.name, 0) as preview:
                preview.extension.check()
                for check_id in ids:
                    customers = customer_class_of(preview.extension)
                    bench = Bench(preview, workflow_named(workflow), customers, Known())
                    try:
                        found[check_id] = list(await DYNAMIC[check_id](bench))
                    finally:
                        bench.close()
            return found

        with importable(self.workspace, self.name):
            return asyncio.run(run())

    def find(self, defect: Defect) -> Problem:
        """The one problem that *defect* names."""
        with self.edited(defect.edits):
            problems = self.run([defect.check])[defect.check]
        found = [problem for problem in problems if problem.message == defect.says]
        assert len(found) == 1, [problem.message for problem in problems]
        severity = found[0].severity
        assert ("" if severity is None else severity.label) == defect.severity
        return found[0]

    @contextlib.contextmanager
    def edited(self, edits: Sequence[Edit]) -> Iterator[None]:
        """Change the source until the block ends."""
        before: dict[Path, str] = {}
        try:
            for place, old, new in edits:
                file = self.file(place)
                text = file.read_text("utf-8")
                before.setdefault(file, text)
                assert text.count(old) == 1, f"{place} has {text.count(old)} times: {old}"
                file.write_text(text.replace(old, new), "utf-8")
            yield
        finally:
            for file, text in before.items():
                file.write_text(text, "utf-8")

    def file(self, place: str) -> Path:
        if place == "configuration":
            return self.workspace / "configuration" / f"{self.name}.py"
        return self.workspace / self.name / place


def generated(root: Path, variant: str) -> Served:
    """The generated extension *variant*, a folder of tests/snapshots."""
    return Served(verifying.generated(root, variant), GENERATED)


def hand_written(root: Path, name: str) -> Served:
    """The extension *name* of the folder ``hand_written/dynamic``."""
    make_workspace(root)
    shutil.copytree(HAND_WRITTEN / "dynamic" / name, root / name)
    settings = root / "configuration" / "settings.py"
    settings.write_text(settings.read_text().replace("[]", f"['{name}']"))
    shutil.move(root / name / "configuration.py", root / "configuration" / f"{name}.py")
    return Served(root, name)


@contextlib.contextmanager
def importable(workspace: Path, name: str) -> Iterator[None]:
    """Let the extension and the fake SDK be imported until the block ends, and forget them then."""
    path, bytecode = list(sys.path), sys.dont_write_bytecode
    sys.path[:0] = [str(workspace), str(FAKE_SDK)]
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, bytecode
        for module in list(sys.modules):
            if module.partition(".")[0] in ("q2_sdk", "configuration", name):
                del sys.modules[module]
