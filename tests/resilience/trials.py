"""Commands, the workspaces they are run in, and what those have to look like afterwards."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from command import SETTINGS, Run
from faults import Hook, calls_of, forked, no_hook, state

SETTINGS_PATH = "configuration/settings.py"
Tree = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Scenario:
    """A command, and the folder that it is run for: ``make`` fills a given folder, or leaves it missing."""

    arguments: list[str]
    make: Callable[[Path], None]


def plain(root: Path) -> None:
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    (root / SETTINGS_PATH).write_bytes(SETTINGS)
    (root / SETTINGS_PATH).chmod(0o640)
    (root / "requirements.txt").write_bytes(b"q2-sdk==2.208.1\n")


def older(root: Path) -> None:
    """As SDK 2.51 left it, settings.py a link as some teams keep it, and byte code of a Foo that is gone."""
    (root / "configuration").mkdir(parents=True)
    (root / "shared").mkdir()
    (root / "shared" / "settings.py").write_bytes(b"# pylint: disable=wildcard-import\r\n" + SETTINGS)
    (root / SETTINGS_PATH).symlink_to("../shared/settings.py")
    (root / "Foo" / "__pycache__").mkdir(parents=True)
    (root / "Foo" / "__pycache__" / "urls.cpython-311.pyc").write_bytes(b"old")


def changed(root: Path) -> None:
    """Foo was created before; since then two of its files were changed and one was lost."""
    plain(root)
    assert forked(["create", "Foo", "--no-input"], root).status == 0
    (root / "Foo" / "factor.py").write_bytes(b"mine\n")
    (root / "Foo" / "factor.py").chmod(0o600)
    (root / "configuration" / "Foo.py").write_bytes(b"mine too\n")
    (root / "Foo" / "urls.py").unlink()
    (root / SETTINGS_PATH).write_bytes(SETTINGS)


def batch(root: Path) -> None:
    plain(root)
    entries = [{"name": "Foo"}, {"name": "Bar", "mfa": "redirect", "issuer": "https://idp.bank.example"}]
    (root / "answers.json").write_text(json.dumps({"extensions": entries}))


SCENARIOS = {
    "fresh": Scenario(["create", "Foo", "--no-input"], plain),
    "older": Scenario(["create", "Foo", "--mfa=redirect", "--issuer=https://idp.x", "--no-input"], older),
    "force": Scenario(["create", "Foo", "--no-input", "--force"], changed),
    "batch": Scenario(["create", "--answers", "answers.json"], batch),
    "no workspace": Scenario(["create", "Foo", "--no-input"], lambda root: None),
}


class Trial:
    """One scenario: its tree before, its tree when complete, and the calls of a run that nothing disturbs."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.pristine = folder / "pristine"
        scenario.make(self.pristine)
        # Two levels below an existing folder, so that a missing workspace means two folders to make.
        self.base = folder / "base"
        self.root = self.base / "a" / "workspace"
        self.exists = self.pristine.exists()
        self.arguments = [*scenario.arguments, *([] if self.exists else ["-o", str(self.root)])]
        self.reset()
        self.before = state(self.base)
        self.calls = calls_of(self.arguments, self.cwd)
        self.complete = state(self.base)
        assert self.complete != self.before
        assert not [path for path in self.complete if ".q2mfa" in path]

    @property
    def distinct(self) -> list[int]:
        """The numbers of the calls, but of those that only fill the staging folder just every ninth."""
        return [
            n for n, call in enumerate(self.calls) if call not in ("open", "write", "fsync") or n % 9 == 0
        ]

    @property
    def cwd(self) -> Path:
        return self.root if self.exists else self.base

    def reset(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir()
        if self.exists:
            shutil.copytree(self.pristine, self.root, symlinks=True)

    def run(self, before: Hook = no_hook, after: Hook = no_hook) -> Run:
        return forked(self.arguments, self.cwd, before, after)


def without_ours(tree: Tree) -> Tree:
    """*tree* without what q2mfa keeps for itself while it is at work."""
    return {path: entry for path, entry in tree.items() if ".q2mfa" not in path}


def assert_not_half_edited(trial: Trial, left: Tree, where: str) -> None:
    """Each path is as before or as when complete, and settings.py comes last."""
    trees = (trial.before, trial.complete)
    for path, entry in without_ours(left).items():
        assert entry in (tree.get(path) for tree in trees), f"{path} {where}"
    for path in trial.before:
        assert path in left, f"{path} {where}"
    settings = trial.root / SETTINGS_PATH
    if settings.exists():
        ast.parse(settings.read_bytes())
        path = settings.resolve().relative_to(trial.base.resolve()).as_posix()
        if left[path] != trial.before[path]:
            assert without_ours(left) == trial.complete, where
