"""Write Python as ruff formats it: a line if it fits, else an entry per line with a comma behind each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LINE_LENGTH = 88

COMMENT = "# The page sent this value: replace it if it changes from run to run."
COMMENT_OF_SEVERAL = "# The page sent these values: replace each that changes from run to run."


@dataclass(frozen=True)
class Leaf:
    """An expression.

    :param is_constant: whether it is a value that came from nowhere, which gets a comment.
    :param uses: the names that it needs.
    """

    code: str
    is_constant: bool = False
    uses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fields:
    """A dict, a list, or the arguments of a call.

    :param brackets: ``{}``, ``[]`` or ``()``. :param entries: each with its key, which is empty if it has none.
    """

    brackets: str
    entries: Sequence[tuple[str, Leaf | Fields]]


Node = Leaf | Fields


def literal(value: Any) -> str:
    """*value*, which is JSON's, as a Python literal with double quotes."""
    if not isinstance(value, str):
        return repr(value)
    code = repr(value)
    if code[0] == '"' or '"' in value:
        return code
    return f'"{code[1:-1]}"'


def rendered(node: Node, prefix: str, indent: int, suffix: str = "") -> list[str]:
    """The lines of *node* between *prefix* and *suffix*."""
    space = " " * indent
    line = f"{space}{prefix}{_flat(node)}{suffix}"
    if isinstance(node, Leaf) or not node.entries:
        return [line]
    if not _has_comment(node):
        if len(line) <= LINE_LENGTH:
            return [line]
        if node.brackets == "()":
            inner = " " * 4 + space + _flat(node)[1:-1]
            if len(inner) <= LINE_LENGTH:
                return [f"{space}{prefix}(", inner, f"{space}){suffix}"]
    lines = [f"{space}{prefix}{node.brackets[0]}"]
    was_constant = False
    for place, (key, each) in enumerate(node.entries):
        is_constant = _is_constant(each)
        if is_constant and not was_constant:
            following = node.entries[place + 1 : place + 2]
            several = bool(following) and _is_constant(following[0][1])
            lines.append(f"{space}    {COMMENT_OF_SEVERAL if several else COMMENT}")
        was_constant = is_constant
        lines += rendered(each, f"{key}: " if key else "", indent + 4, ",")
    return [*lines, f"{space}{node.brackets[1]}{suffix}"]


def _flat(node: Node) -> str:
    if isinstance(node, Leaf):
        return node.code
    entries = ", ".join(f"{key}: {_flat(each)}" if key else _flat(each) for key, each in node.entries)
    return f"{node.brackets[0]}{entries}{node.brackets[1]}"


def _is_constant(node: Node) -> bool:
    return isinstance(node, Leaf) and node.is_constant


def _has_comment(node: Node) -> bool:
    return any(leaf.is_constant for leaf in leaves(node))


def leaves(node: Node) -> Iterator[Leaf]:
    """Every expression in *node*."""
    if isinstance(node, Leaf):
        yield node
    else:
        for _, each in node.entries:
            yield from leaves(each)
