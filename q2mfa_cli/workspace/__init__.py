"""Find a Q2 SDK workspace, and say how its files change when an extension joins it."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from q2mfa_cli.errors import Q2mfaError, UsageError
from q2mfa_cli.request import ExtensionRequest, shown
from q2mfa_cli.workspace import settings_file

CONFIGURATION = "configuration"
SETTINGS = f"{CONFIGURATION}/settings.py"
REQUIREMENTS = "requirements.txt"

REQUIRED_PACKAGES = {"standard": "pyotp>=2.9", "redirect": "pyjwt[crypto]>=2.12"}


@dataclass(frozen=True)
class Workspace:
    """A folder that extensions are created in.

    ``settings`` and ``requirements`` hold the bytes of those files; ``None`` where there is none. Without
    ``settings`` the folder is not a Q2 SDK workspace, and nothing in it is edited.
    """

    root: Path
    settings: bytes | None
    requirements: bytes | None

    @property
    def is_q2(self) -> bool:
        return self.settings is not None

    def content(self, path: str) -> bytes | None:
        """The content of one of the workspace's own files, as it was read."""
        return {SETTINGS: self.settings, REQUIREMENTS: self.requirements}[path]

    @functools.cached_property
    def taken(self) -> dict[str, list[tuple[str, str]]]:
        """Lower-cased name to (name, why it is taken): packages, modules and installed extensions.

        :raises Q2mfaError: the folder cannot be listed.
        """
        taken: dict[str, list[tuple[str, str]]] = {}
        for path in _listed(self.root):
            name = path.stem if path.suffix.lower() == ".py" else path.name
            taken.setdefault(name.lower(), []).append((name, f"{path.name} is in the workspace"))
        for path in _listed(self.root / CONFIGURATION):
            taken.setdefault(path.stem.lower(), []).append((path.stem, _configured(path.name)))
        try:
            installed = settings_file.mentioned_names(self.settings or b"")
        except settings_file.NotEditable:
            installed = []
        for name in installed:
            taken.setdefault(name.lower(), []).append((name, f"{name} is an installed extension"))
        return taken


@dataclass
class Registration:
    """How the workspace's own files change, and what is left for a person to do.

    ``edits`` maps path to new content (only files that change); ``touched`` maps each extension's name to the paths
    edited for it; ``manual`` maps a path to the lines that a person has to add; ``reason`` says why
    ``settings.py`` was left alone where it was.
    """

    edits: dict[str, bytes] = field(default_factory=dict)
    touched: dict[str, list[str]] = field(default_factory=dict)
    manual: dict[str, list[str]] = field(default_factory=dict)
    reason: str | None = None


def find_workspace(start: Path) -> Path:
    """The nearest folder from *start* upward that has ``configuration/settings.py``; *start* where none has.

    :raises Q2mfaError: *start* is not there.
    """
    start = resolved(start)
    return next((folder for folder in [start, *start.parents] if os.path.isfile(folder / SETTINGS)), start)


def resolved(root: Path) -> Path:
    """*root* as an absolute path without links, where it is a folder or can become one.

    :raises Q2mfaError: it cannot.
    """
    try:
        root = root.resolve()
        if root.is_dir() or not os.path.lexists(root):
            return root
        why = "it is not a folder"
    except (OSError, RuntimeError) as error:
        # RuntimeError: links in a circle, before Python 3.13.
        why = getattr(error, "strerror", None) or "its links lead in a circle"
    raise Q2mfaError(
        f"{shown(str(root))} cannot be a workspace: {why}.",
        "Give the workspace's folder with -o.",
        "workspace_unreadable",
    )


def read_workspace(root: Path) -> Workspace:
    """Read what creating extensions has to know.

    :raises Q2mfaError: a file is there but cannot be read, or *root* is not a folder.
    """
    root = resolved(root)
    return Workspace(root, _read(root, SETTINGS), _read(root, REQUIREMENTS))


def check_name_is_free(workspace: Workspace, name: str) -> str:
    """*name*, where nothing else in the workspace has it, in any letter case.

    An extension's folder of that very name passes: whether it is this extension, created before, the plan will see.

    :raises UsageError: it is taken.
    """
    for other, why in workspace.taken.get(name.lower(), []):
        if why == _configured(f"{name}.py"):
            continue
        same = other == name and not why.lower().endswith(".py is in the workspace")
        if not (same and _may_be_this_extension(workspace.root / name)):
            raise UsageError(f"{name} is taken: {why}.", "Choose another name.", "name_taken")
    return name


def _configured(file: str) -> str:
    return f"{CONFIGURATION}/{file} is in the workspace"


def _may_be_this_extension(folder: Path) -> bool:
    """Whether *folder* has what an extension has, or only the byte code of one that is gone.

    A run that was killed while it put files beside that byte code may have come as far as the files before
    ``extension.py``; the same command has to finish the job.
    """
    if not folder.is_dir() or (folder / "extension.py").is_file():
        return folder.is_dir()
    names = {path.name for path in _listed(folder)} - {"__pycache__"}
    return names in (set(), {"README.md"}, {"README.md", "__init__.py"})


def registration(workspace: Workspace, requests: list[ExtensionRequest], register: bool) -> Registration:
    """What changes in the workspace's own files when the extensions of *requests* join it.

    :param register: whether ``settings.py`` may be edited.
    """
    result = Registration()
    _register(workspace, requests, register, result)
    _require(workspace, requests, result)
    return result


def _register(
    workspace: Workspace, requests: list[ExtensionRequest], register: bool, result: Registration
) -> None:
    settings = workspace.settings
    if settings is None:
        result.manual[SETTINGS] = _settings_lines(requests)
        return
    try:
        present = {*settings_file.installed_names(settings)}
        allowed = {*settings_file.whitelisted_hosts(settings)}
        changing = [
            request
            for request in requests
            if request.name not in present
            or (_wants_whitelisting(request) and request.issuer_host not in allowed)
        ]
        hosts = [request.issuer_host for request in requests if _wants_whitelisting(request)]
        if not register and changing:
            raise settings_file.NotEditable("--no-register")
        edited = settings_file.register(settings, [request.name for request in requests])
        edited = settings_file.whitelist(edited, list(dict.fromkeys(hosts)))
    except settings_file.NotEditable as error:
        result.manual[SETTINGS] = _settings_lines(requests)
        result.reason = f"{SETTINGS} was left alone: {error}"
        return
    if edited != settings:
        result.edits[SETTINGS] = edited
        for request in changing:
            result.touched.setdefault(request.name, []).append(SETTINGS)


def _settings_lines(requests: list[ExtensionRequest]) -> list[str]:
    hosts = dict.fromkeys(request.issuer_host for request in requests if _wants_whitelisting(request))
    return [f'INSTALLED_EXTENSIONS.append("{request.name}")' for request in requests] + [
        f'OUTBOUND_WHITELIST.append("{host}")' for host in hosts
    ]


def _wants_whitelisting(request: ExtensionRequest) -> bool:
    return request.mfa == "redirect" and not request.issuer_is_placeholder


def _require(workspace: Workspace, requests: list[ExtensionRequest], result: Registration) -> None:
    content = workspace.requirements or b""
    # UTF-16, as Windows PowerShell writes it, cannot take an ASCII line.
    editable = workspace.is_q2 and b"\0" not in content
    for request in requests:
        package = REQUIRED_PACKAGES[request.mfa]
        if not editable:
            result.manual[REQUIREMENTS] = list(dict.fromkeys([*result.manual.get(REQUIREMENTS, []), package]))
        elif not _requires(content, package):
            content = _with_line(content, package.encode())
            result.touched.setdefault(request.name, []).append(REQUIREMENTS)
    if editable and content != (workspace.requirements or b""):
        result.edits[REQUIREMENTS] = content


def _requires(content: bytes, package: str) -> bool:
    """Whether a line of *content* names the project of *package* with (at least) its extras (PEP 508)."""
    wanted, wanted_extras = _project(package)
    for line in content.decode("utf-8", "replace").splitlines():
        project, extras = _project(line)
        if project == wanted and wanted_extras <= extras:
            return True
    return False


def _project(line: str) -> tuple[str, set[str]]:
    """The normalized project name (PEP 503) and the extras of a requirement line."""
    match = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^]]*)\])?", line)
    if not match:
        return "", set()
    extras = {extra.strip().lower() for extra in (match[2] or "").split(",")} - {""}
    return re.sub(r"[-_.]+", "-", match[1]).lower(), extras


def _with_line(content: bytes, line: bytes) -> bytes:
    """*content* and one more line; with a final newline only where there was one."""
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    if content and not content.endswith((b"\n", b"\r")):
        return content + newline + line
    return content + line + newline


def _read(root: Path, name: str) -> bytes | None:
    path = root / name
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise Q2mfaError(
                f"{name} is a link that leads nowhere.", "Repair it, or remove it.", "workspace_unreadable"
            ) from None
        return None
    except OSError as error:
        raise Q2mfaError(
            f"{name} cannot be read: {error.strerror}.",
            "Check the file's permissions.",
            "workspace_unreadable",
        ) from error


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise Q2mfaError(
            f"{shown(str(folder))} cannot be read: {error.strerror}.",
            "Check the folder's permissions.",
            "workspace_unreadable",
        ) from error
