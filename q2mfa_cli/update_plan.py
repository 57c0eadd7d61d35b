"""The plan of an update. The plan is complete: applying it, its diff and its report need nothing else.

Each file has a base (as it was generated), the owner's version, and the new version (as this q2mfa generates it). If only
one side changed the base, its version is used. If both changed it, the changes are merged, or conflict. Differences in line
endings do not count.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path, PurePosixPath

from q2mfa_cli import __version__
from q2mfa_cli.errors import Q2mfaError, UsageError
from q2mfa_cli.merge import (
    Merge,
    has_markers,
    in_the_style_of,
    merge3,
    normalized,
    similarity,
    whole_conflict,
)
from q2mfa_cli.plan import Action, present, unified_diff
from q2mfa_cli.record import NEW_SUFFIX, Additions, Record, read_record, record_path, unresolved
from q2mfa_cli.rendering import render
from q2mfa_cli.request import Answers
from q2mfa_cli.transaction import Change
from q2mfa_cli.workspace.find import REQUIREMENTS, SETTINGS, Workspace
from q2mfa_cli.workspace.registration import Registration, Renewal, plan_renewal

RESOLUTIONS = ("markers", "new", "ours", "theirs")
# As in Git, a file with this ratio of equal lines counts as renamed.
RENAMED = 0.5
# A file with a lower ratio of equal lines was probably reformatted.
MOSTLY_REWRITTEN = 0.3


class Outcome(Enum):
    """What an update does to a file."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    UPDATED = "updated"
    MERGED = "merged"
    REMOVED = "removed"
    KEPT = "kept"  # it is no longer generated, but the owner edited it
    DELETED = "deleted"  # the owner deleted it, and it is not restored
    CONFLICT = "conflict"
    MARKED = "marked"  # --conflict markers
    BESIDE = "beside"  # --conflict new: the new version is in a file next to it
    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class FileUpdate:
    """One file of an update.

    :param before: The current bytes; ``None`` if the file does not exist.
    :param after: The bytes after the update; ``None`` if the file then does not exist.
    :param merge: Both sides of a conflict.
    """

    path: str
    before: bytes | None
    after: bytes | None
    outcome: Outcome
    note: str = ""
    merge: Merge | None = None

    @property
    def changes(self) -> bool:
        return self.before != self.after

    @property
    def is_open(self) -> bool:
        return self.outcome in (Outcome.MARKED, Outcome.BESIDE)


@dataclass(frozen=True, slots=True)
class UpdateOptions:
    """The options of an update.

    :param answers: The changed answers.
    :param restored: The paths of deleted files to generate again.
    :param resolution: How to resolve conflicts, one of :data:`RESOLUTIONS`; empty to leave them unresolved.
    :param chosen: How to resolve the conflicts of single files, by path. It takes precedence over *resolution*.
    """

    answers: Answers = field(default_factory=dict)
    restored: Sequence[str] = ()
    resolution: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)

    def for_conflict(self, path: str) -> str:
        return self.chosen.get(path, self.resolution)


@dataclass(frozen=True, slots=True)
class ExtensionUpdate:
    """The update of one extension.

    :param recorded: The record before the update; for an adopted extension, the new record.
    :param record: The record after the update.
    :param files: All files of the extension, then the record.
    :param is_adopted: Whether the extension had no record.
    """

    recorded: Record
    record: Record
    files: tuple[FileUpdate, ...]
    is_adopted: bool = False

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def is_current(self) -> bool:
        return not any(file.changes or file.outcome is Outcome.CONFLICT for file in self.files)


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """The update, or the removal, of one or more extensions.

    :param edits: The workspace's own files, in the order in which they are written.
    :param is_removal: Whether extensions are removed. The workspace's own files then change first, because settings.py must
        not name an extension that no longer exists.
    """

    workspace: Workspace
    extensions: tuple[ExtensionUpdate, ...]
    edits: tuple[FileUpdate, ...] = ()
    registration: Registration = field(default_factory=Registration)
    is_removal: bool = False

    @property
    def files(self) -> Iterator[FileUpdate]:
        """All files, in the order in which they are written.

        The records come last, so that a command that was killed before can run again.
        """
        if self.is_removal:
            yield from self.edits
        for extension in self.extensions:
            yield from extension.files[:-1]
        if not self.is_removal:
            yield from self.edits
        for extension in self.extensions:
            yield extension.files[-1]

    @property
    def changes(self) -> list[Change]:
        """The changes to apply."""
        return [Change(file.path, file.before, file.after) for file in self.files if file.changes]

    @property
    def conflicts(self) -> list[FileUpdate]:
        return [file for file in self.files if file.outcome is Outcome.CONFLICT]

    @property
    def open(self) -> list[FileUpdate]:
        """The files with a conflict that the owner has to resolve."""
        return [file for file in self.files if file.is_open]


def plan_update(workspace: Workspace, names: Sequence[str], options: UpdateOptions) -> UpdatePlan:
    """Plan the update of the extensions *names*.

    :raises Q2mfaError: An extension has no usable record, or a file cannot be read.
    """
    root = workspace.root
    recorded = {name: recorded_extension(root, name) for name in names}
    outcomes = {name: _outcomes(root, record, options) for name, record in recorded.items()}
    behind = {name: outcome for name, outcome in outcomes.items() if outcome}
    registration = plan_renewal(
        workspace, [_renewal(recorded[name], new) for name, (new, _) in behind.items()]
    )
    additions = Additions(workspace, registration.edits)
    extensions = []
    for name, record in recorded.items():
        if not behind.get(name):
            path = record_path(name)
            kept = tuple(FileUpdate(path, b"", b"", Outcome.UNCHANGED) for path in (*record.files, path))
            extensions.append(ExtensionUpdate(record, record, kept))
            continue
        new, files = behind[name]
        opened = tuple(file.path for file in files if file.is_open)
        # A host that q2mfa added for the earlier version remains in the record.
        new = replace(additions.recorded(new), open=opened)
        new = replace(new, hosts=tuple(dict.fromkeys([*new.hosts, *record.hosts])))
        extensions.append(ExtensionUpdate(record, new, (*files, record_update(root, new))))
    edits = [
        FileUpdate(
            path,
            {SETTINGS: workspace.settings, REQUIREMENTS: workspace.requirements}[path],
            after,
            Outcome.UPDATED,
        )
        for path, after in sorted(registration.edits.items(), key=lambda edit: edit[0] == SETTINGS)
    ]
    return UpdatePlan(workspace, tuple(extensions), tuple(edits), registration)


def recorded_extension(root: Path, name: str) -> Record:
    """Return the record of the extension *name*.

    :raises Q2mfaError: The extension has no record, or its record cannot be used.
    """
    record = read_record(root, name)
    if record:
        return record
    if (root / name / "extension.py").is_file():
        raise Q2mfaError(
            f"{name} is not tracked by q2mfa: it has no record ({record_path(name)}).",
            f"Start tracking it with `q2mfa update {name} --adopt`.",
            "not_recorded",
        )
    raise Q2mfaError(
        f"There is no extension {name} in {root}.",
        "Run this in the workspace, or pass it with -o; `q2mfa list` shows the extensions.",
        "no_such_extension",
    )


def record_update(root: Path, record: Record) -> FileUpdate:
    """Return the change that writes *record*.

    :raises Q2mfaError: A folder or a broken link has the path of the record.
    """
    path = record_path(record.name)
    before = present(root, path)
    if before is Action.CONFLICT:
        raise Q2mfaError(f"{path} is not a file.", "Remove it, and run the command again.", "conflict")
    if isinstance(before, bytes):
        return FileUpdate(path, before, record.encoded(), Outcome.UPDATED)
    return FileUpdate(path, None, record.encoded(), Outcome.CREATED)


def is_behind(record: Record) -> bool:
    """Return whether this version of q2mfa generates different files from the record's answers."""
    return render(record.request(), record.version) != record.files


def diff(plan: UpdatePlan) -> str:
    """Return a unified diff of all changes except those of records, and both sides of each conflict."""
    parts = []
    records = {record_path(extension.name) for extension in plan.extensions}
    for file in plan.files:
        if file.outcome is Outcome.CONFLICT:
            parts.append(conflict_text(file))
        elif file.changes and file.path not in records:
            parts.append(unified_diff(file.path, file.before, file.after))
    return "".join(parts)


def conflict_text(file: FileUpdate) -> str:
    """Return both sides of each conflict in *file*, each with its line in the owner's file."""
    if not file.merge:
        return f"{file.path}: {file.note}\n"
    parts, line = [], 1
    for chunk in file.merge.chunks:
        if isinstance(chunk, Sequence):
            line += len(chunk)
            continue
        alone = replace(file.merge, chunks=(chunk,), prefix=b"", ends_in_newline=True)
        text = alone.marked("as it was generated", f"q2mfa {__version__}").decode("utf-8", "replace")
        parts.append(f"{file.path}:{line}\n" + text.replace("\r\n", "\n"))
        line += len(chunk.ours)
    return "".join(parts)


def _renewal(recorded: Record, new: Record) -> Renewal:
    old_request, request = recorded.request(), new.request()
    old_hosts = old_request.integration.outbound_hosts(old_request.answers)
    return Renewal(
        new.name,
        hosts=[host for host in request.integration.outbound_hosts(request.answers) if host not in old_hosts],
        requirements=request.integration.requirements(request.answers),
        added_before=recorded.requirements,
    )


def _outcomes(root: Path, recorded: Record, options: UpdateOptions) -> tuple[Record, list[FileUpdate]] | None:
    """Return the new record and the updated files of an extension; ``None`` if it is up to date."""
    request = recorded.request(options.answers)
    if request.integration.id != recorded.answers["mfa"]:
        raise UsageError(
            f"{recorded.name} cannot become {request.integration.label}: every file would change.",
            "Create a new extension.",
        )
    if not (root / recorded.name).is_dir():
        raise Q2mfaError(
            f"The folder of {recorded.name} is gone.",
            f"Remove the rest with `q2mfa remove {recorded.name}`, or restore the folder from version control.",
            "no_such_extension",
        )
    if left := unresolved(root, recorded):
        raise Q2mfaError(
            f"Conflicts of an earlier update are still unresolved in {', '.join(left)}.",
            f"Edit the lines between <<<<<<< and >>>>>>>, or merge and delete NAME{NEW_SUFFIX}; then run the command again.",
            "unresolved",
        )
    restored = {path: _restored(root, recorded, path) for path in options.restored}
    if request.answers == recorded.answers and not any(restored.values()) and not is_behind(recorded):
        return None
    _refuse_newer(recorded)
    new = Record(__version__, request.answers, render(request))
    chosen = {path for path, given in restored.items() if given}
    return new, list(_files(root, recorded, new, options, chosen))


def _restored(root: Path, recorded: Record, path: str) -> bool:
    """Return whether *path* is a deleted file of the extension.

    :raises Q2mfaError: The extension has the file, and it is not deleted.
    """
    if path not in recorded.files:
        return False
    if present(root, path) is not Action.CREATE:
        raise Q2mfaError(
            f"{path} is not deleted.",
            "To restore the generated version, delete the file first.",
            "not_deleted",
        )
    return True


def _refuse_newer(recorded: Record) -> None:
    from packaging.version import InvalidVersion, Version  # only needed for an update

    try:
        is_newer = Version(recorded.version) > Version(__version__)
    except InvalidVersion:
        return
    if is_newer:
        raise Q2mfaError(
            f"{recorded.name} was generated by q2mfa {recorded.version}, which is newer than this version, {__version__}.",
            "Update q2mfa: pip install --upgrade q2mfa-cli",
            "record_newer",
        )


def _files(
    root: Path, recorded: Record, new: Record, options: UpdateOptions, restored: set[str]
) -> Iterator[FileUpdate]:
    present_files = {path: present(root, path) for path in sorted({*recorded.files, *new.files})}
    renamed = _renamed(recorded.files, new.files, present_files)
    for path, owner in present_files.items():
        if path in renamed:
            yield FileUpdate(path, _bytes(owner), None, Outcome.REMOVED, f"now {renamed[path]}")
            continue
        origin = next((old for old, now in renamed.items() if now == path), "")
        base, new_content = recorded.files.get(origin or path), new.files.get(path)
        if origin:
            yield from _moved(
                root, path, base or b"", present_files[origin], owner, new_content or b"", options
            )
        elif owner is Action.CONFLICT:
            what = "a folder or a broken link is in its place"
            is_kept = new_content is None or normalized(base or b"") == normalized(new_content)
            outcome = Outcome.KEPT if is_kept or options.for_conflict(path) == "ours" else Outcome.CONFLICT
            yield FileUpdate(path, None, None, outcome, what)
        else:
            wanted = path in restored
            yield from _decided(
                root, path, None if wanted else base, _bytes(owner), new_content, options, recorded.version
            )


def _moved(
    root: Path,
    path: str,
    base: bytes,
    owner: bytes | Action,
    there: bytes | Action,
    new: bytes,
    options: UpdateOptions,
) -> Iterator[FileUpdate]:
    """Yield the update of *path*. The owner edited this file under its earlier name."""
    for file in _decided(root, path, base, _bytes(owner), new, options, "before"):
        if file.path != path:
            yield file
        elif there is Action.CREATE or there == file.after:
            # An earlier update that was killed may already have written the file.
            outcome = Outcome.MERGED if file.outcome is Outcome.UNCHANGED else file.outcome
            yield replace(file, before=_bytes(there), outcome=outcome)
        else:
            yield FileUpdate(
                path, _bytes(there), _bytes(there), Outcome.CONFLICT, "your own file has this name"
            )


def _bytes(owner: bytes | Action) -> bytes | None:
    return owner if isinstance(owner, bytes) else None


def _renamed(
    base: Mapping[str, bytes], new: Mapping[str, bytes], owner: Mapping[str, bytes | Action]
) -> dict[str, str]:
    """Return the new path of each edited file that the template renamed. Unedited files need no merge."""
    found: dict[str, str] = {}
    for path, content in base.items():
        edited = owner[path]
        if path in new or not isinstance(edited, bytes) or normalized(edited) == normalized(content):
            continue
        candidates = {
            other: similarity(content, new[other])
            for other in new.keys() - base.keys() - set(found.values())
            if PurePosixPath(other).suffix == PurePosixPath(path).suffix
        }
        best = max(candidates, key=lambda other: (candidates[other], other), default="")
        if best and candidates[best] >= RENAMED:
            found[path] = best
    return found


def _decided(
    root: Path,
    path: str,
    base: bytes | None,
    owner: bytes | None,
    new: bytes | None,
    options: UpdateOptions,
    version: str,
) -> Iterator[FileUpdate]:
    """Yield the update of a file, and with ``--conflict new`` also the file next to it."""
    if owner is None:
        if new is None:
            return
        if base is None:
            yield FileUpdate(path, None, new, Outcome.CREATED)
        else:
            # The report mentions a deleted file only if its new version differs.
            note = f"you deleted it; --restore {path} restores it" if base != new else ""
            yield FileUpdate(path, None, None, Outcome.DELETED, note)
        return
    same_as_base = base is not None and normalized(owner) == normalized(base)
    if new is None:
        if same_as_base:
            yield FileUpdate(path, owner, None, Outcome.REMOVED)
        else:
            yield FileUpdate(path, owner, owner, Outcome.KEPT, "no longer generated; it has your edits")
    elif normalized(owner) == normalized(new) or base == new:
        yield FileUpdate(path, owner, owner, Outcome.UNCHANGED)
    elif same_as_base:
        yield FileUpdate(path, owner, in_the_style_of(owner, new), Outcome.UPDATED)
    else:
        yield from _merged(root, path, base, owner, new, options, version)


def _merged(
    root: Path, path: str, base: bytes | None, owner: bytes, new: bytes, options: UpdateOptions, version: str
) -> Iterator[FileUpdate]:
    is_binary = any(b"\0" in text for text in (base or b"", owner, new))
    marked_before = has_markers(owner) and not has_markers(new)
    merge = whole_conflict(base or b"", owner, new) if is_binary else merge3(base or b"", owner, new)
    if not merge.conflicts and not marked_before:
        text = merge.text()
        if _is_sound(path, owner, text) and _is_stable(base or b"", text, new):
            yield FileUpdate(path, owner, text, Outcome.UNCHANGED if text == owner else Outcome.MERGED)
            return
        merge = whole_conflict(base or b"", owner, new)
    yield from _resolved(
        root, path, base, owner, new, merge, options.for_conflict(path), version, marked_before, is_binary
    )


def _resolved(
    root: Path,
    path: str,
    base: bytes | None,
    owner: bytes,
    new: bytes,
    merge: Merge,
    resolution: str,
    version: str,
    marked_before: bool,
    is_binary: bool,
) -> Iterator[FileUpdate]:
    label = f"q2mfa {__version__}"
    if resolution == "theirs":
        yield FileUpdate(path, owner, in_the_style_of(owner, new), Outcome.THEIRS)
    elif marked_before:
        # Markers must not be nested. An earlier update that was killed may have written these.
        is_ours = f">>>>>>> {label}".encode() in owner and resolution == "markers"
        outcome = Outcome.MARKED if is_ours else Outcome.CONFLICT
        yield FileUpdate(path, owner, owner, outcome, "it has conflict markers")
    elif resolution == "ours":
        yield FileUpdate(path, owner, owner, Outcome.OURS)
    elif resolution == "markers" and not is_binary:
        yield FileUpdate(path, owner, merge.marked(f"generated by q2mfa {version}", label), Outcome.MARKED)
    elif resolution in ("new", "markers"):
        beside = f"{path}{NEW_SUFFIX}"
        there = present(root, beside)
        if there not in (Action.CREATE, new):
            yield FileUpdate(beside, _bytes(there), _bytes(there), Outcome.CONFLICT, "it already exists")
            return
        yield FileUpdate(path, owner, owner, Outcome.BESIDE, f"the new version is {beside}")
        yield FileUpdate(beside, _bytes(there), new, Outcome.CREATED)
    else:
        note = _why(path, base, owner, is_binary)
        yield FileUpdate(path, owner, owner, Outcome.CONFLICT, note, None if is_binary else merge)


def _why(path: str, base: bytes | None, owner: bytes, is_binary: bool) -> str:
    if base is None:
        return "your own file has this name"
    if is_binary:
        return "it is not text"
    if path.endswith(".py") and _same_code(base, owner):
        return "you changed only the formatting: use the new version, and format it again"
    if similarity(base, owner) < MOSTLY_REWRITTEN:
        return "most of its lines have changed: was it reformatted?"
    return ""


def _is_sound(path: str, owner: bytes, merged: bytes) -> bool:
    """Return whether a merged file can be parsed, or the owner's version could not be parsed either."""
    parse = {".py": _tree, ".json": _document}.get(PurePosixPath(path).suffix)
    return parse is None or parse(owner) is None or parse(merged) is not None


def _is_stable(base: bytes, merged: bytes, new: bytes) -> bool:
    """Return whether merging the merged text again changes nothing, so that a killed update can run again."""
    again = merge3(base, merged, new)
    return not again.conflicts and again.text() == merged


def _same_code(one: bytes, other: bytes) -> bool:
    trees = [ast.dump(tree) for tree in (_tree(one), _tree(other)) if tree]
    return len(trees) == 2 and trees[0] == trees[1]


def _tree(text: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _document(text: bytes) -> object:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return None
