"""The plan of a change to a workspace. The plan is complete: applying it, its diff and its report need nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from q2mfa_cli import __version__
from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.record import Additions, Record, read_record, record_path
from q2mfa_cli.rendering import RenderedTree, render
from q2mfa_cli.request import ExtensionRequest, variants
from q2mfa_cli.transaction import Change
from q2mfa_cli.workspace.find import REQUIREMENTS, SETTINGS, Workspace
from q2mfa_cli.workspace.names import name_checker, refuse_duplicates
from q2mfa_cli.workspace.registration import Registration, plan_registration

Progress = Callable[[Sequence[ExtensionRequest]], Iterable[ExtensionRequest]]


class Action(Enum):
    """What happens to a file."""

    CREATE = "created"
    EDIT = "edited"
    KEEP = "unchanged"
    REMOVE = "removed"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file of a plan.

    :param path: Relative to the workspace, ``/``-separated.
    :param before: The current bytes; ``None`` if the file does not exist.
    :param after: The bytes after the change; ``None`` if the file is removed.
    """

    path: str
    before: bytes | None
    after: bytes | None
    action: Action

    @property
    def changes(self) -> bool:
        return self.action in (Action.CREATE, Action.EDIT, Action.REMOVE)


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """The files of one extension.

    :param touched: The workspace's own files that are edited for the extension.
    :param leftovers: Paths of edited files that belong only to another variant of the extension.
    """

    request: ExtensionRequest
    files: tuple[PlannedFile, ...]
    touched: tuple[PlannedFile, ...]
    leftovers: tuple[str, ...] = ()

    def paths(self, action: Action) -> list[str]:
        """Return the sorted paths of the files with this action, including the workspace's own files."""
        return sorted(file.path for file in (*self.files, *self.touched) if file.action is action)


@dataclass(frozen=True, slots=True)
class Plan:
    """A change to the workspace.

    :param edits: The workspace's own files, in the order in which they are written.
    """

    workspace: Workspace
    extensions: tuple[ExtensionPlan, ...]
    edits: tuple[PlannedFile, ...]
    registration: Registration

    @property
    def files(self) -> Iterator[PlannedFile]:
        """All files, in the order in which they are written: ``settings.py`` last, because it activates an extension."""
        for extension in self.extensions:
            yield from extension.files
        yield from self.edits

    @property
    def changes(self) -> list[Change]:
        """The changes to apply."""
        return [Change(file.path, file.before, file.after) for file in self.files if file.changes]

    @property
    def conflicts(self) -> list[str]:
        return [file.path for file in self.files if file.action is Action.CONFLICT]


def plan_creation(
    workspace: Workspace,
    requests: Sequence[ExtensionRequest],
    *,
    force: bool = False,
    register: bool = True,
    progress: Progress = iter,
) -> Plan:
    """Plan the creation of the extensions in *requests*.

    :param force: Replace files that differ, instead of reporting a conflict.
    :param register: Edit ``configuration/settings.py``.
    :param progress: Wraps the requests, to show progress while they are rendered.
    :raises Q2mfaError: A name is taken, a file conflicts or cannot be read, or a link leads out of the workspace.
    """
    refuse_duplicates(request.name for request in requests)
    check_name = name_checker(workspace)
    for request in requests:
        check_name(request.name)
    registration = plan_registration(workspace, requests, register)
    edits = {path: _edit(workspace, path, after) for path, after in registration.edits.items()}
    additions = Additions(workspace, registration.edits)
    extensions = tuple(
        _extension(
            workspace.root,
            request,
            tuple(edits[path] for path in registration.touched.get(request.name, [])),
            additions,
            force,
        )
        for request in progress(requests)
    )
    in_order = tuple(sorted(edits.values(), key=lambda edit: edit.path == SETTINGS))
    plan = Plan(workspace, extensions, in_order, registration)
    _refuse_conflicts(plan.conflicts)
    return plan


def _extension(
    root: Path,
    request: ExtensionRequest,
    touched: tuple[PlannedFile, ...],
    additions: Additions,
    force: bool,
) -> ExtensionPlan:
    """Return the plan of one extension. Its record is the last file."""
    recorded = _recorded(root, request.name, force)
    version, filled_in = __version__, frozenset[str]()
    if recorded and recorded.answers == request.answers and not force:
        if render(request, recorded.version) != recorded.files:
            raise Q2mfaError(
                f"{request.name} was generated by q2mfa {recorded.version} and is out of date.",
                f"Run `q2mfa update {request.name}`, which keeps your edits.",
                "behind",
            )
        version = recorded.version
        filled_in = frozenset(request.integration.filled_in(request.answers))
    tree = render(request, version)
    files = [
        # The next steps ask the owner to edit these files.
        replace(file, action=Action.KEEP)
        if file.action is Action.CONFLICT and file.before is not None and file.path in filled_in
        else file
        for file in _compare(root, tree, force)
    ]
    if recorded and not force and any(file.action is Action.CONFLICT for file in files):
        _refuse_other_answers(request, recorded)
    edited = []
    # Without --force, files of another variant are a conflict.
    if force and any(file.action is Action.EDIT for file in files):
        for path, versions in _of_other_variants(request, tree, recorded).items():
            before = present(root, path)
            if before in versions:
                files.append(PlannedFile(path, before, None, Action.REMOVE))
            elif isinstance(before, bytes):
                edited.append(path)
    record = Record(version, request.answers, tree, open=() if force or not recorded else recorded.open)
    files.append(_record_file(root, additions.recorded(record), recorded))
    return ExtensionPlan(request, tuple(files), touched, tuple(edited))


def _of_other_variants(
    request: ExtensionRequest, tree: RenderedTree, recorded: Record | None
) -> dict[str, list[bytes]]:
    """Return the files that other variants of the extension have and *tree* does not: path → all possible contents."""
    found: dict[str, list[bytes]] = {}
    others = [render(variant) for variant in variants(request)]
    for files in [*others, recorded.files] if recorded else others:
        for path, content in files.items():
            if path not in tree:
                # Git may have changed the line endings at checkout.
                found.setdefault(path, []).extend([content, content.replace(b"\n", b"\r\n")])
    return dict(sorted(found.items()))


def diff(plan: Plan) -> str:
    """Return a unified diff of the workspace's own files and of every replaced or removed file, except records."""
    replaced = [
        file
        for each in plan.extensions
        for file in each.files
        if file.action in (Action.EDIT, Action.REMOVE) and file.path != record_path(each.request.name)
    ]
    return "".join(unified_diff(file.path, file.before, file.after) for file in (*replaced, *plan.edits))


def _edit(workspace: Workspace, path: str, after: bytes) -> PlannedFile:
    before = {SETTINGS: workspace.settings, REQUIREMENTS: workspace.requirements}[path]
    return PlannedFile(path, before, after, Action.CREATE if before is None else Action.EDIT)


def _refuse_other_answers(request: ExtensionRequest, recorded: Record) -> None:
    """Raise an error if the extension exists with other answers that `q2mfa update --answer` can change.

    :raises Q2mfaError: The answers differ, but not in the integration.
    """
    changed = {key: value for key, value in request.answers.items() if recorded.answers.get(key) != value}
    if changed and "mfa" not in changed:
        flags = " ".join(f"--answer {key}=…" for key in changed)
        raise Q2mfaError(
            f"{request.name} already exists with different answers: {', '.join(changed)}.",
            f"Change them with `q2mfa update {request.name} {flags}`, or replace the files with --force.",
            "conflict",
        )


def _recorded(root: Path, name: str, force: bool) -> Record | None:
    try:
        return read_record(root, name)
    except Q2mfaError:
        if force:
            return None
        raise


def _record_file(root: Path, record: Record, recorded: Record | None) -> PlannedFile:
    path = record_path(record.name)
    before = present(root, path)
    if not isinstance(before, bytes):
        return PlannedFile(path, None, record.encoded(), before)
    if record == recorded:
        return PlannedFile(path, before, before, Action.KEEP)
    return PlannedFile(path, before, record.encoded(), Action.EDIT)


def _compare(root: Path, tree: RenderedTree, force: bool) -> Iterator[PlannedFile]:
    for path, content in tree.items():
        before = present(root, path)
        if isinstance(before, Action):
            yield PlannedFile(path, None, content, before)
        # Git may have changed the line endings at checkout (`* text=auto`).
        elif before in (content, content.replace(b"\n", b"\r\n")):
            yield PlannedFile(path, before, content, Action.KEEP)
        else:
            yield PlannedFile(path, before, content, Action.EDIT if force else Action.CONFLICT)


def present(root: Path, path: str) -> bytes | Action:
    """Return the content of a file; if it cannot be read as a file, ``CREATE`` or ``CONFLICT``.

    :raises Q2mfaError: The path leads out of the workspace, or the file cannot be read.
    """
    target = root / path
    try:
        # The workspace itself may be a link, but no link in it may lead out of it.
        if not target.resolve().is_relative_to(root):
            raise Q2mfaError(
                f"{path} leads out of the workspace through a symbolic link.",
                "Remove the link, or choose another name.",
                "outside_workspace",
            )
        return target.read_bytes()
    except FileNotFoundError:
        # Windows also raises this if a parent of the path is a file.
        blocked = target.is_symlink() or any(map(os.path.isfile, target.parents[: path.count("/")]))
        return Action.CONFLICT if blocked else Action.CREATE
    except (IsADirectoryError, NotADirectoryError):
        return Action.CONFLICT
    except (OSError, RuntimeError) as error:
        # On Windows, opening a folder as a file is a permission error.
        if isinstance(error, PermissionError) and os.path.isdir(target):
            return Action.CONFLICT
        raise Q2mfaError(
            f"{shown(str(target))} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "Check its permissions.",
            "workspace_unreadable",
        ) from error


def _refuse_conflicts(conflicts: Sequence[str]) -> None:
    if conflicts:
        some = ", ".join(conflicts[:5]) + (f" and {len(conflicts) - 5} more" if len(conflicts) > 5 else "")
        count = "1 file already exists" if len(conflicts) == 1 else f"{len(conflicts)} files already exist"
        raise Q2mfaError(
            f"{count} with different content: {some}.",
            "Choose another name, move them away, or replace them with --force.",
            "conflict",
        )


def unified_diff(path: str, before: bytes | None, after: bytes | None) -> str:
    """Return the changes to one file, in the format of ``diff -u``."""
    import difflib  # only needed for a diff

    old = (before or b"").decode("utf-8", "replace").splitlines(keepends=True)
    new = (after or b"").decode("utf-8", "replace").splitlines(keepends=True)
    origin = "/dev/null" if before is None else f"a/{path}"
    target = "/dev/null" if after is None else f"b/{path}"
    lines = difflib.unified_diff(old, new, origin, target)
    return "".join(
        line.replace("\r\n", "\n") if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in lines
    )
