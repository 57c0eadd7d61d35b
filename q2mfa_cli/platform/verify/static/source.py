"""The source of one extension, parsed once for all static checks."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from q2mfa_cli.errors import ToolFailed
from q2mfa_cli.platform.verify.static.markup import Markup
from q2mfa_cli.platform.verify.static.module import Module
from q2mfa_cli.platform.verify.static.program import Program
from q2mfa_cli.platform.verify.static.script import Script, parse_script
from q2mfa_cli.workspace.find import CONFIGURATION, SETTINGS

# Built, installed or generated files, which have their source elsewhere.
SKIPPED_FOLDERS = frozenset({"node_modules", "dist", "build", "coverage", "__pycache__", ".git", ".venv"})
SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")
TEMPLATES = (".jinja2", ".jinja", ".j2")
PAGES = (".html", ".htm")
MAX_BYTES = 1_000_000  # larger files are not source


class Source:
    """The files of the extension *name*.

    :param workspace: the root; paths of locations are relative to it. :param folder: the extension's package.
    :raises ToolFailed: a file cannot be read or parsed, or there is no Python file.
    """

    def __init__(self, workspace: Path, name: str, folder: Path | None = None) -> None:
        self.workspace, self.name, self.folder = workspace, name, folder or workspace / name
        paths = [path for path in self._files((".py",)) if not self.is_test(self._relative(path))]
        if not paths:
            raise ToolFailed(
                f"{name} has no Python file to read.",
                "Give the name of an extension of this workspace.",
                "nothing_to_verify",
            )
        self.modules = [self._module(path) for path in paths]
        """The Python files of the extension, without its tests."""
        self.configuration = self._optional(f"{CONFIGURATION}/{name}.py")
        self.settings = self._optional(SETTINGS)
        self.program = Program(self.modules)
        """Call and taint analysis over `modules`."""

    @functools.cached_property
    def pages(self) -> list[Markup]:
        """The extension's HTML files and Jinja templates."""
        suffixes = (*PAGES, *TEMPLATES)
        paths = [path for path in self._files(suffixes) if not self.is_test(self._relative(path))]
        return [Markup(self._relative(path), _text(path), path.suffix in TEMPLATES) for path in paths]

    @functools.cached_property
    def scripts(self) -> list[Script]:
        """The script files of the front end, and the inline scripts of its pages.

        :raises Skipped: the parser is not installed.
        """
        found = []
        for path in self._files(SCRIPTS):
            relative = self._relative(path)
            if not self.is_test(relative) and not path.name.endswith(
                (".min.js", ".config.js", ".config.mjs")
            ):
                found.append(parse_script(relative, _text(path), path.suffix))
        for page in self.pages:
            found += [parse_script(page.path, text, ".js") for text in page.inline_scripts]
        return found

    def scripts_of(self, page: Markup) -> list[Script]:
        """Return the scripts that *page* runs. Linked ones match by file name, because the platform decides their paths."""
        names = {PurePosixPath(address.partition("?")[0]).name for address in page.script_addresses}
        return [
            script
            for script in self.scripts
            if script.path == page.path or PurePosixPath(script.path).name in names
        ]

    def text_files(self) -> Iterator[tuple[str, str]]:
        """Yield the path and text of every text file of the extension, including its tests, and of its configuration."""
        suffixes = (
            ".py",
            *SCRIPTS,
            *PAGES,
            *TEMPLATES,
            ".json",
            ".env",
            ".pem",
            ".key",
            ".toml",
            ".yaml",
            ".yml",
            ".ini",
        )
        for path in [*self._files(suffixes), self.workspace / CONFIGURATION / f"{self.name}.py"]:
            if (
                path.is_file()
                and path.stat().st_size <= MAX_BYTES
                and path.name not in ("package-lock.json",)
            ):
                yield self._relative(path), _text(path)

    @functools.cached_property
    def _paths(self) -> list[Path]:
        """The extension's files outside of :data:`SKIPPED_FOLDERS`, sorted by path."""
        found = []
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            found += [Path(folder, name) for name in names]
        return sorted(found, key=lambda path: path.relative_to(self.folder).parts)

    def _files(self, suffixes: tuple[str, ...]) -> list[Path]:
        return [path for path in self._paths if path.suffix in suffixes]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.workspace).as_posix()

    def is_test(self, path: str) -> bool:
        """Whether the file at *path* belongs to the extension's tests."""
        parts = PurePosixPath(path).parts[1:]
        return "tests" in parts[:-1] or "test" in parts[:-1] or parts[-1].startswith("test_")

    def _optional(self, path: str) -> Module | None:
        file = self.workspace / path
        return self._module(file) if file.is_file() else None

    def _module(self, path: Path) -> Module:
        relative = self._relative(path)
        try:
            return Module(relative, _text(path))
        except SyntaxError as error:
            raise ToolFailed(
                f"{relative}, line {error.lineno}: {error.msg}.",
                "Correct the file: it is not valid Python.",
                "syntax_error",
            ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise ToolFailed(
            f"{path.name} cannot be read: {error.strerror}.",
            "Check the file's permissions.",
            "workspace_unreadable",
        ) from error
