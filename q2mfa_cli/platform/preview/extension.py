"""The extension that is served: found in its workspace, imported unchanged, and imported anew when a file changes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from q2mfa_cli.errors import Q2mfaError, shown

FAKE_SDK = Path(__file__).resolve().parent.parent / "fake_sdk"
NOT_SOURCES = {"node_modules", "dist", "__pycache__"}


def use_fake_sdk(workspace: Path, needed: Sequence[str] = ("tornado", "jinja2")) -> None:
    """Put *workspace* and the stand-in on this process's ``sys.path``.

    :param needed: modules that have to be installed.
    :raises Q2mfaError: a real ``q2_sdk`` is there, or one of *needed* is not.
    """
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(workspace))
    if importlib.util.find_spec("q2_sdk") is not None:
        raise Q2mfaError(
            "The Q2 SDK is installed here, and the stand-in does not take its place.",
            "Use `q2 run`, or a virtual environment without the SDK.",
            "sdk_installed",
        )
    missing = [module for module in needed if importlib.util.find_spec(module) is None]
    if missing:
        raise Q2mfaError(
            f"The local platform needs {', '.join(missing)}, which this Python does not have.",
            "Install it: pip install 'q2mfa-cli[sandbox]'",
            "sandbox_missing",
        )
    sys.path.insert(0, str(FAKE_SDK))


class Extension:
    """One extension of a workspace; :func:`use_fake_sdk` has to have been called.

    :param workspace: its folder. :param name: as in INSTALLED_EXTENSIONS.
    :raises Q2mfaError: the platform would not start with this extension.
    """

    def __init__(self, workspace: Path, name: str) -> None:
        self.workspace, self.name = workspace, name
        self._stamps: dict[Path, tuple[int, int]] = {}
        self.load()

    def load(self) -> None:
        """Import it, as its files are now.

        :raises Q2mfaError: it cannot be imported, or its configuration lacks what it requires.
        """
        from q2_sdk._platform import ConfigurationMissing, platform

        self._forget_modules()
        self._stamps = dict(self._sources())
        try:
            self.module = self._installed(platform.settings)
            self.url_patterns = importlib.import_module(f"{self.module}.urls").URL_PATTERNS
            for pattern in self.url_patterns:
                handler = pattern.handler_class
                self.configuration = platform.extension_config(
                    handler.CONFIG_FILE_NAME,
                    handler.REQUIRED_CONFIGURATIONS,
                    handler.OPTIONAL_CONFIGURATIONS,
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
        """Whether a file of the extension, or of the workspace's configuration, is not as it was imported."""
        return dict(self._sources()) != self._stamps

    @property
    def folder(self) -> Path:
        return self.workspace.joinpath(*self.module.split("."))

    @property
    def assets(self) -> Path:
        """What ``q2 run`` builds ``frontend/dist`` from, which is what it serves."""
        return self.folder / "frontend" / "public"

    @property
    def feature(self) -> dict[str, Any]:
        """How online banking opens it: the main module of FEATURE in ``configuration/<Name>.py``."""
        module: dict[str, Any] = getattr(self.configuration, "FEATURE", {}).get("modules", {}).get("Main", {})
        return module

    @property
    def integration(self) -> str:
        """``redirect`` where the configuration names an issuer, else ``standard``."""
        return "redirect" if hasattr(self.configuration, "ISSUER") else "standard"

    def _installed(self, settings: Any) -> str:
        """The extension's module, by INSTALLED_EXTENSIONS; outside of a Q2 SDK workspace, its name."""
        installed = dict(
            entry if isinstance(entry, tuple) else (entry, entry) for entry in settings.INSTALLED_EXTENSIONS
        )
        if settings.__name__ != "configuration.settings":
            installed[self.name] = self.name
        if self.name not in installed:
            raise Q2mfaError(
                f"{shown(self.name)} is not in INSTALLED_EXTENSIONS of {shown(str(self.workspace))}.",
                "Add it in configuration/settings.py; `q2mfa create` does.",
                "not_installed",
            )
        module: str = installed[self.name]
        if not self.workspace.joinpath(*module.split("."), "urls.py").is_file():
            raise Q2mfaError(
                f"There is no extension {shown(self.name)} in {shown(str(self.workspace))}.",
                "`q2mfa create` makes one.",
                "no_such_extension",
            )
        return module

    def _forget_modules(self) -> None:
        """Have every module of the workspace imported anew; what another module still holds of it is gone too."""
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if file and _is_within(Path(file), self.workspace):
                del sys.modules[name]
        importlib.invalidate_caches()

    def _sources(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        """Each file that the extension is made of, with what tells a changed one."""
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


def _is_within(file: Path, workspace: Path) -> bool:
    """Whether *file* is the workspace's own: a virtual environment may lie in it too."""
    return (
        file.is_relative_to(workspace) and "site-packages" not in file.parts and FAKE_SDK not in file.parents
    )


def _where(error: Exception, workspace: Path) -> str:
    """What went wrong on one line, and in which of the workspace's lines."""
    import traceback

    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    if isinstance(error, SyntaxError):
        return text
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_within(Path(frame.filename), workspace)
    ]
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else text
