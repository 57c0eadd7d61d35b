"""The extensions of a workspace, and whether each is up to date with this version of q2mfa."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from q2mfa_cli.changelog import security_fixes
from q2mfa_cli.errors import Q2mfaError
from q2mfa_cli.integrations import generated_integration
from q2mfa_cli.record import Record, read_record, recorded_names, unresolved
from q2mfa_cli.update_plan import is_behind
from q2mfa_cli.workspace.find import listed


class State(Enum):
    """Whether an extension is up to date with this version of q2mfa."""

    CURRENT = "current"
    BEHIND = "behind"
    UNRESOLVED = "unresolved"  # the owner still has to resolve conflicts of an update
    UNRECORDED = "unrecorded"  # it has no record, for example because plain Cookiecutter generated it
    MISSING = "missing"  # it has a record, but no folder
    UNUSABLE = "unusable"  # its record is damaged, or a newer version wrote it


@dataclass(frozen=True, slots=True)
class Extension:
    """One External MFA extension of a workspace.

    :param mfa: The id of its integration.
    :param rendering: ``ssr`` or ``csr``; empty if unknown.
    :param version: The version of q2mfa that generated it; empty if unknown.
    :param detail: A sentence about the state, or empty.
    :param security: The security fixes that an update installs.
    """

    name: str
    mfa: str
    rendering: str
    version: str
    state: State
    detail: str = ""
    security: tuple[str, ...] = ()


def inventory(root: Path) -> list[Extension]:
    """Return the External MFA extensions of the workspace *root*, sorted by name.

    :raises Q2mfaError: A folder cannot be read.
    """
    recorded = recorded_names(root)
    others = [
        path.name for path in listed(root) if path.name not in recorded and _integration_of(path) is not None
    ]
    return [examine(root, name) for name in sorted([*recorded, *others])]


def examine(root: Path, name: str) -> Extension:
    """Return the extension *name* of the workspace *root*, with its state."""
    try:
        record = read_record(root, name)
        if record is None:
            return Extension(
                name,
                _integration_of(root / name) or "",
                "",
                "",
                State.UNRECORDED,
                f"Start tracking it: q2mfa update {name} --adopt",
            )
        return _examine(root, record)
    except Q2mfaError as error:
        return Extension(
            name, _integration_of(root / name) or "", "", "", State.UNUSABLE, f"{error.message} {error.hint}"
        )


def _examine(root: Path, record: Record) -> Extension:
    request = record.request()
    state, detail, security = State.CURRENT, "", list[str]()
    if not (root / record.name).is_dir():
        state, detail = State.MISSING, f"Remove the rest: q2mfa remove {record.name}"
    elif left := unresolved(root, record):
        state, detail = State.UNRESOLVED, f"Resolve the conflicts in {', '.join(left)}"
    elif is_behind(record):
        state = State.BEHIND
        security = security_fixes(record.version, request.integration)
    return Extension(
        record.name, request.integration.id, request.rendering, record.version, state, detail, tuple(security)
    )


def _integration_of(folder: Path) -> str | None:
    """Return the integration of the generated extension in *folder*; ``None`` if there is no such extension."""
    try:
        source = (folder / "extension.py").read_bytes()
    except OSError:
        return None
    if b"set_external_mfa_token" not in source:
        return None
    integration = generated_integration(folder)
    return integration.id if integration else None
