"""A request becomes rendered files, with Cookiecutter's own Jinja environment and rules.

Nothing is written: the outcome is a value. Byte for byte it is what ``cookiecutter templates/<integration>`` writes.
"""

from __future__ import annotations

import fnmatch
import functools
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from q2mfa_cli.request import ExtensionRequest

RenderedTree = Mapping[str, bytes]
"""Path, relative to the workspace and ``/``-separated, to content."""


def render(request: ExtensionRequest) -> RenderedTree:
    """The files of the extension that *request* asks for."""
    template = _template(request.mfa)
    variables = {
        **template.variables,
        "workspace": ".",
        "extension_name": request.name,
        "rendering": request.rendering,
    }
    if request.mfa == "redirect":
        variables |= {
            "issuer": request.issuer,
            "client_id": request.client_id,
            "scopes": " ".join(request.scopes),
        }
    return template.render(variables)


def templates_folder() -> Path:
    """Where the templates are: inside the package in a wheel, beside it in a checkout or an editable install."""
    package = Path(__file__).resolve().parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@functools.cache
def _template(integration: str) -> _Template:
    return _Template(templates_folder() / integration)


class _Template:
    """One Cookiecutter template; each of its files is read and compiled once."""

    def __init__(self, folder: Path) -> None:
        from jinja2 import FileSystemLoader

        defaults = json.loads((folder / "cookiecutter.json").read_text("utf-8"))
        self.variables: dict[str, Any] = {
            key: value[0] if isinstance(value, list) and not key.startswith("_") else value
            for key, value in defaults.items()
        }
        self.root = folder / "{{cookiecutter.workspace}}"
        # The arguments and the loader are those of cookiecutter.generate and cookiecutter.utils.
        sys.meta_path.insert(0, _Lean)
        try:
            from cookiecutter.environment import StrictEnvironment

            self.environment = StrictEnvironment(
                context={"cookiecutter": self.variables},
                keep_trailing_newline=True,
                loader=FileSystemLoader([self.root, folder / "templates"]),
            )
        finally:
            sys.meta_path.remove(_Lean)
        self.files = [
            os.path.relpath(os.path.join(parent, name), self.root).replace(os.sep, "/")
            for parent, _, names in os.walk(self.root)
            for name in names
            # pip compiles what it installs, templates too.
            if not parent.endswith("__pycache__")
        ]
        # All the names are one template: each for itself would take as long to compile as the contents.
        self.paths = self.environment.from_string("\n".join(self.files))
        # Cookiecutter computes the variables whose names start with two underscores from the others.
        self.computed = {
            name: self.environment.from_string(value)
            for name, value in self.variables.items()
            if name.startswith("__")
        }
        self.content = functools.cache(self._content)

    def render(self, variables: Mapping[str, Any]) -> RenderedTree:
        computed = {name: value.render(cookiecutter=variables) for name, value in self.computed.items()}
        context = {"cookiecutter": {**variables, **computed}}
        tree: dict[str, bytes] = {}
        for file, path in zip(self.files, self.paths.render(context).split("\n"), strict=True):
            # Cookiecutter's way to leave a file out: its name comes out empty.
            if path.endswith("/"):
                continue
            content = self.content(file)
            tree[path] = content if isinstance(content, bytes) else content.render(context).encode()
        return dict(sorted(tree.items()))

    def _content(self, file: str) -> Any:
        """A compiled template, or bytes where rendering would leave them as they are."""
        content = (self.root / file).read_bytes()
        if any(fnmatch.fnmatch(file, pattern) for pattern in self.variables.get("_copy_without_render", [])):
            return content
        # Jinja changes nothing else than what stands in its delimiters, and the line endings.
        if re.search(rb"\{[{%#]|\r", content):
            return self.environment.get_template(file)
        return content


class _Lean(PathFinder):
    """Finds Cookiecutter without what takes longer to load than our templates to render, and has no part in it.

    That is its date library, loaded when something in it is used, if ever; and its ``__init__``, which only looks up
    which version it is.
    """

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = super().find_spec(fullname, path, target) if fullname in ("cookiecutter", "arrow") else None
        if spec and spec.loader:
            # Without a loader it is a package all the same.
            spec.loader = None if fullname == "cookiecutter" else LazyLoader(spec.loader)
        return spec
