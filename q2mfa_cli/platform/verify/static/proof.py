"""Analysis of the checks that run before the extension sets a token with HQ, and of the failures it ignores."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from q2mfa_cli.platform.verify.static.module import Function, Module, called, own_nodes, text_of
from q2mfa_cli.platform.verify.static.program import CallSite, Program, leaves, statements_before

SET_TOKEN = "set_external_mfa_token"

# Calls that prove nothing about the customer: they only build, read, write or send values.
LIBRARIES = frozenset(
    [
        "q2_requests",
        "requests",
        "secrets",
        "uuid",
        "random",
        "os",
        "time",
        "datetime",
        "json",
        "hashlib",
        "base64",
        "urllib",
        "logging",
        "string",
        "asyncio",
        "copy",
        "math",
        "re",
    ]
)
BUILTINS = frozenset(
    [
        "print",
        "str",
        "int",
        "bytes",
        "dict",
        "list",
        "set",
        "tuple",
        "len",
        "getattr",
        "hasattr",
        "isinstance",
        "super",
        "map",
        "range",
        "sorted",
        "repr",
    ]
)
METHODS = frozenset(
    [
        "debug",
        "info",
        "warning",
        "error",
        "exception",
        "log",
        "get",
        "set",
        "add",
        "append",
        "update",
        "delete",
        "json",
        "format",
        "join",
        "encode",
        "decode",
        "strip",
        "lower",
        "upper",
        "hex",
        "split",
        "replace",
        "items",
        "keys",
        "values",
        "get_template",
        "get_tecton_form",
        "setdefault",
        "deliver_message",
        "run_async",
        "isoformat",
    ]
)


CHECKING = re.compile(
    r"verif|check|valid|confirm|compare|decode|authentic|prove|proof|match|is_right|exchange"
)


@dataclass(frozen=True)
class Swallowed:
    """A handler or ``with suppress(…)``, at *node*, that hides a failed proof."""

    node: ast.AST
    module: Module
    function: Function


class Proofs:
    """The calls that set a token, and the checks on the paths to them."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @functools.cached_property
    def grants(self) -> list[CallSite]:
        """The calls that set a token with HQ."""
        return [site for site in self.program.sites.get(SET_TOKEN, []) if site.function]

    def unproven(self) -> Iterator[CallSite]:
        """Yield the calls that a route can reach without any check that can fail."""
        for site in self.grants:
            if site.function and self._reaches_unproven(site, frozenset()):
                yield site

    def swallowed(self) -> Iterator[Swallowed]:
        """Yield the handlers that hide a failed proof before a call that sets a token."""
        seen = set()
        for site in [*self.grants, *self._calls_of_granting()]:
            if site.function and (node := self._swallowing(site)) and node not in seen:
                seen.add(node)
                yield Swallowed(node, site.module, site.function)

    def in_handlers(self) -> Iterator[CallSite]:
        """Return the calls that set a token inside ``except`` or ``finally``."""
        return (site for site in [*self.grants, *self._calls_of_granting()] if _is_in_handler(site))

    @functools.cached_property
    def reachable(self) -> set[Function]:
        """The functions that set a token, and all functions that they call, directly or indirectly."""
        found = {site.function for site in self.grants if site.function}
        left = list(found)
        while left:
            for node in ast.walk(left.pop()):
                if isinstance(node, ast.Call):
                    new = [each for each in self.program.resolve(node) if each not in found]
                    found.update(new)
                    left += new
        return found

    def _calls_of_granting(self) -> list[CallSite]:
        """Return the calls of functions that set a token without a check of their own."""
        helpers = {
            site.function
            for site in self.grants
            if site.function and not self._guards(site.module, site.call, site.function)
        }
        return [
            call for helper in helpers if helper for call in self.program.calls_of(helper) if call.function
        ]

    def _reaches_unproven(self, site: CallSite, above: frozenset[str]) -> bool:
        function = site.function
        if function is None or function.name in above or _is_in_handler(site):
            return False
        if self._guards(site.module, site.call, function) or self._swallowing(site):
            return False
        if function.decorator_list:
            return False  # a decorator may check
        callers = [call for call in self.program.calls_of(function) if call.function]
        if not callers or function.name in self.program.routes:
            return True
        return any(self._reaches_unproven(call, above | {function.name}) for call in callers)

    def _guards(self, module: Module, call: ast.Call, function: Function) -> bool:
        """Whether *function* checks something before *call*, or around it."""
        inside: ast.AST = call
        for outer in module.ancestors(call):
            if outer is function:
                break
            if isinstance(outer, ast.If | ast.IfExp | ast.While | ast.Match) and inside is not getattr(
                outer, "test", None
            ):
                return True
            if isinstance(outer, ast.With | ast.AsyncWith) and any(
                self._proves(item) for item in outer.items
            ):
                return True
            if isinstance(outer, ast.Lambda):
                return True  # runs later
            inside = outer
        if any(self._proves(each) for each in [*call.args, *call.keywords]):
            return True
        return any(self._stops(statement) for statement in statements_before(module, call, function))

    def _swallowing(self, site: CallSite) -> ast.AST | None:
        """Return the handler that hides a failure of the last check before *site*."""
        function = site.function
        if function is None or self._is_conditional(site, function):
            return None
        other = None
        for statement in statements_before(site.module, site.call, function):
            node, body = _swallows(statement), getattr(statement, "body", [])
            if node and any(map(_denies, body)):
                return node
            if node and any(map(self._may_fail, body)):
                other = other or node
            elif self._stops(statement):
                return None  # a later check stops failures, so the hidden one does not matter
        return other

    @staticmethod
    def _is_conditional(site: CallSite, function: Function) -> bool:
        for outer in site.module.ancestors(site.call):
            if outer is function:
                return False
            if isinstance(outer, ast.If | ast.IfExp | ast.While | ast.Match | ast.Lambda):
                return True
        return False

    def _stops(self, statement: ast.stmt) -> bool:
        """Whether *statement* can end the function, so that it guards the statements after it."""
        return not _swallows(statement) and self._may_fail(statement)

    def _may_fail(self, statement: ast.AST) -> bool:
        if isinstance(statement, ast.Raise | ast.Assert):
            return True
        if isinstance(statement, ast.If) and (leaves(statement.body) or leaves(statement.orelse)):
            return True
        if isinstance(statement, ast.Try) and _swallows(statement):
            return any(
                isinstance(each, ast.Return) for handler in statement.handlers for each in own_nodes(handler)
            )
        if isinstance(statement, Function | ast.ClassDef):
            return False
        return any(
            self._may_fail(child) if isinstance(child, ast.stmt) else self._proves(child)
            for child in ast.iter_child_nodes(statement)
        )

    def _proves(self, node: ast.AST) -> bool:
        """Whether *node* contains an expression that can raise to deny: a checking call, or a required key of a response."""
        for each in [node, *own_nodes(node)]:
            if isinstance(each, ast.Call) and self._call_proves(each, frozenset()):
                return True
            if isinstance(each, ast.Subscript) and isinstance(each.ctx, ast.Load) and _is_answer(each):
                return True
        return False

    def _call_proves(self, call: ast.Call, above: frozenset[str]) -> bool:
        name = called(call)
        if name == SET_TOKEN or name in above:
            return False
        functions = self.program.resolve(call)
        for function in functions:
            for node in own_nodes(function):
                if isinstance(node, ast.Raise | ast.Assert):
                    return True
                if isinstance(node, ast.Call) and self._call_proves(node, above | {name}):
                    return True
        if functions:
            return False
        root = self._root(call)
        return not (name in BUILTINS | METHODS or root in LIBRARIES)

    def _root(self, call: ast.Call) -> str:
        """Return the top-level package of the called function, by the module's imports."""
        for module in self.program.modules:
            if call in module.parents:
                dotted = module.dotted(call.func)
                parts = dotted.lstrip(".").split(".")
                return "q2_requests" if "q2_requests" in parts else parts[0]
        return ""


def _is_answer(node: ast.Subscript) -> bool:
    """Whether *node* reads a required key of a response, not of the page's request or the platform's settings."""
    base: ast.AST = node.value
    names = []
    while isinstance(base, ast.Attribute | ast.Subscript | ast.Call | ast.Await):
        names.append(getattr(base, "attr", ""))
        base = base.func if isinstance(base, ast.Call) else base.value
    names.append(getattr(base, "id", ""))
    known = {"request_body", "form_fields", "environ", "config", "db_config", "body", "self"}
    return (
        text_of(node.slice) is not None
        and not known.intersection(names[:2])
        and not any(map(str.isupper, names))
    )


def _swallows(statement: ast.AST) -> ast.AST | None:
    """Return the handler of *statement* after which the function continues; None if every failure ends it."""
    if isinstance(statement, ast.Try):
        return next((handler for handler in statement.handlers if not leaves(handler.body)), None)
    if isinstance(statement, ast.With | ast.AsyncWith):
        for item in statement.items:
            if isinstance(item.context_expr, ast.Call) and called(item.context_expr) == "suppress":
                return statement
    return None


def _denies(statement: ast.AST) -> bool:
    """Whether *statement* denies: it raises, or calls a function whose name says that it checks."""
    return any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and bool(CHECKING.search(called(node))))
        for node in [statement, *own_nodes(statement)]
    )


def _is_in_handler(site: CallSite) -> bool:
    inside: ast.AST = site.call
    for outer in site.module.ancestors(site.call):
        if isinstance(outer, Function):
            return False
        if isinstance(outer, ast.Try) and inside in outer.finalbody:
            return True
        if isinstance(outer, ast.ExceptHandler):
            around = site.module.parents[outer]
            # The handler retries a failed call to HQ, so it needs no new proof.
            return not any(_has_grant(statement) for statement in getattr(around, "body", []))
        inside = outer
    return False


def _has_grant(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Call) and called(each) == SET_TOKEN for each in ast.walk(node))
