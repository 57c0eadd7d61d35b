"""A parsed Python file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from q2mfa_cli.platform.verify.check import Location

Function = ast.FunctionDef | ast.AsyncFunctionDef
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Module:
    """A Python file.

    :param path: relative to the workspace, with slashes.
    :raises SyntaxError: *text* is not valid Python.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path, self.lines = path, text.splitlines()
        self.tree = ast.parse(text)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.nodes = list(ast.walk(self.tree))
        self.functions = [node for node in self.nodes if isinstance(node, Function)]
        self.imports = dict(self._imported())

    def location(self, node: ast.AST) -> Location:
        """Return the place where *node* begins."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        # `ast` counts UTF-8 bytes.
        column = len(text.encode()[:column].decode("utf-8", "ignore"))
        return Location(self.path, line, column + 1, text)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around *node*, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def function_of(self, node: ast.AST) -> Function | None:
        """Return the innermost function around *node*."""
        return next((each for each in self.ancestors(node) if isinstance(each, Function)), None)

    def outermost(self, node: ast.AST) -> ast.AST:
        """Return the outermost function around *node*, or the module. Variables are tracked per outermost function."""
        found = [each for each in [node, *self.ancestors(node)] if isinstance(each, Function)]
        return found[-1] if found else self.tree

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        return next((each for each in self.ancestors(node) if isinstance(each, ast.ClassDef)), None)

    def dotted(self, node: ast.AST) -> str:
        """Return the full name that *node* refers to, with imports resolved: ``jwt.decode``. Empty if it is not a name."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        return ""

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def _imported(self) -> Iterator[tuple[str, str]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    yield alias.asname or name, name
            elif isinstance(node, ast.ImportFrom):
                origin = "." * node.level + (node.module or "")
                for alias in node.names:
                    yield alias.asname or alias.name, f"{origin}.{alias.name}"


def terminal(node: ast.AST) -> str:
    """Return the last name that *node* reads, in snake_case: ``code`` of ``body["code"]``, ``body.get("code")`` and ``self.code``."""
    if isinstance(node, ast.Await):
        return terminal(node.value)
    if isinstance(node, ast.Name):
        return snake(node.id)
    if isinstance(node, ast.Attribute):
        return snake(node.attr)
    if isinstance(node, ast.Subscript):
        key = text_of(node.slice)
        return snake(key) if key is not None else terminal(node.value)
    if isinstance(node, ast.Call):
        name = called(node)
        if name in READERS and node.args and (key := text_of(node.args[0])) is not None:
            return snake(key)
        if name == "getattr" and len(node.args) > 1 and (key := text_of(node.args[1])) is not None:
            return snake(key)
        if name in ("str", "bytes", "int") and len(node.args) == 1:
            return terminal(node.args[0])
        if name in TRANSFORMS and isinstance(node.func, ast.Attribute):
            return terminal(node.func.value)
    return ""


READERS = frozenset({"get", "pop", "get_argument", "get_body_argument", "get_query_argument"})
TRANSFORMS = frozenset(
    {"strip", "lower", "upper", "encode", "decode", "replace", "hexdigest", "digest", "lstrip", "rstrip"}
)


def called(call: ast.Call) -> str:
    """Return the last name of the called function: ``decode`` of ``jwt.decode(…)``."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def text_of(node: ast.AST | None) -> str | None:
    """Return the value of a string literal; None for other nodes."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def spreads(call: ast.Call) -> bool:
    """Whether *call* has unknown arguments: ``*args`` or ``**options``."""
    return any(each.arg is None for each in call.keywords) or any(
        isinstance(each, ast.Starred) for each in call.args
    )


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower().strip("_")


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of *function* in source order, without the bodies of nested functions and classes."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, (*SCOPES, ast.ClassDef)):
            yield from own_nodes(child)


def target_names(target: ast.AST) -> Iterator[str]:
    """Yield the variables that an assignment to *target* binds."""
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from target_names(each)
    elif isinstance(target, ast.Starred):
        yield from target_names(target.value)
