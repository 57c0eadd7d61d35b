"""Verify an extension in this process: a generated one from the golden trees, or a hand-written one; with a defect or without."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from preview_process import make_workspace

from q2mfa_cli.commands.verify import VerifyOptions, verify
from q2mfa_cli.platform.verify.results import Finding, Report

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
GENERATED = "MyExternalMFA"


@dataclass(frozen=True)
class Defect:
    """One defect.

    :param check: the id that has to find it. :param file: relative to the workspace.
    :param edits: what is replaced by what; each has to be there exactly once.
    :param line: a part of the line that the finding has to point at. :param says: a part of its message.
    """

    check: str
    file: str
    edits: tuple[tuple[str, str], ...]
    line: str
    says: str
    workflow: str = "login"

    def put_into(self, workspace: Path) -> None:
        file = workspace / self.file
        text = file.read_text("utf-8")
        for old, new in self.edits:
            assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
            text = text.replace(old, new)
        file.write_text(text, "utf-8")


def generated(root: Path, variant: str) -> Path:
    """A workspace with the golden tree *variant* in it, as :data:`GENERATED`."""
    workspace = make_workspace(root)
    settings = workspace / "configuration" / "settings.py"
    settings.write_text(settings.read_text().replace("[]", f"['{GENERATED}']"))
    shutil.copytree(SNAPSHOTS / variant / GENERATED, workspace / GENERATED)
    shutil.copy(SNAPSHOTS / variant / "configuration" / f"{GENERATED}.py", workspace / "configuration")
    return workspace


def verified(workspace: Path, name: str, *checks: str, workflow: str = "login", **options: object) -> Report:
    """The report of *checks*, of all if there are none, in one workflow."""
    wanted = VerifyOptions(checks=checks, workflows=[workflow] if workflow else [], **options)  # type: ignore[arg-type]
    (report,) = verify(workspace, [name], wanted, lambda text: None)
    return report


def found(workspace: Path, name: str, defect: Defect) -> list[Finding]:
    """What the check of *defect* finds in the workspace, once the defect is in it."""
    defect.put_into(workspace)
    return list(verified(workspace, name, defect.check, workflow=defect.workflow).findings)


def assert_finds(findings: list[Finding], defect: Defect) -> None:
    at = [each for each in findings if defect.line in each.location.source and defect.says in each.message]
    assert at, findings
    assert {each.check.id for each in findings} == {defect.check}
