"""The import rules of q2mfa_cli, read from the source of every module."""

from __future__ import annotations

import ast
import functools
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "q2mfa_cli"
FAKE_SDK = PACKAGE / "platform" / "fake_sdk"

# From the top to the bottom: a module imports from its own layer and from the layers below. A package stands for its modules.
LAYERS = [
    ["q2mfa_cli.__main__"],
    ["q2mfa_cli.cli"],
    ["q2mfa_cli.commands"],
    [
        "q2mfa_cli.platform",
        "q2mfa_cli.inventory",
        "q2mfa_cli.plan",
        "q2mfa_cli.prompts",
        "q2mfa_cli.provider",
        "q2mfa_cli.removal_plan",
        "q2mfa_cli.report",
        "q2mfa_cli.transaction",
        "q2mfa_cli.update_plan",
        "q2mfa_cli.update_report",
    ],
    [
        "q2mfa_cli.answers",
        "q2mfa_cli.changelog",
        "q2mfa_cli.chromium",
        "q2mfa_cli.integrations",
        "q2mfa_cli.merge",
        "q2mfa_cli.questions",
        "q2mfa_cli.record",
        "q2mfa_cli.rendering",
        "q2mfa_cli.request",
        "q2mfa_cli.toml",
        "q2mfa_cli.validators",
        "q2mfa_cli.workspace",
    ],
    ["q2mfa_cli.errors"],
    ["q2mfa_cli"],
]


def module_name(file: Path) -> str:
    """The name by which *file* is imported. The fake SDK is imported as `q2_sdk`."""
    root = FAKE_SDK if file.is_relative_to(FAKE_SDK) else PACKAGE.parent
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


SOURCES = {module_name(file): file for file in PACKAGE.rglob("*.py") if "templates" not in file.parts}


def imports(module: str) -> set[str]:
    """The modules of this project that *module* imports, at its top, in functions or for type checking."""
    file = SOURCES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*parents, *([node.module] if node.module else [])])
            names = {f"{origin}.{alias.name}" for alias in node.names}
            found |= (names & SOURCES.keys()) or {origin}
    return found & SOURCES.keys() - {module}


@functools.cache
def all_imports() -> dict[str, set[str]]:
    return {module: imports(module) for module in SOURCES}


def layer(module: str) -> int:
    """The number of the layer whose entry fits *module* best."""
    fitting = [
        (len(entry), number)
        for number, entries in enumerate(LAYERS)
        for entry in entries
        if module == entry or (module.startswith(f"{entry}.") and entry != "q2mfa_cli")
    ]
    if not fitting:
        pytest.fail(f"{module} is in no layer. Add it to LAYERS.")
    return max(fitting)[1]


def in_fake_sdk(module: str) -> bool:
    return module.partition(".")[0] == "q2_sdk"


def test_modules_import_from_their_own_layer_and_below() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, found in all_imports().items()
        for imported in found
        if not in_fake_sdk(module) and not in_fake_sdk(imported) and layer(imported) < layer(module)
    ]
    assert wrong == []


def test_fake_sdk_imports_the_platform_and_nothing_above() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, found in all_imports().items()
        for imported in found
        if in_fake_sdk(module) and not in_fake_sdk(imported) and layer(imported) < layer("q2mfa_cli.platform")
    ]
    assert wrong == []


def test_q2mfa_does_not_import_the_fake_sdk() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, found in all_imports().items()
        for imported in found
        if in_fake_sdk(imported) and not in_fake_sdk(module)
    ]
    assert wrong == []


def test_imports_have_no_cycle() -> None:
    graphlib.TopologicalSorter(all_imports()).prepare()


def test_layers_name_existing_modules_only() -> None:
    assert [entry for entries in LAYERS for entry in entries if entry not in SOURCES] == []


def test_import_reader_finds_imports_at_the_top_and_in_functions() -> None:
    found = imports("q2mfa_cli.cli")
    assert "q2mfa_cli.questions" in found  # at the top
    assert "q2mfa_cli.report" in found  # in a function, `from q2mfa_cli import report`
