"""What will be created, edited and left alone: rendered trees held against the workspace. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.rendering import RenderedTree
from q2mfa_cli.request import ExtensionRequest, shown
from q2mfa_cli.workspace import SETTINGS, Workspace


class Fate(Enum):
    """What becomes of one file."""

    CREATED = "created"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class ExtensionPlan:
    """The fate of each of one extension's files; paths relative to the workspace, ``/``-separated, sorted."""

    request: ExtensionRequest
    files: Mapping[str, Fate]

    def paths(self, *fates: Fate) -> list[str]:
        return sorted(path for path, fate in self.files.items() if fate in fates)


def plan_extension(
    workspace: Workspace, request: ExtensionRequest, tree: RenderedTree, force: bool
) -> ExtensionPlan:
    """Hold *tree* against what the workspace has.

    :param force: a file that differs is replaced (``EDITED``) instead of being a ``CONFLICT``.
    :raises Q2mfaError: a file cannot be read, or a symbolic link leads out of the workspace.
    """
    fates = {path: _fate(workspace.root, path, content, force) for path, content in tree.items()}
    return ExtensionPlan(request, fates)


def refuse_conflicts(plans: Iterable[ExtensionPlan]) -> None:
    """:raises Q2mfaError: a file is in the way of what was asked for."""
    conflicts = [path for plan in plans for path in plan.paths(Fate.CONFLICT)]
    if conflicts:
        some = ", ".join(conflicts[:5]) + (f" and {len(conflicts) - 5} more" if len(conflicts) > 5 else "")
        count = "1 file is" if len(conflicts) == 1 else f"{len(conflicts)} files are"
        raise Q2mfaError(
            f"{count} there already and not the same: {some}.",
            "Choose another name, move them away, or replace them with --force.",
            "conflict",
        )


def with_edits(plan: ExtensionPlan, workspace: Workspace, edited: Iterable[str]) -> ExtensionPlan:
    """*plan* including the workspace's own files that are *edited* for its extension."""
    fates = {path: Fate.CREATED if workspace.content(path) is None else Fate.EDITED for path in edited}
    return ExtensionPlan(plan.request, {**plan.files, **fates}) if fates else plan


def in_order(edits: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """The edits in the order of writing: ``settings.py`` last, since it is what switches an extension on."""
    return sorted(edits.items(), key=lambda edit: (edit[0] == SETTINGS, edit[0]))


def unified_diff(path: str, before: bytes | None, after: bytes) -> str:
    """What changes in one file, as ``diff -u`` shows it."""
    import difflib

    old = (before or b"").decode("utf-8", "replace").splitlines(keepends=True)
    new = after.decode("utf-8", "replace").splitlines(keepends=True)
    origin = "/dev/null" if before is None else f"a/{path}"
    lines = difflib.unified_diff(old, new, origin, f"b/{path}")
    return "".join(
        line.replace("\r\n", "\n") if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in lines
    )


def _fate(root: Path, path: str, content: bytes, force: bool) -> Fate:
    target = root / path
    try:
        # A link may stand for the workspace, not lead out of it: nothing is written elsewhere.
        if not target.resolve().is_relative_to(root):
            raise Q2mfaError(
                f"{path} leads out of the workspace through a symbolic link.",
                "Remove the link, or choose another name.",
                "outside_workspace",
            )
        present = target.read_bytes()
    except FileNotFoundError:
        return Fate.CONFLICT if target.is_symlink() else Fate.CREATED
    except (IsADirectoryError, NotADirectoryError):
        return Fate.CONFLICT
    except (OSError, RuntimeError) as error:
        raise Q2mfaError(
            f"{shown(str(target))} cannot be read: {getattr(error, 'strerror', None) or error}.",
            "Check its permissions.",
            "workspace_unreadable",
        ) from error
    # Git may have changed line endings on checkout (`* text=auto`); that is no difference.
    if present in (content, content.replace(b"\n", b"\r\n")):
        return Fate.UNCHANGED
    return Fate.EDITED if force else Fate.CONFLICT
