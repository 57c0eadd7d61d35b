"""The extension that is served: found in its workspace, imported unchanged, and imported again when a file changes."""

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
    # It needs the sandbox extra: use_fake_sdk says so if the extra is missing.
    from q2mfa_cli.platform.platform import Platform

# Names of settings that are not shown.
SECRET_NAME = re.compile(r"SECRET|PASSWORD|KEY|TOKEN")

NOT_SOURCES = {"node_modules", "dist", "__pycache__", "tests"}


def use_fake_sdk(workspace: Path, needed: Sequence[str] = ()) -> None:
    """Put *workspace* and the fake SDK on this process's ``sys.path``.

    :param needed: modules that have to be installed, beside those of the fake SDK.
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

    :param workspace: its folder. :param name: as in INSTALLED_EXTENSIONS.
    :param platform: what the extension runs on.
    :ivar failure: why it cannot be served as its files are now; None if it can.
    :ivar settings: values of its configuration that can be changed for a run, as of the last import that worked.
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
        """Import it, as its files are now. :attr:`failure` says whether that worked.

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
        except (Exception, SystemExit) as error:  # noqa: BLE001  it is the developer's code, which may raise anything
            self.failure = failure_of(error, self.workspace, "import")

    def reload(self) -> None:
        """As :meth:`load`. A workspace that has no such extension any more is a :attr:`failure` too."""
        try:
            self.load()
        except Q2mfaError as error:
            self.failure = Failure("configuration", "", f"{error.message} {error.hint}")

    def check(self) -> None:
        """:raises Q2mfaError: there is a :attr:`failure`."""
        if self.failure is not None:
            raise Q2mfaError(
                f"{shown(self.name)} cannot be imported: {self.failure}.",
                "Correct it; `q2mfa test` shows the whole traceback.",
                "not_importable",
            )

    def _import(self) -> None:
        self.module = installed_module(self.workspace, self.name)
        self.url_patterns = importlib.import_module(f"{self.module}.urls").URL_PATTERNS
        for pattern in self.url_patterns:
            handler = pattern.handler_class
            if not hasattr(handler, "CONFIG_FILE_NAME"):
                continue  # it is not the SDK's
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

    def changes(self) -> set[Path]:
        """The files that matter to it and have changed since the last call or the last import."""
        before, self._stamps = self._stamps, dict(self._sources())
        return {path for path, _ in before.items() ^ self._stamps.items()}

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
    def page(self) -> str:
        """The page that the outlet of a client-side rendered extension opens, as FEATURE names it."""
        return str(self.feature.get("url", ""))

    @property
    def allow(self) -> str:
        """The outlet's ``allow`` (Permissions Policy), by FEATURE's ``allowDirectives``: a list or a text."""
        directives = self.feature.get("allowDirectives") or ""
        return directives if isinstance(directives, str) else "; ".join(map(str, directives))

    @property
    def integration(self) -> Integration:
        return integration_of(self.folder)

    @property
    def kind(self) -> str:
        return kind_of(self.folder)

    def _forget_modules(self) -> None:
        """Remove every module of the workspace, so that each is imported again, with those that import it."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and is_within(Path(file), self.workspace):
                del sys.modules[name]
        # The settings extend lists of this module.
        sys.modules.pop(DEFAULTS_IMPORT, None)
        importlib.invalidate_caches()

    def _sources(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        """Each file that matters when it changes, with the time and size that show a change."""
        for folder in (self.folder, self.workspace / "configuration"):
            for file in _files(folder):
                # The configuration of another extension does not matter.
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
    """The texts, numbers and lists of texts of *configuration*, without secrets."""

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
    """The settings of the SDK that the workspace's settings do not have, though the platform reads them."""
    settings = workspace_settings()
    defaults = vars(importlib.import_module(DEFAULTS_IMPORT))
    return [name for name in defaults if name.isupper() and settings and not hasattr(settings, name)]


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


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The files below *folder*, without those that neither the extension nor its page uses."""
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
