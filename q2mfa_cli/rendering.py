"""Render the files of a request, with the Jinja environment and the rules of Cookiecutter.

Nothing is written to disk. The bytes equal those that ``cookiecutter templates/<integration>`` writes.
"""

from __future__ import annotations

import fnmatch
import functools
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from q2mfa_cli import __version__
from q2mfa_cli.questions import cookiecutter_variables
from q2mfa_cli.request import ExtensionRequest

EXTENSION = "{{cookiecutter.extension_name}}"

RenderedTree = Mapping[str, bytes]
"""Content by path. Paths are relative to the workspace and ``/``-separated."""


VERSION_VARIABLE = "_q2mfa_version"
"""The templates' private variable for the version of q2mfa, which a comment in the generated security files shows."""


def render(request: ExtensionRequest, version: str = __version__) -> RenderedTree:
    """Return the files of the extension.

    :param version: The version of q2mfa to show in the files.
    """
    template = _template(request.integration.id)
    answers = cookiecutter_variables(request.answers)
    return template.render({**template.variables, "workspace": ".", VERSION_VARIABLE: version, **answers})


def templates_folder() -> Path:
    """Return the folder of the templates: inside the package in a wheel, next to it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@functools.cache
def _template(integration: str) -> _Template:
    return _Template(templates_folder() / integration)


class _Template:
    """One Cookiecutter template. Each file is read and compiled once."""

    def __init__(self, folder: Path) -> None:
        # This import takes longer than the rest of a run, and usage errors do not need it.
        from cookiecutter.environment import StrictEnvironment
        from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

        defaults = json.loads((folder / "cookiecutter.json").read_text("utf-8"))
        self.variables: dict[str, Any] = {
            key: value[0] if isinstance(value, list) and not key.startswith("_") else value
            for key, value in defaults.items()
        }
        # In a wheel, two folders have shorter names: see pyproject.toml.
        in_wheel = folder / "workspace"
        root = in_wheel if in_wheel.is_dir() else folder / "{{cookiecutter.workspace}}"
        folders = {EXTENSION if name == "extension" else name: root / name for name in os.listdir(root)}
        # These arguments, and the templates that the loaders find, equal those of cookiecutter.generate and cookiecutter.utils.
        self.environment = StrictEnvironment(
            context={"cookiecutter": self.variables},
            keep_trailing_newline=True,
            loader=ChoiceLoader(
                [
                    PrefixLoader({name: FileSystemLoader(path) for name, path in folders.items()}),
                    FileSystemLoader(folder / "templates"),
                ]
            ),
        )
        self.files = {
            f"{name}/{os.path.relpath(path, top)}".replace(os.sep, "/"): path
            for name, top in folders.items()
            for parent, _, names in os.walk(top)
            for path in (os.path.join(parent, file) for file in names)
            # pip compiles all installed .py files, including those of the templates.
            if not parent.endswith("__pycache__")
        }
        # All paths are rendered as one template, because compiling them one by one takes as long as compiling the contents.
        self.paths = self.environment.from_string("\n".join(self.files))
        # Cookiecutter computes variables whose names start with two underscores from the other variables.
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
            # As in Cookiecutter, a file with an empty name is left out.
            if path.endswith("/"):
                continue
            content = self.content(file)
            tree[path] = content if isinstance(content, bytes) else content.render(context).encode()
        return dict(sorted(tree.items()))

    def _content(self, file: str) -> Any:
        """Return the compiled template of *file*, or its bytes if rendering would not change them."""
        content = Path(self.files[file]).read_bytes()
        copied = self.variables.get("_copy_without_render", [])
        if any(fnmatch.fnmatch(file, pattern) for pattern in copied):
            return content
        # Jinja changes only text inside its delimiters, and line endings.
        if re.search(rb"\{[{%#]|\r", content):
            return self.environment.get_template(file)
        return content
