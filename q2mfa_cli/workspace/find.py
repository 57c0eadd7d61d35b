"""Find a Q2 SDK workspace, and read the files that q2mfa edits in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError, shown

CONFIGURATION = "configuration"
SETTINGS = f"{CONFIGURATION}/settings.py"
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Workspace:
    """A folder for extensions.

    :param settings: The bytes of ``configuration/settings.py``. ``None`` if the file does not exist: the folder is then not
        a Q2 SDK workspace, and q2mfa edits none of its files.
    :param requirements: The bytes of ``requirements.txt``; ``None`` if the file does not exist.
    """

    root: Path
    settings: bytes | None
    requirements: bytes | None

    @property
    def is_q2(self) -> bool:
        return self.settings is not None


def find_workspace(start: Path) -> Path:
    """Return *start* or its nearest parent that has ``configuration/settings.py``; *start* if there is none.

    :raises Q2mfaError: *start* does not exist.
    """
    start = resolved(start)
    return next((folder for folder in [start, *start.parents] if os.path.isfile(folder / SETTINGS)), start)


def resolved(root: Path) -> Path:
    """Return *root*, a folder or a path that does not exist yet, as an absolute path without links.

    :raises Q2mfaError: *root* is something else.
    """
    try:
        root = root.resolve()
        if root.is_dir() or not os.path.lexists(root):
            return root
        why = "it is not a folder"
    except (OSError, RuntimeError) as error:
        # RuntimeError: a loop of links, before Python 3.13.
        why = getattr(error, "strerror", None) or "its links form a loop"
    raise Q2mfaError(
        f"{shown(str(root))} is not a workspace: {why}.",
        "Pass the workspace's folder with -o.",
        "workspace_unreadable",
    )


def read_workspace(root: Path) -> Workspace:
    """Read the workspace at *root*.

    :raises Q2mfaError: A file cannot be read, or *root* is not a folder.
    """
    root = resolved(root)
    return Workspace(root, _read(root, SETTINGS), _read(root, REQUIREMENTS))


def listed(folder: Path) -> list[Path]:
    """Return the entries of *folder*; an empty list if the folder does not exist.

    :raises Q2mfaError: The folder cannot be read.
    """
    try:
        return list(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise Q2mfaError(
            f"{shown(str(folder))} cannot be read: {error.strerror}.",
            "Check the folder's permissions.",
            "workspace_unreadable",
        ) from error


def _read(root: Path, name: str) -> bytes | None:
    path = root / name
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise Q2mfaError(
                f"{name} is a broken link.", "Repair it, or remove it.", "workspace_unreadable"
            ) from None
        return None
    except OSError as error:
        raise Q2mfaError(
            f"{name} cannot be read: {error.strerror}.",
            "Check the file's permissions.",
            "workspace_unreadable",
        ) from error
