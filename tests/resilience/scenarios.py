"""Commands with the workspaces that they run in, and the state of each workspace before and after."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from command import SETTINGS, Run
from fault_injection import Command, Hook, calls_of, command_line, forked, no_hook, state
from small_workspaces import SETTINGS_PATH, fill

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.transaction import Change, Transaction
from q2mfa_cli.transaction.locking import LOCK
from q2mfa_cli.transaction.staging import STAGING

Tree = dict[str, tuple[object, ...]]
Plan = Callable[[Path], list[Change]]


@dataclass(frozen=True)
class Scenario:
    """A command and its workspace. ``fill`` makes the workspace, or leaves it missing."""

    command: Callable[[Path], Command]
    fill: Callable[[Path], None]
    settings: Literal["first", "last"] = "last"  # when settings.py changes


# --- Commands.


def create(*arguments: str) -> Callable[[Path], Command]:
    return lambda root: command_line("create", *arguments, "-o", str(root))


def transaction(plan: Plan) -> Callable[[Path], Command]:
    """A command that applies the changes of *plan* and shows errors as the command line does."""

    def command(root: Path) -> None:
        try:
            with Transaction(root) as open_transaction:
                open_transaction.apply(plan(root))
        except KeyboardInterrupt:
            print("Error: Interrupted.\nRun the command again.", file=sys.stderr)
            sys.exit(130)
        except Q2mfaError as error:
            print(f"Error: {error.message}\n{error.hint}", file=sys.stderr)
            sys.exit(1)

    return lambda root: lambda: command(root)


def changes(root: Path, wanted: dict[str, bytes | None]) -> list[Change]:
    """The changes that give each path its *wanted* content."""
    present = {path: (root / path).read_bytes() if (root / path).exists() else None for path in wanted}
    return [Change(path, present[path], wanted[path]) for path in wanted if present[path] != wanted[path]]


def remove_foo(root: Path) -> list[Change]:
    files = [path.relative_to(root).as_posix() for path in sorted(root.glob("Foo/**/*")) if path.is_file()]
    return changes(root, {SETTINGS_PATH: SETTINGS, "configuration/Foo.py": None, **dict.fromkeys(files)})


def update_foo(root: Path) -> list[Change]:
    """Edit, add and remove files: one of two in a folder, and all of a folder and its parent."""
    return changes(
        root,
        {
            "Foo/README.md": b"edited\n",
            "Foo/install/db_plan.py": None,
            "Foo/frontend/public/assets/languages/en-US.json": None,
            "Foo/added/deep/new.py": b"# new\n",
            "Foo/tests/conftest.py": b"edited too\n",
            SETTINGS_PATH: SETTINGS + b"# updated\n",
        },
    )


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
    "update": Scenario(transaction(update_foo), with_foo),
    "remove": Scenario(transaction(remove_foo), with_foo, settings="first"),
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
        """The numbers of the calls to disturb: of each function, the first two, the middle one and the last two."""
        numbers = defaultdict(list)
        for number, call in enumerate(self.calls):
            numbers[call].append(number)
        return sorted({n for each in numbers.values() for n in [*each[:2], each[len(each) // 2], *each[-2:]]})

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
