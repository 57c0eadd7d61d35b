"""The previewed extension, which is imported unchanged from its workspace, and again when a file changes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.integrations import Integration, integration_of, kind_of
from q2mfa_cli.platform import FAKE_SDK, FAKE_SDK_MODULES
from q2mfa_cli.platform.configuration import ConfigurationMissing, extension_config, workspace_settings
from q2mfa_cli.platform.failures import Failure, failure_of, is_within
from q2mfa_cli.platform.readings import hide_modules
from q2mfa_cli.workspace.find import SETTINGS
from q2mfa_cli.workspace.settings_file import DEFAULTS_IMPORT

if TYPE_CHECKING:
    # It needs the sandbox extra; use_fake_sdk reports a missing extra.
    from q2mfa_cli.platform.platform import Platform

# Names of settings that must not be shown.
SECRET_NAME = re.compile(r"SECRET|PASSWORD|KEY|TOKEN")

NOT_SOURCES = {"node_modules", "dist", "__pycache__", "tests"}


def use_fake_sdk(workspace: Path, needed: Sequence[str] = ()) -> None:
    """Put *workspace* and the fake SDK on this process's ``sys.path``.

    :param needed: further modules that must be installed.
    :raises Q2mfaError: a real ``q2_sdk`` is installed, or a needed module is not.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(workspace))
    if importlib.util.find_spec("q2_sdk") is not None:
        raise Q2mfaError(
            "The Q2 SDK is installed here; q2mfa does not replace it with its fake.",
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

    :param workspace: the folder of the workspace. :param name: as in INSTALLED_EXTENSIONS.
    :param platform: the platform that the extension runs on.
    :ivar failure: why its current files cannot be served; None if they can.
    :ivar settings: the values of its configuration that a run can change, as of the last successful import.
    :raises Q2mfaError: the workspace has no such extension.
    """

    failure: Failure | None
    url_patterns: list[Any]
    configuration: SimpleNamespace

    def __init__(self, workspace: Path, name: str, platform: Platform) -> None:
        self.workspace, self.name, self._platform = workspace, name, platform
        self.module = name
        self.settings: dict[str, Any] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}
        self.load()

    def load(self) -> None:
        """Import the current files. :attr:`failure` says why that failed.

        :raises Q2mfaError: the workspace has no such extension.
        """
        self._forget_modules()
        hide_modules(self._platform.readings)
        self._stamps = dict(self._sources())
        self.failure, self.url_patterns, self.configuration = None, [], SimpleNamespace()
        try:
            self._import()
        except Q2mfaError:
            raise
        except ConfigurationMissing as error:
            self.failure = Failure("configuration", "", f"The server does not start: {error}")
        except (Exception, SystemExit) as error:  # noqa: BLE001  the developer's code may raise anything
            self.failure = failure_of(error, self.workspace, "import")

    def reload(self) -> None:
        """Import the current files again. If the workspace no longer has the extension, this is a :attr:`failure` too."""
        try:
            self.load()
        except Q2mfaError as error:
            self.failure = Failure("configuration", "", f"{error.message} {error.hint}")

    def check(self) -> None:
        """Raise the :attr:`failure`, if there is one. :raises Q2mfaError: the extension cannot be imported."""
        if self.failure is not None:
            raise Q2mfaError(
                f"{shown(self.name)} cannot be imported: {self.failure}.",
                "Fix the error. `q2mfa test` shows the full traceback.",
                "not_importable",
            )

    def _import(self) -> None:
        self.module = installed_module(self.workspace, self.name)
        self.url_patterns = importlib.import_module(f"{self.module}.urls").URL_PATTERNS
        for pattern in self.url_patterns:
            handler = pattern.handler_class
            if not hasattr(handler, "CONFIG_FILE_NAME"):
                continue  # not one of the SDK's handlers
            self.configuration = extension_config(
                handler.CONFIG_FILE_NAME,
                handler.REQUIRED_CONFIGURATIONS,
                handler.OPTIONAL_CONFIGURATIONS,
                self._platform.replaced,
            )
        self.settings = _settings(self.configuration)
        lacking = _lacking_defaults()
        if lacking:
            message = f"{SETTINGS} lacks {lacking[0]}: begin it with `from {DEFAULTS_IMPORT} import *`"
            self.failure = Failure("configuration", "", message, SETTINGS)
        elif not self.feature.get("formPostAuth") and not self.feature.get("url"):
            file = f"configuration/{self.name}.py"
            message = f'{file} has no url in FEATURE["modules"]["Main"]: online banking cannot open the page.'
            self.failure = Failure("configuration", "", message, file)

    def changes(self) -> dict[Path, bool]:
        """Return the extension's files that have changed since the last call or import.

        The value is whether the file was edited. If not, it is new or gone.
        """
        before, self._stamps = self._stamps, dict(self._sources())
        changed = {path for path, _ in before.items() ^ self._stamps.items()}
        return {path: path in before and path in self._stamps for path in changed}

    @property
    def folder(self) -> Path:
        return folder_of(self.workspace, self.module)

    @property
    def assets(self) -> Path:
        """The folder of the files from which ``q2 run`` builds ``frontend/dist``."""
        return self.folder / "frontend" / "public"

    @property
    def feature(self) -> dict[str, Any]:
        """The main module of FEATURE in ``configuration/<Name>.py``, which says how online banking opens the extension."""
        module: dict[str, Any] = getattr(self.configuration, "FEATURE", {}).get("modules", {}).get("Main", {})
        return module

    @property
    def page(self) -> str:
        """The URL in FEATURE of a client-side rendered extension's page."""
        return str(self.feature.get("url", ""))

    @property
    def allow(self) -> str:
        """The outlet's ``allow`` (Permissions Policy), from ``allowDirectives`` of FEATURE, a list or a string."""
        directives = self.feature.get("allowDirectives") or ""
        return directives if isinstance(directives, str) else "; ".join(map(str, directives))

    @property
    def integration(self) -> Integration:
        return integration_of(self.folder)

    @property
    def kind(self) -> str:
        return kind_of(self.folder)

    def _forget_modules(self) -> None:
        """Remove all modules of the workspace from ``sys.modules``, so that the next import reads every file again."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and is_within(file, self.workspace):
                del sys.modules[name]
        # The workspace's settings extend the lists of this module.
        sys.modules.pop(DEFAULTS_IMPORT, None)
        importlib.invalidate_caches()

    def _sources(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        """Yield the files whose changes cause a reload, with their modification time and size."""
        for folder in (self.folder, self.workspace / "configuration"):
            for file in _files(folder):
                # Ignore the configuration of other extensions.
                if folder.name == "configuration" and not self._is_own_configuration(file.name):
                    continue
                try:
                    stat = file.stat()
                except OSError:
                    continue
                yield Path(file.path), (stat.st_mtime_ns, stat.st_size)

    def _is_own_configuration(self, file: str) -> bool:
        module = f"configuration.{file.removesuffix('.py')}"
        return file in ("__init__.py", "settings.py", f"{self.name}.py") or module in sys.modules


def _settings(configuration: SimpleNamespace) -> dict[str, Any]:
    """Return the strings, numbers and lists of strings of *configuration*, without secrets."""

    def is_plain(value: object) -> bool:
        return isinstance(value, str | int | float) or (
            isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        )

    return {
        name: value
        for name, value in vars(configuration).items()
        if name.isupper() and is_plain(value) and not SECRET_NAME.search(name)
    }


def _lacking_defaults() -> list[str]:
    """Return the names of the SDK's default settings that the workspace's settings lack."""
    settings = workspace_settings()
    defaults = vars(importlib.import_module(DEFAULTS_IMPORT))
    return [name for name in defaults if name.isupper() and settings and not hasattr(settings, name)]


def installed_module(workspace: Path, name: str) -> str:
    """Return the module of the extension *name* from INSTALLED_EXTENSIONS; without a settings file, *name*.

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
            "Add it to INSTALLED_EXTENSIONS in configuration/settings.py, as `q2mfa create` does.",
            "not_installed",
        )
    module: str = installed[name]
    if not (folder_of(workspace, module) / "urls.py").is_file():
        raise Q2mfaError(
            f"There is no extension {shown(name)} in {shown(str(workspace))}.",
            "Create one with `q2mfa create`.",
            "no_such_extension",
        )
    return module


def folder_of(workspace: Path, module: str) -> Path:
    return workspace.joinpath(*module.split("."))


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files below *folder*, without tests, build output and documents."""
    folders: list[str | Path] = [folder]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in NOT_SOURCES or entry.name.endswith(".md"):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                yield entry
