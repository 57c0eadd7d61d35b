"""A script of the front end, parsed by tree-sitter."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from q2mfa_cli.platform.verify.check import Location, Skipped

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_expression",
        "function_declaration",
        "method_definition",
        "generator_function_declaration",
        "generator_function",
    }
)
WRAPPERS = frozenset(
    {"parenthesized_expression", "as_expression", "non_null_expression", "satisfies_expression"}
)


class Script:
    """A script file, or an inline script of a page.

    :param path: of the file, relative to the workspace, with slashes.
    """

    def __init__(self, path: str, text: str, root: Node) -> None:
        self.path, self.lines, self.root = path, text.splitlines(), root
        self.nodes = list(_walk(root))
        self._by_type: dict[str, list[Node]] = defaultdict(list)
        for node in self.nodes:
            self._by_type[node.type].append(node)

    def location(self, node: Node) -> Location:
        line, column = node.start_point
        text = self.lines[line] if line < len(self.lines) else ""
        return Location(self.path, line + 1, len(text.encode()[:column].decode("utf-8", "ignore")) + 1, text)

    def of_type(self, *types: str) -> Iterator[Node]:
        return (node for each in types for node in self._by_type.get(each, []))

    @property
    def calls(self) -> Iterator[Node]:
        return self.of_type("call_expression")

    @functools.cached_property
    def functions(self) -> dict[str, Node]:
        """The named functions of the script."""
        found = {}
        for node in self.of_type("function_declaration"):
            found[text(node.child_by_field_name("name"))] = node
        for node in self.of_type("variable_declarator"):
            value = node.child_by_field_name("value")
            if value and value.type in FUNCTIONS:
                found[text(node.child_by_field_name("name"))] = value
        return found

    def function(self, node: Node | None) -> Node | None:
        """Return the function that *node* is or refers to."""
        node = bare(node)
        if node and node.type in FUNCTIONS:
            return node
        return self.functions.get(text(node)) if node and node.type == "identifier" else None

    def declarations(self) -> Iterator[tuple[Node, Node]]:
        """Yield each declared or assigned target, with its value."""
        for node in self.of_type("variable_declarator", "assignment_expression"):
            first, second = ("name", "value") if node.type == "variable_declarator" else ("left", "right")
            target, value = node.child_by_field_name(first), node.child_by_field_name(second)
            if target and value:
                yield target, value


def parse_script(path: str, source: str, suffix: str) -> Script:
    """Parse *source* with the syntax of *suffix*, such as ``.ts``.

    :raises Skipped: the parser is not installed.
    """
    return Script(path, source, _parser(suffix).parse(source.encode()).root_node)


@functools.cache
def _parser(suffix: str) -> Parser:
    try:
        import tree_sitter
        import tree_sitter_javascript
        import tree_sitter_typescript
    except ImportError:
        raise Skipped('tree-sitter is not installed. Install it: pip install "q2mfa-cli[verify]"') from None
    languages = {
        ".ts": tree_sitter_typescript.language_typescript,
        ".tsx": tree_sitter_typescript.language_tsx,
    }
    language = languages.get(suffix, tree_sitter_javascript.language)
    return tree_sitter.Parser(tree_sitter.Language(language()))


def _walk(node: Node) -> Iterator[Node]:
    left = [node]
    while left:
        node = left.pop()
        yield node
        left += reversed(node.children)


def inside(node: Node | None) -> Iterator[Node]:
    """Yield *node* and all its descendants."""
    if node:
        yield from _walk(node)


def text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node and node.text else ""


def ancestors(node: Node) -> Iterator[Node]:
    while node.parent:
        node = node.parent
        yield node


def bare(node: Node | None) -> Node | None:
    """Return *node* without the parentheses and type assertions around it."""
    while node and node.type in WRAPPERS and node.named_children:
        node = node.named_children[0]
    return node


def name_of(node: Node | None) -> str:
    """Return the dotted name of a variable or property, such as ``window.location.href``. Empty for other nodes."""
    node = bare(node)
    if node is None:
        return ""
    if node.type in ("identifier", "property_identifier", "this", "private_property_identifier"):
        return text(node)
    if node.type == "member_expression":
        base = name_of(node.child_by_field_name("object"))
        last = text(node.child_by_field_name("property"))
        return f"{base}.{last}" if base else last
    if node.type == "subscript_expression":
        base, index = name_of(node.child_by_field_name("object")), literal(node.child_by_field_name("index"))
        return f"{base}.{index}" if base and index else ""
    return ""


def called(call: Node) -> str:
    """Return the last name of the called function."""
    function = bare(call.child_by_field_name("function"))
    if function is None:
        return ""
    return (
        text(function.child_by_field_name("property"))
        if function.type == "member_expression"
        else name_of(function)
    )


def receiver(call: Node) -> Node | None:
    function = bare(call.child_by_field_name("function"))
    return (
        function.child_by_field_name("object") if function and function.type == "member_expression" else None
    )


def arguments(call: Node) -> list[Node]:
    given = call.child_by_field_name("arguments")
    return [each for each in given.named_children if each.type != "comment"] if given else []


def literal(node: Node | None) -> str | None:
    """Return the text of a string literal without substitutions; None for other nodes."""
    node = bare(node)
    if node and node.type == "string":
        return text(node)[1:-1]
    if (
        node
        and node.type == "template_string"
        and not any(each.type == "template_substitution" for each in node.children)
    ):
        return text(node)[1:-1]
    return None


def is_constant(node: Node | None) -> bool:
    """Whether *node* consists of literals only."""
    node = bare(node)
    if node is None:
        return True
    if node.type in ("string", "number", "true", "false", "null", "undefined"):
        return True
    if node.type == "template_string":
        return literal(node) is not None
    if node.type in ("binary_expression", "ternary_expression"):
        parts = ["left", "right"] if node.type == "binary_expression" else ["consequence", "alternative"]
        return all(is_constant(node.child_by_field_name(part)) for part in parts)
    return False


def property_of(node: Node | None, name: str) -> Node | None:
    """Return the value of the property *name* of an object literal. A shorthand property is its own value."""
    node = bare(node)
    for each in node.named_children if node and node.type == "object" else []:
        if each.type == "pair" and text(each.child_by_field_name("key")).strip("\"'") == name:
            return each.child_by_field_name("value")
        if each.type == "shorthand_property_identifier" and text(each) == name:
            return each
    return None


def function_around(node: Node) -> Node | None:
    return next((each for each in ancestors(node) if each.type in FUNCTIONS), None)
