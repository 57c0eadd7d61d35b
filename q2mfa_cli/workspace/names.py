"""The extension names that a workspace already uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from q2mfa_cli.errors import UsageError
from q2mfa_cli.integrations import is_external_mfa
from q2mfa_cli.workspace import settings_file
from q2mfa_cli.workspace.find import CONFIGURATION, Workspace, listed

# The files of an extension that `create` writes before extension.py, in order.
WRITTEN_FIRST = ("AGENTS.md", "README.md", "__init__.py", "customer.py")


def name_checker(workspace: Workspace) -> Callable[[str], str]:
    """Return a function that returns its argument, a name, or raises :class:`UsageError` if *workspace* already uses the name.

    The function ignores case. It accepts the name of a folder that may be the same extension, created earlier: the plan
    compares the files.

    :raises Q2mfaError: A folder cannot be read.
    """
    taken: dict[str, list[tuple[str, str]]] = {}
    for name, why in _taken(workspace):
        taken.setdefault(name.lower(), []).append((name, why))

    def check(name: str) -> str:
        for other, why in taken.get(name.lower(), []):
            if why == _configured(f"{name}.py"):
                continue
            same = other == name and not why.lower().endswith(".py is in the workspace")
            if same and (workspace.root / name / "extension.py").is_file():
                if not is_external_mfa(workspace.root / name):
                    why = f"{name}/ contains an extension that is not External MFA"
                    raise UsageError(f"{name} is taken: {why}.", "Choose another name.", "name_taken")
            elif not (same and _may_be_started(workspace.root / name)):
                raise UsageError(f"{name} is taken: {why}.", "Choose another name.", "name_taken")
        return name

    return check


def refuse_duplicates(names: Iterable[str]) -> None:
    """Check that *names* are unique, ignoring case.

    :raises UsageError: Two names are the same.
    """
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            raise UsageError(
                f"Two extensions are named {seen[name.lower()]} and {name}.",
                "Names must be unique, ignoring case.",
                "name_taken",
            )
        seen[name.lower()] = name


def _taken(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Yield each name in use, and why: packages, modules, configurations and installed extensions."""
    for path in listed(workspace.root):
        name = path.stem if path.suffix.lower() == ".py" else path.name
        yield name, f"{path.name} is in the workspace"
    for path in listed(workspace.root / CONFIGURATION):
        yield path.stem, _configured(path.name)
    try:
        installed = settings_file.mentioned_names(workspace.settings or b"")
    except settings_file.NotEditable:
        installed = []
    for name in installed:
        yield name, f"{name} is an installed extension"


def _configured(file: str) -> str:
    return f"{CONFIGURATION}/{file} is in the workspace"


def _may_be_started(folder: Path) -> bool:
    """Return whether *folder* has only compiled files of a removed extension, or also the first files of a new one.

    A run that was killed in such a folder may have written only the files that come before ``extension.py``. The same
    command must be able to complete the extension.
    """
    if not folder.is_dir():
        return False
    names = {path.name for path in listed(folder)} - {"__pycache__"}
    return any(names == set(WRITTEN_FIRST[:count]) for count in range(len(WRITTEN_FIRST) + 1))
