"""Where the code of an installed extension is."""

from __future__ import annotations

import contextlib
from pathlib import Path

from q2mfa_cli.workspace import settings_file
from q2mfa_cli.workspace.find import SETTINGS


def extension_folder(root: Path, name: str) -> Path:
    """Return the package of the extension *name* in the workspace at *root*. It may not exist.

    An entry ``(name, "package.module")`` of ``INSTALLED_EXTENSIONS`` names another module. Only literal entries are read: the
    settings do not run.
    """
    modules: dict[str, str] = {}
    with contextlib.suppress(OSError, settings_file.NotEditable):
        modules = settings_file.installed_modules((root / SETTINGS).read_bytes())
    return root.joinpath(*modules.get(name, name).split("."))
