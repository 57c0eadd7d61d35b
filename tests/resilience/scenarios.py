"""Commands with the workspaces that they run in, and the state of each workspace before and after."""

from __future__ import annotations

import ast
import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from command import SETTINGS, Run
from fault_injection import Command, Hook, calls_of, command_line, forked, no_hook, state
from small_workspaces import SETTINGS_PATH, fill

from q2mfa_cli.record import Record, record_path
from q2mfa_cli.rendering import render
from q2mfa_cli.request import ExtensionRequest, make_request
from q2mfa_cli.transaction.locking import LOCK
from q2mfa_cli.transaction.staging import STAGING

Tree = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Scenario:
    """A command and its workspace. ``fill`` makes the workspace, or leaves it missing."""

    command: Callable[[Path], Command]
    fill: Callable[[Path], None]
    settings: Literal["first", "last"] = "last"  # when settings.py changes


# --- Commands.


def command(*arguments: str) -> Callable[[Path], Command]:
    return lambda root: command_line(*arguments, "-o", str(root))


def create(*arguments: str) -> Callable[[Path], Command]:
    return command("create", *arguments)


# --- Workspaces.


def older(root: Path) -> None:
    """As SDK 2.51 made it; settings.py is a link; the byte code of a deleted Foo is left."""
    (root / "configuration").mkdir(parents=True)
    (root / "shared").mkdir()
    (root / "shared" / "settings.py").write_bytes(b"# pylint: disable=wildcard-import\r\n" + SETTINGS)
    (root / SETTINGS_PATH).symlink_to("../shared/settings.py")
    (root / "Foo" / "__pycache__").mkdir(parents=True)
    (root / "Foo" / "__pycache__" / "urls.cpython-311.pyc").write_bytes(b"old")


def with_foo(root: Path) -> None:
    """Foo was created."""
    fill(root)
    assert forked(create("Foo", "--no-input")(root), root).status == 0


def with_changed_foo(root: Path) -> None:
    """Foo was created. Since then two of its files were changed, one was deleted, and settings.py was reset."""
    with_foo(root)
    (root / "Foo" / "factor.py").write_bytes(b"mine\n")
    (root / "Foo" / "factor.py").chmod(0o600)
    (root / "configuration" / "Foo.py").write_bytes(b"mine too\n")
    (root / "Foo" / "urls.py").unlink()
    (root / SETTINGS_PATH).write_bytes(SETTINGS)


def with_earlier_foo(root: Path) -> None:
    """An earlier version made Foo. Since then one file was edited and one was deleted.

    The update edits some files, and adds and removes files: one of two in a folder, and all of a folder and its parent.
    """
    fill(root)
    answers = make_request({"name": "Foo", "mfa": "redirect"}).answers
    old = dict(render(ExtensionRequest(answers)))
    for path in {"Foo/oidc.py", *sorted(old)[::6]}:
        old[path] = b"# old\n\n" + old[path]
    del old["Foo/urls.py"], old["Foo/tests/conftest.py"]
    old |= {"Foo/install/old.py": b"# old\n", "Foo/old/deep/old.py": b"# old\n"}
    record = Record("0.1.0.dev2", answers, old, requirements=("pyjwt[crypto]>=2.8",))
    edited = {"Foo/oidc.py": old["Foo/oidc.py"] + b"# mine\n"}
    for path, content in {**old, **edited, record_path("Foo"): record.encoded()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "Foo/README.md").unlink()
    (root / "requirements.txt").write_bytes(b"q2-sdk==2.208.1\npyjwt[crypto]>=2.8\n")


def with_answers(root: Path) -> None:
    fill(root)
    entries = [{"name": "Foo"}, {"name": "Bar", "mfa": "redirect", "issuer": "https://idp.bank.example"}]
    (root / "answers.json").write_text(json.dumps({"extensions": entries}))


SCENARIOS = {
    "create": Scenario(create("Foo", "--no-input"), fill),
    "create in an older workspace": Scenario(
        create("Foo", "--mfa=redirect", "--issuer=https://idp.x", "--no-input"), older
    ),
    "create with --force": Scenario(create("Foo", "--no-input", "--force"), with_changed_foo),
    "create two": Scenario(create("--answers", "answers.json"), with_answers),
    "create a workspace": Scenario(create("Foo", "--no-input"), lambda root: None),
    "update": Scenario(command("update", "Foo"), with_earlier_foo),
    "remove": Scenario(command("remove", "Foo"), with_foo, settings="first"),
}


class PreparedScenario:
    """A scenario that can run again and again: its tree before, its tree when complete, and the calls of a run."""

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.pristine = folder / "pristine"
        scenario.fill(self.pristine)
        # Two levels below an existing folder: a run without a workspace makes two folders.
        self.base = folder / "base"
        self.root = self.base / "a" / "workspace"
        self.settings = scenario.settings
        self.command = scenario.command(self.root)
        self.reset()
        self.before = state(self.base)
        self.calls = calls_of(self.command, self.cwd)
        self.complete = state(self.base)
        assert self.complete != self.before
        assert without_ours(self.complete) == self.complete

    @property
    def cwd(self) -> Path:
        return self.root if self.root.exists() else self.base

    @property
    def points(self) -> list[int]:
        """The numbers of the calls to disturb: of each function, the first and the last; and the middle rename."""
        numbers = defaultdict(list)
        for number, call in enumerate(self.calls):
            numbers[call].append(number)
        middle = {each[len(each) // 2] for call, each in numbers.items() if call in ("rename", "replace")}
        return sorted(middle | {each[index] for each in numbers.values() for index in (0, -1)})

    def reset(self) -> None:
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir()
        if self.pristine.exists():
            shutil.copytree(self.pristine, self.root, symlinks=True)

    def run(self, before: Hook = no_hook, after: Hook = no_hook) -> Run:
        return forked(self.command, self.cwd, before, after)

    def assert_each_file_is_as_before_or_complete(self, where: str) -> None:
        """Also, settings.py changes first or last, as the scenario says. So it never names a missing file."""
        left = state(self.base)
        for path in {**self.before, **self.complete, **without_ours(left)}:
            assert left.get(path) in (self.before.get(path), self.complete.get(path)), f"{path} {where}"
        settings = self.root / SETTINGS_PATH
        if settings.exists():
            ast.parse(settings.read_bytes())
            path = settings.resolve().relative_to(self.base.resolve()).as_posix()
            is_new = left[path] != self.before[path]
            if self.settings == "last" and is_new:
                assert files(left) == files(self.complete), where
            if self.settings == "first" and not is_new:
                assert files(left) == files(self.before), where

    def assert_same_command_finishes(self, where: str) -> None:
        again = self.run()
        assert again.status == 0 and state(self.base) == self.complete, f"{where}\n{again}"


def without_ours(tree: Tree) -> Tree:
    """*tree* without the lock and the staging folder."""
    return {path: entry for path, entry in tree.items() if LOCK not in path and STAGING not in path}


def files(tree: Tree) -> Tree:
    """The files of *tree*, without the lock and the staging folder."""
    return {path: entry for path, entry in without_ours(tree).items() if not str(entry[0]).startswith("d")}
