"""The extension that is served: found in its workspace, imported unchanged, and imported again when a file changes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.integrations import Integration, integration_of
from q2mfa_cli.platform import FAKE_SDK, FAKE_SDK_MODULES
from q2mfa_cli.platform.configuration import ConfigurationMissing, extension_config, workspace_settings
from q2mfa_cli.platform.readings import hide_modules

if TYPE_CHECKING:
    # It needs the sandbox extra: use_fake_sdk says so if the extra is missing.
    from q2mfa_cli.platform.platform import Platform

NOT_SOURCES = {"node_modules", "dist", "__pycache__"}


def use_fake_sdk(workspace: Path, needed: Sequence[str] = ()) -> None:
    """Put *workspace* and the fake SDK on this process's ``sys.path``.

    :param needed: modules that have to be installed, beside those of the fake SDK.
    :raises Q2mfaError: a real ``q2_sdk`` is installed, or a needed module is not.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(workspace))
    if importlib.util.find_spec("q2_sdk") is not None:
        raise Q2mfaError(
            "The Q2 SDK is installed here; q2mfa does not replace it with its stand-in.",
            "Use `q2 run`, or a virtual environment without the SDK.",
            "sdk_installed",
        )
    missing = [module for module in (*FAKE_SDK_MODULES, *needed) if importlib.util.find_spec(module) is None]
    if missing:
        raise Q2mfaError(
            f"The local platform needs {', '.join(missing)}, which this Python does not have.",
            'Install it: pip install "q2mfa-cli[sandbox]"',
            "sandbox_missing",
        )
    sys.path.insert(0, str(FAKE_SDK))


class Extension:
    """One extension of a workspace. Call :func:`use_fake_sdk` first.

    :param workspace: its folder. :param name: as in INSTALLED_EXTENSIONS.
    :param platform: what the extension runs on.
    :raises Q2mfaError: the platform would not start with this extension.
    """

    def __init__(self, workspace: Path, name: str, platform: Platform) -> None:
        self.workspace, self.name, self._platform = workspace, name, platform
        self._stamps: dict[Path, tuple[int, int]] = {}
        self.load()

    def load(self) -> None:
        """Import it, as its files are now.

        :raises Q2mfaError: it cannot be imported, or its configuration lacks a required value.
        """
        self._forget_modules()
        hide_modules(self._platform.readings)
        self._stamps = dict(self._sources())
        try:
            self.module = installed_module(self.workspace, self.name)
            self.url_patterns = importlib.import_module(f"{self.module}.urls").URL_PATTERNS
            for pattern in self.url_patterns:
                handler = pattern.handler_class
                self.configuration = extension_config(
                    handler.CONFIG_FILE_NAME,
                    handler.REQUIRED_CONFIGURATIONS,
                    handler.OPTIONAL_CONFIGURATIONS,
                    self._platform.overrides,
                )
        except ConfigurationMissing as error:
            raise Q2mfaError(
                f"The server does not start: {error}.", "Add it there.", "configuration_missing"
            ) from error
        except Q2mfaError:
            raise
        except Exception as error:
            raise Q2mfaError(
                f"{shown(self.name)} cannot be imported: {_where(error, self.workspace)}.",
                "Correct it; `q2mfa test` shows the whole traceback.",
                "not_importable",
            ) from error

    @property
    def changed(self) -> bool:
        """Whether a file of the extension or of the workspace's configuration has changed since the import."""
        return dict(self._sources()) != self._stamps

    @property
    def folder(self) -> Path:
        return folder_of(self.workspace, self.module)

    @property
    def assets(self) -> Path:
        """The files from which ``q2 run`` builds ``frontend/dist``, which it serves."""
        return self.folder / "frontend" / "public"

    @property
    def feature(self) -> dict[str, Any]:
        """How online banking opens it: the main module of FEATURE in ``configuration/<Name>.py``."""
        module: dict[str, Any] = getattr(self.configuration, "FEATURE", {}).get("modules", {}).get("Main", {})
        return module

    @property
    def integration(self) -> Integration:
        return integration_of(self.folder)

    def _forget_modules(self) -> None:
        """Remove every module of the workspace, so that each is imported again, with those that import it."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and _is_within(Path(file), self.workspace):
                del sys.modules[name]
        # The settings extend lists of this module.
        sys.modules.pop("q2_sdk.core.default_settings", None)
        importlib.invalidate_caches()

    def _sources(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        """Each source file, with the time and size that show a change."""
        module = getattr(self, "module", self.name)
        folders = [self.workspace.joinpath(*module.split(".")), self.workspace / "configuration"]
        while folders:
            try:
                entries = list(os.scandir(folders.pop()))
            except OSError:
                continue
            for entry in entries:
                if entry.name.startswith(".") or entry.name in NOT_SOURCES:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                    continue
                try:
                    stat = entry.stat()
                except OSError:
                    continue
                yield Path(entry.path), (stat.st_mtime_ns, stat.st_size)


def installed_module(workspace: Path, name: str) -> str:
    """The module of the extension *name*, by INSTALLED_EXTENSIONS; outside of a Q2 SDK workspace, its name.

    :raises Q2mfaError: there is no such extension.
    """
    settings = workspace_settings()
    if settings is None:
        installed = {name: name}
    else:
        installed = dict(
            entry if isinstance(entry, tuple) else (entry, entry) for entry in settings.INSTALLED_EXTENSIONS
        )
    if name not in installed:
        raise Q2mfaError(
            f"{shown(name)} is not in INSTALLED_EXTENSIONS of {shown(str(workspace))}.",
            "Add it in configuration/settings.py; `q2mfa create` does.",
            "not_installed",
        )
    module: str = installed[name]
    if not (folder_of(workspace, module) / "urls.py").is_file():
        raise Q2mfaError(
            f"There is no extension {shown(name)} in {shown(str(workspace))}.",
            "`q2mfa create` makes one.",
            "no_such_extension",
        )
    return module


def folder_of(workspace: Path, module: str) -> Path:
    return workspace.joinpath(*module.split("."))


def _is_within(file: Path, workspace: Path) -> bool:
    """Whether *file* is the workspace's own. A virtual environment may be in the same folder."""
    return (
        file.is_relative_to(workspace) and "site-packages" not in file.parts and FAKE_SDK not in file.parents
    )


def _where(error: Exception, workspace: Path) -> str:
    """The error on one line, with the line of the workspace where it was raised."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    if isinstance(error, SyntaxError):
        return text
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_within(Path(frame.filename), workspace)
    ]
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else text
