"""The plan of a removal, which reverts what ``create`` did for an extension."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.merge import normalized
from q2mfa_cli.plan import present
from q2mfa_cli.record import Record, claims, read_record, record_path
from q2mfa_cli.update_plan import ExtensionUpdate, FileUpdate, Outcome, UpdatePlan, recorded_extension
from q2mfa_cli.workspace import requirements_file, settings_file
from q2mfa_cli.workspace.find import REQUIREMENTS, SETTINGS, Workspace
from q2mfa_cli.workspace.registration import Registration

# Folders with third-party code that tools create in a workspace.
NOT_OWN = frozenset({"node_modules", "site-packages", "venv", "env"})


def plan_removal(workspace: Workspace, name: str, *, force: bool = False) -> UpdatePlan:
    """Plan the removal of the extension *name*.

    :param force: Also remove files that the owner edited.
    :returns: A plan without extensions if neither the folder nor the record exists. An earlier removal that was killed
        may have removed both.
    :raises Q2mfaError: The extension has no record, or the owner edited a file and *force* is false.
    """
    root = workspace.root
    if not (root / name).exists() and read_record(root, name) is None:
        return UpdatePlan(workspace, (), is_removal=True)
    record = recorded_extension(root, name)
    files = [*_files(root, record), *_byte_code(root, record)]
    edited = [file.path for file in files if file.outcome is Outcome.KEPT]
    if edited and not force:
        some = ", ".join(edited[:5]) + (f" and {len(edited) - 5} more" if len(edited) > 5 else "")
        raise Q2mfaError(
            f"{len(edited)} file{'s have' if len(edited) > 1 else ' has'} edits: {some}.",
            f"See the edits with `q2mfa diff {name}`, or delete these files with --force.",
            "edited",
        )
    files = [FileUpdate(file.path, file.before, None, Outcome.REMOVED) for file in files]
    edits, registration = _workspace_edits(workspace, record)
    registration.steps += _kept_files(root, record, files)
    path = record_path(name)
    kept = present(root, path)
    files.append(FileUpdate(path, kept if isinstance(kept, bytes) else None, None, Outcome.REMOVED))
    gone = ExtensionUpdate(record, record, tuple(files))
    return UpdatePlan(workspace, (gone,), tuple(edits), registration, is_removal=True)


def _files(root: Path, record: Record) -> Iterator[FileUpdate]:
    for path, content in record.files.items():
        owner = present(root, path)
        if isinstance(owner, bytes):
            same = normalized(owner) == normalized(content)
            yield FileUpdate(path, owner, None, Outcome.REMOVED if same else Outcome.KEPT)


def _byte_code(root: Path, record: Record) -> Iterator[FileUpdate]:
    """Yield the compiled files of the generated modules. If these files remained, so would their folders."""
    for module in [path for path in record.files if path.endswith(".py")]:
        file = root / module
        for compiled in sorted(file.parent.glob(f"__pycache__/{file.stem}.*.pyc")):
            path = compiled.relative_to(root).as_posix()
            content = present(root, path)
            if isinstance(content, bytes):
                yield FileUpdate(path, content, None, Outcome.REMOVED)


def _workspace_edits(workspace: Workspace, record: Record) -> tuple[list[FileUpdate], Registration]:
    """Return the edits of the workspace's own files, and the remaining manual steps."""
    registration = Registration(install="")
    root, name = workspace.root, record.name
    needed_hosts: set[str] = set()
    needed_requirements: set[str] = set()
    for other, added_hosts, added_requirements in claims(root):
        if other != name:
            needed_hosts |= added_hosts
            needed_requirements |= added_requirements
    edits = []
    if workspace.settings is not None:
        hosts = [host for host in record.hosts if host not in needed_hosts]
        kept = [host for host in hosts if _is_mentioned(root, record, host)]
        registration.steps += [
            f"{SETTINGS} still allows {host}, because other files mention it" for host in kept
        ]
        settings = workspace.settings
        lists = {
            settings_file.INSTALLED: [name],
            settings_file.WHITELIST: [h for h in hosts if h not in kept],
        }
        for variable, entries in lists.items():
            for entry in entries:
                try:
                    settings = settings_file.without(settings, variable, entry)
                except settings_file.NotEditable as error:
                    registration.steps.append(
                        f'Remove "{entry}" from {variable} in {SETTINGS} yourself: {error}'
                    )
        if settings != workspace.settings:
            edits.append(FileUpdate(SETTINGS, workspace.settings, settings, Outcome.UPDATED))
    if workspace.requirements is not None:
        content = workspace.requirements
        for line in record.requirements:
            if line in needed_requirements:
                continue
            if any(_is_mentioned(root, record, module) for module in record.request().integration.modules):
                registration.steps.append(f"{REQUIREMENTS} still has {line}, because other files import it")
                continue
            content = requirements_file.removed(content, line)
        if content != workspace.requirements:
            edits.append(FileUpdate(REQUIREMENTS, workspace.requirements, content, Outcome.UPDATED))
    return edits, registration


def _is_mentioned(root: Path, record: Record, word: str) -> bool:
    """Return whether a Python file of the workspace contains *word*. The extension's files and settings.py do not count."""
    pattern = re.compile(rb"(?<![\w.-])" + re.escape(word.encode()) + rb"(?![\w-])")
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name not in NOT_OWN and not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            own = path.relative_to(root).as_posix()
            if not name.endswith(".py") or own in record.files or own == SETTINGS:
                continue
            try:
                if pattern.search(path.read_bytes()):
                    return True
            except OSError:
                continue
    return False


def _kept_files(root: Path, record: Record, files: list[FileUpdate]) -> list[str]:
    """Return a step that names the owner's own files in the extension's folder, down to two levels."""
    folder = root / record.name
    gone = {file.path for file in files if file.after is None}
    own = set[str]()
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name).relative_to(root).as_posix()
            if path not in gone:
                own.add("/".join(path.split("/")[:3]))
    if not own:
        return []
    more = f" and {len(own) - 5} more" if len(own) > 5 else ""
    return [f"Your own files were kept: {', '.join(sorted(own)[:5])}{more}"]
