"""Call and taint analysis over all Python files of an extension."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from q2mfa_cli.platform.verify.static.module import (
    READERS,
    TRANSFORMS,
    Function,
    Module,
    called,
    own_nodes,
    target_names,
    terminal,
)

FROM_PAGE = frozenset({"request_body", "form_fields"})
"""Handler attributes that hold what the page sent."""
FROM_PAGE_CALLS = frozenset({"get_argument", "get_arguments", "get_body_argument", "get_query_argument"})
PASSED_ON = frozenset({"str", "int", "bytes", "dict", "list"})
RECEIVERS = ("self", "cls")


@dataclass(frozen=True)
class CallSite:
    """A call, the function around it, and its module."""

    call: ast.Call
    function: Function | None
    module: Module


class Program:
    """The modules of an extension. Calls resolve by function name only; the type of the receiver is not tracked."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.module_of = {function: module for module in modules for function in module.functions}
        self.named: dict[str, list[Function]] = defaultdict(list)
        for function in self.module_of:
            self.named[function.name].append(function)
        self.constructors: dict[str, list[Function]] = defaultdict(list)
        for function, module in self.module_of.items():
            kind = module.class_of(function)
            if kind and function.name == "__init__":
                self.constructors[kind.name].append(function)
        self.sites: dict[str, list[CallSite]] = defaultdict(list)
        for module in modules:
            for call in module.calls():
                self.sites[called(call)].append(CallSite(call, module.function_of(call), module))

    @functools.cached_property
    def routes(self) -> set[str]:
        """The names of the route functions: the attributes of ``self`` that the routers use."""
        found = set()
        for function in self.named["router"]:
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "self"
                ):
                    found.add(node.attr)
        return found

    def resolve(self, call: ast.Call) -> list[Function]:
        """Return the functions of the extension that *call* may call."""
        name = called(call)
        # Library methods such as `get` may share the name of a function of the extension.
        return (
            []
            if name in READERS | TRANSFORMS
            else [*self.named.get(name, []), *self.constructors.get(name, [])]
        )

    def calls_of(self, function: Function) -> list[CallSite]:
        """Return the calls of *function* in the extension."""
        kind = self.module_of[function].class_of(function)
        name = kind.name if kind and function.name == "__init__" else function.name
        return [site for site in self.sites.get(name, []) if site.function is not function]

    def arguments(self, function: Function, name: str) -> Iterator[tuple[CallSite, ast.expr]]:
        """Yield the arguments for the parameter *name* of *function*, with their call sites."""
        for site in self.calls_of(function):
            value = bound(function, site.call).get(name)
            if value is not None:
                yield site, value

    @functools.cached_property
    def _tainted(self) -> dict[ast.AST, set[str]]:
        """The variables that hold values from the page, by outermost function."""
        tainted: dict[ast.AST, set[str]] = defaultdict(set)
        changed = True
        while changed:
            before = sum(map(len, tainted.values()))
            for module in self.modules:
                for node in module.nodes:
                    owner = module.outermost(node)
                    for target, value in bindings(node):
                        if self._comes(value, tainted[owner]):
                            tainted[owner].update(target_names(target))
                    if isinstance(node, ast.Call):
                        for function in self.resolve(node):
                            inner = self.module_of[function].outermost(function)
                            for name, value in bound(function, node).items():
                                if self._comes(value, tainted[owner]):
                                    tainted[inner].add(name)
            changed = sum(map(len, tainted.values())) > before
        return tainted

    def is_from_page(self, module: Module, node: ast.AST) -> bool:
        """Whether *node* holds a value that the page sent, or a part of one."""
        return self._comes(node, self._tainted.get(module.outermost(node), set()))

    def _comes(self, node: ast.AST, names: set[str]) -> bool:
        comes = functools.partial(self._comes, names=names)
        if isinstance(node, ast.Name):
            return node.id in names
        if isinstance(node, ast.Attribute):
            return node.attr in FROM_PAGE or comes(node.value)
        if isinstance(node, ast.Subscript | ast.Await | ast.Starred | ast.FormattedValue):
            return comes(node.value)
        if isinstance(node, ast.BoolOp):
            return any(map(comes, node.values))
        if isinstance(node, ast.IfExp):
            return comes(node.body) or comes(node.orelse)
        if isinstance(node, ast.BinOp):
            return comes(node.left) or comes(node.right)
        if isinstance(node, ast.JoinedStr):
            return any(map(comes, node.values))
        if isinstance(node, ast.Tuple | ast.List):
            return any(map(comes, node.elts))
        if isinstance(node, ast.Call):
            name = called(node)
            if name in FROM_PAGE_CALLS:
                return True
            if name in PASSED_ON:
                return any(map(comes, node.args))
            if name in READERS | TRANSFORMS and isinstance(node.func, ast.Attribute):
                return comes(node.func.value)
            return any(function in self._page_readers for function in self.resolve(node))
        return False

    @functools.cached_property
    def _page_readers(self) -> set[Function]:
        """The functions without parameters (other than ``self`` or ``cls``) that return what the page sent."""
        return set(filter(self._reads_page, self.module_of))

    @staticmethod
    def _reads_page(function: Function) -> bool:
        parameters = [each.arg for each in function.args.args if each.arg not in RECEIVERS]
        returned = [node.value for node in own_nodes(function) if isinstance(node, ast.Return) and node.value]
        return not parameters and any(
            isinstance(part, ast.Attribute) and part.attr in FROM_PAGE
            for value in returned
            if not isinstance(value, ast.Await)
            for part in _spine(value)
        )

    def origin(self, module: Module, node: ast.AST) -> str:
        """Return the last name of *node*; for a variable with a value from the page, the page's name for the value."""
        name = terminal(node)
        if isinstance(node, ast.Name) and self.is_from_page(module, node):
            values = self.values(module, node.id, node)
            returned = [
                each.value
                for value in values
                if isinstance(value, ast.Call)
                for function in self.resolve(value)
                for each in own_nodes(function)
                if isinstance(each, ast.Return) and each.value
            ]
            words = [terminal(value) for value in [*returned, *values] if not isinstance(value, ast.Name)]
            return next(filter(None, words), name)
        return name

    def holds(self, module: Module, node: ast.Name | ast.Attribute) -> list[tuple[Module, ast.expr]]:
        """Return the known values of a variable, a parameter or an attribute of ``self``, with their modules."""
        if isinstance(node, ast.Name):
            found = [(module, value) for value in self.values(module, node.id, node)]
            for function in [around for around in module.ancestors(node) if isinstance(around, Function)]:
                found += [(site.module, value) for site, value in self.arguments(function, node.id)]
            return found
        kind = module.class_of(node) if isinstance(node.value, ast.Name) and node.value.id == "self" else None
        return [
            (module, value)
            for inside in (ast.walk(kind) if kind else ())
            for target, value in bindings(inside)
            if isinstance(target, ast.Attribute) and target.attr == node.attr
        ]

    def values(self, module: Module, name: str, near: ast.AST) -> list[ast.expr]:
        """Return the values assigned to the variable *name* in the outermost function around *near*, else in the module."""
        for owner in (module.outermost(near), module.tree):
            inside = ast.walk(owner) if isinstance(owner, Function) else ast.iter_child_nodes(owner)
            found = [
                value for node in inside for target, value in bindings(node) if name in target_names(target)
            ]
            if found:
                return found
        return []


def _spine(node: ast.AST) -> Iterator[ast.AST]:
    """Yield *node* and the expressions it is read from, such as ``self.a`` for ``self.a.get("x")``."""
    yield node
    inner = node.func if isinstance(node, ast.Call) else getattr(node, "value", None)
    if isinstance(inner, ast.AST):
        yield from _spine(inner)


def bindings(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield the targets that *node* binds, each with its value."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if (
                isinstance(target, ast.Tuple)
                and isinstance(node.value, ast.Tuple)
                and len(target.elts) == len(node.value.elts)
            ):
                yield from zip(target.elts, node.value.elts, strict=True)
            else:
                yield target, node.value
    elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
        yield node.target, node.value
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        yield node.target, node.iter


def bound(function: Function, call: ast.Call) -> dict[str, ast.expr]:
    """Return the arguments of *call*, by parameter of *function*."""
    names = [
        each.arg for each in [*function.args.posonlyargs, *function.args.args] if each.arg not in RECEIVERS
    ]
    found = dict(zip(names, call.args, strict=False))
    known = {*names, *(each.arg for each in function.args.kwonlyargs)}
    return found | {each.arg: each.value for each in call.keywords if each.arg in known}


def statements_before(module: Module, node: ast.AST, function: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of *function* that run before *node*, latest first."""
    inside: ast.AST = node
    for outer in module.ancestors(node):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(outer, name, None)
            if isinstance(block, list) and inside in block:
                yield from reversed(block[: block.index(inside)])
                if isinstance(outer, ast.Try) and name == "orelse":
                    yield from reversed(outer.body)
        if outer is function:
            return
        inside = outer


def leaves(block: Iterable[ast.stmt]) -> bool:
    """Whether every path through *block* ends in ``raise``, ``return``, ``continue`` or ``break``."""
    for statement in block:
        if isinstance(statement, ast.Raise | ast.Return | ast.Continue | ast.Break):
            return True
        if isinstance(statement, ast.If) and leaves(statement.body) and leaves(statement.orelse):
            return True
        if isinstance(statement, ast.With | ast.AsyncWith) and leaves(statement.body):
            return True
        if isinstance(statement, ast.Try) and (
            leaves(statement.finalbody)
            or (leaves(statement.body) and all(leaves(handler.body) for handler in statement.handlers))
        ):
            return True
    return False
