"""Edit the lists in a hand-edited ``configuration/settings.py`` without changing another byte.

:mod:`ast` gives the positions. Each edit is parsed again, and used only if nothing else in the code has changed.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Callable, Iterable, Sequence

INSTALLED = "INSTALLED_EXTENSIONS"
WHITELIST = "OUTBOUND_WHITELIST"
DEFAULTS_IMPORT = "q2_sdk.core.default_settings"

ADDING_METHODS = frozenset({"append", "extend", "insert"})
KEEPING_METHODS = ADDING_METHODS | {"copy", "index", "count", "sort", "reverse"}
READING_FUNCTIONS = frozenset(
    {"len", "sorted", "set", "frozenset", "list", "tuple", "enumerate", "any", "all", "str", "repr", "print"}
)

Offset = Callable[[int, int], int]


class NotEditable(Exception):
    """An edit of this file is not safe. The message says why."""


def mentioned_names(settings: bytes) -> list[str]:
    """Return every extension name in a list literal of the file, even if a later statement replaces the list.

    For an entry with a name and a module, this includes both the name and the module's top-level package.

    :raises NotEditable: The file cannot be parsed.
    """
    tree = _parse(settings)
    return _names(entry for node in tree.body for entry in _added(node, INSTALLED))


def installed_names(settings: bytes) -> list[str]:
    """Return the extension names, as :func:`mentioned_names` does, that list literals still contribute at the end of the file.

    :raises NotEditable: The file cannot be parsed.
    """
    return _names(_in_effect(_parse(settings), INSTALLED))


def installed_modules(settings: bytes) -> dict[str, str]:
    """The module of each extension in those lists, by its name.

    :raises NotEditable: the file cannot be parsed.
    """
    modules = {}
    for entry in _in_effect(_parse(settings), INSTALLED):
        match entry:
            case ast.Tuple(elts=[ast.Constant(value=str(name)), ast.Constant(value=str(module))]):
                modules[name] = module
            case ast.Constant(value=str(name)):
                modules[name] = name
    return modules


def register(settings: bytes, names: Sequence[str]) -> bytes:
    """Return *settings* with the missing ones of *names* appended to ``INSTALLED_EXTENSIONS``.

    :raises NotEditable: The list is not a literal that can be extended safely.
    """
    present = set(installed_names(settings))
    missing = [name for name in names if name not in present]
    return _append(settings, INSTALLED, missing) if missing else settings


def whitelisted_hosts(settings: bytes) -> list[str]:
    """Return the hosts that list literals still contribute to ``OUTBOUND_WHITELIST`` at the end of the file.

    :raises NotEditable: The file cannot be parsed.
    """
    entries = _in_effect(_parse(settings), WHITELIST)
    return [e.value for e in entries if isinstance(e, ast.Constant) and isinstance(e.value, str)]


def whitelist(settings: bytes, hosts: Sequence[str]) -> bytes:
    """Return *settings* with the missing ones of *hosts* appended to ``OUTBOUND_WHITELIST``.

    :raises NotEditable: The list is not a literal that can be extended safely.
    """
    present = set(whitelisted_hosts(settings))
    missing = [host for host in hosts if host not in present]
    if not missing:
        return settings
    return _append(settings, WHITELIST, missing)


def _parse(settings: bytes) -> ast.Module:
    try:
        if b"\0" in settings:
            raise NotEditable("it is not UTF-8 text")
        settings.decode("utf-8")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(settings).readline)
        with warnings.catch_warnings():
            # Python shows syntax warnings when the file runs. They are not q2mfa's to report.
            warnings.simplefilter("ignore")
            tree = ast.parse(settings)
    except UnicodeDecodeError as error:
        line = settings.count(b"\n", 0, error.start) + 1
        raise NotEditable(f"its line {line} is not UTF-8 text") from None
    except SyntaxError as error:
        # The workspace may use a newer Python, which can parse the file.
        version = ".".join(map(str, sys.version_info[:2]))
        where = f"its line {error.lineno}" if error.lineno else "it"
        raise NotEditable(f"Python {version}, which runs q2mfa, cannot parse {where}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise NotEditable("it is nested too deeply") from None
    if encoding not in ("utf-8", "utf-8-sig"):
        raise NotEditable(f"it is declared to be {encoding}, not UTF-8")
    return tree


def _imports_defaults(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == DEFAULTS_IMPORT and node.names[0].name == "*"


def _list_of(node: ast.stmt, variable: str) -> ast.List | None:
    """Return the list literal that *node* assigns or adds to *variable*; ``None`` if there is none."""
    value: ast.expr | None = None
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == variable:
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=value) if name == variable:
            pass
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value) if name == variable:
            pass
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="extend"), args=[value], keywords=[]
            )
        ) if name == variable:
            pass
        case _:
            return None
    return value if isinstance(value, ast.List) else None


def _added(node: ast.stmt, variable: str) -> list[ast.expr]:
    """Return the entries that *node* assigns or adds to *variable* with a literal."""
    literal = _list_of(node, variable)
    if literal is not None:
        return literal.elts
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[entry])
        ) if name == variable:
            return [entry]
    return []


def _in_effect(tree: ast.Module, variable: str) -> list[ast.expr]:
    """Return the entries that literals contribute to *variable* after the last statement that may remove entries."""
    entries: list[ast.expr] = []
    for node in tree.body:
        added = _added(node, variable)
        if isinstance(node, ast.Assign | ast.AnnAssign) and _list_of(node, variable) is not None:
            entries = [*added]
        elif not added and _may_change(node, variable):
            entries = []
        else:
            entries += added
    return entries


def _names(entries: Iterable[ast.expr]) -> list[str]:
    names = []
    for entry in entries:
        if isinstance(entry, ast.Tuple):
            texts = [e.value for e in entry.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            names += [texts[0]] if texts else []
            names += [text.split(".")[0] for text in texts[1:2]]
        elif isinstance(entry, ast.Constant) and isinstance(entry.value, str):
            names.append(entry.value)
    return names


def _target(tree: ast.Module, variable: str) -> ast.List | None:
    """Return the list literal to extend: the first one after which nothing reassigns *variable* or removes entries.

    An assignment is preferred to later additions, because readers look there. ``None`` if there is no such literal, but
    *variable* is certainly a list at the end of the file.

    :raises NotEditable: *variable* may not be a list at the end of the file.
    """
    target: ast.List | None = None
    from_defaults = is_list = is_shared = False
    why = f"it does not set {variable}"
    if variable == WHITELIST:
        why += f", and does not import * from {DEFAULTS_IMPORT}"
    for node in tree.body:
        literal = _list_of(node, variable)
        if isinstance(node, ast.Assign | ast.AnnAssign) and literal is not None:
            target, is_shared = literal, False
        elif is_shared:
            continue
        elif literal is not None:
            target = target or literal
        elif _imports_defaults(node):
            # Workspaces add to the defaults' OUTBOUND_WHITELIST without setting it.
            target, from_defaults, is_list = None, True, variable == WHITELIST
        elif user := _changing_node(node, variable):
            target, from_defaults, is_list, why = None, False, False, _reason(node, user, variable)
            is_shared = _shares(node)
        else:
            # A variable that the owner appends to is a list. Without the defaults, only an unconditional append is proof.
            within = ast.walk(node) if from_defaults else [node]
            is_list |= any(_is_adding(each, variable) for each in within)
    if target is None and not is_list:
        raise NotEditable(why)
    return target


def _is_adding(node: ast.AST, variable: str) -> bool:
    """Return whether *node* calls a list method that adds an entry to *variable*."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))):
            return name == variable and method in ADDING_METHODS
    return False


def _shares(statement: ast.stmt) -> bool:
    """Return whether two names may refer to the same list after *statement*, so that adding to one changes the other."""
    return any(
        (isinstance(node, ast.Assign) and len(node.targets) > 1)
        or (isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and isinstance(node.value, ast.Name))
        for node in ast.walk(statement)
    )


def _reason(statement: ast.stmt, user: ast.AST, variable: str) -> str:
    line = f"line {getattr(user, 'lineno', statement.lineno)}"
    match statement, user:
        case ast.ImportFrom(), ast.alias(name="*"):
            return f"{line} imports *, which may replace {variable}"
        case (ast.Assign() | ast.AnnAssign(), ast.Name(ctx=ast.Store())):
            return f"{line} sets {variable} to something other than one list literal"
    return f"{line} uses {variable} in a way that may change or replace it"


def _may_change(statement: ast.stmt, variable: str) -> bool:
    """Return whether *statement* may reassign *variable*, remove entries, or pass the list to code that may do so later."""
    return _changing_node(statement, variable) is not None


def _changing_node(statement: ast.stmt, variable: str) -> ast.AST | None:
    """Return the first node of *statement* that may do so; ``None`` if there is none. See :func:`_may_change`."""
    nodes = list(ast.walk(statement))
    harmless = {id(operand) for node in nodes for operand in _only_read_by(node)}
    return next((node for node in nodes if _mentions(node, variable) and id(node) not in harmless), None)


def _only_read_by(node: ast.AST) -> list[ast.expr]:
    """Return the operands of *node* that it only reads or adds entries to, without keeping a reference."""
    match node:
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            return [target, value]
        case ast.Attribute(value=value, attr=method) if method in KEEPING_METHODS:
            return [value]
        case ast.Subscript(value=value, ctx=ast.Load()):
            return [value]
        case ast.Call(func=ast.Name(id=function), args=arguments) if function in READING_FUNCTIONS:
            return arguments
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.Compare(left=left, comparators=right):
            return [left, *right]
        case ast.For(iter=value) | ast.comprehension(iter=value) | ast.If(test=value):
            return [value]
        case ast.Starred(value=value) | ast.FormattedValue(value=value) | ast.UnaryOp(operand=value):
            return [value]
    return []


def _mentions(node: ast.AST, variable: str) -> bool:
    """Return whether *node* itself, not its children, names *variable* or imports ``*``."""
    if isinstance(node, ast.alias) and node.name == "*":
        return True
    values = [value for _, value in ast.iter_fields(node)]
    return any(value == variable or (isinstance(value, list) and variable in value) for value in values)


def _append(settings: bytes, variable: str, entries: Sequence[str]) -> bytes:
    tree = _parse(settings)
    target = _target(tree, variable)
    if target is None:
        return _append_statement(settings, tree, variable, entries)
    lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", settings)
    bom = 3 if settings.startswith(b"\xef\xbb\xbf") else 0

    def offset(line: int, column: int) -> int:
        """Return the byte offset of a position from :mod:`ast` (1-based line, column in UTF-8 bytes)."""
        return sum(map(len, lines[: line - 1])) + column + (bom if line == 1 else 0)

    opening = offset(target.lineno, target.col_offset)
    closing = offset(target.end_lineno or 0, target.end_col_offset or 0) - 1
    inner = (
        offset(target.elts[-1].end_lineno or 0, target.elts[-1].end_col_offset or 0)
        if target.elts
        else opening + 1
    )
    # Between the last entry and the closing bracket, there can be only `)`, `,`, whitespace and comments.
    rest = settings[inner:closing]
    code = re.sub(rb"#[^\r\n]*", lambda comment: b" " * len(comment[0]), rest)
    last = inner + len(code.rstrip())
    comma = code.rstrip().endswith(b",")
    quote = _quote(settings, target, offset)
    texts = [quote + entry.encode() + quote for entry in entries]

    # A comment after the last entry, on the same line, stays with that entry.
    tail = re.match(rb"[^\r\n]*(\r\n|\n|\r)", settings[last:closing])
    if tail:
        line_end = last + tail.end()
        indent = _indent(settings, target, offset)
        closing_comma = b"," if comma or not target.elts else b""
        new_lines = (b"," + tail[1]).join(indent + text for text in texts) + closing_comma + tail[1]
        separator = b"," if target.elts and not comma else b""
        edited = settings[:last] + separator + settings[last:line_end] + new_lines + settings[line_end:]
    else:
        separator = b"" if not target.elts else b" " if comma else b", "
        edited = settings[:last] + separator + b", ".join(texts) + (b"," if comma else b"") + settings[last:]
    target.elts += [ast.Constant(entry) for entry in entries]
    return _checked(edited, tree, f"editing the list on line {target.lineno}")


def _append_statement(settings: bytes, tree: ast.Module, variable: str, entries: Sequence[str]) -> bytes:
    """Return *settings* with a new last statement that adds *entries* to *variable*."""
    newline = b"\r\n" if b"\r\n" in settings else b"\n"
    literal = ", ".join(f'"{entry}"' for entry in entries)
    line = f"{variable}.extend([{literal}])".encode()
    ends_in_newline = settings.endswith((b"\n", b"\r"))
    edited = settings + line + newline if ends_in_newline else settings + newline + line
    return _checked(edited, ast.Module([*tree.body, *ast.parse(line).body], []), "adding a line at its end")


def _quote(settings: bytes, target: ast.List, offset: Offset) -> bytes:
    """Return the quotation mark of the list's last string."""
    for element in reversed(target.elts):
        if isinstance(element, ast.Constant) and isinstance(element.value, str):
            first = settings[offset(element.lineno, element.col_offset) :][:1]
            return first if first in (b"'", b'"') else b"'"
    return b"'"


def _indent(settings: bytes, target: ast.List, offset: Offset) -> bytes:
    """Return the indentation of the line with the list's last entry; four spaces if there is none."""
    if target.elts:
        line = settings[offset(target.elts[-1].lineno, 0) :]
        indent = line[: len(line) - len(line.lstrip(b" \t"))]
        if indent:
            return indent
    return b"    "


def _checked(edited: bytes, expected: ast.Module, what: str) -> bytes:
    """Return *edited* if it parses to the tree *expected*.

    :param what: The edit, as the subject of the error message.
    :raises NotEditable: *edited* parses to a different tree, or not at all.
    """
    unexpected = NotEditable(f"{what} would change more than that entry")
    try:
        tree = _parse(edited)
    except NotEditable:
        raise unexpected from None
    # ast.dump cannot be used: it recurses, and the tree of a long sum is nested too deeply.
    found = zip(ast.walk(tree), ast.walk(expected), strict=False)
    if not all(_shallow(one) == _shallow(other) for one, other in found):
        raise unexpected
    return edited


def _shallow(node: ast.AST) -> list[object]:
    """Return the type of *node*, its plain values, and the types of its children, which the walk compares separately."""

    def plain(value: object) -> object:
        match value:
            case ast.AST():
                return type(value)
            case list():
                return [plain(each) for each in value]
            case _:
                return type(value), value

    return [type(node), *((name, plain(value)) for name, value in ast.iter_fields(node))]


def without(settings: bytes, variable: str, entry: str) -> bytes:
    """Return *settings* without the string *entry* in the list literals of *variable*.

    :raises NotEditable: The file cannot be parsed, or adds the entry outside of a list literal.
    """
    while True:
        tree = _parse(settings)
        found = next((node for node in tree.body if _holds(_added(node, variable), entry)), None)
        if found is None:
            break
        settings = _cut(settings, tree, found, variable, entry)
    for node in tree.body:
        texts = [each for each in ast.walk(node) if isinstance(each, ast.Constant) and each.value == entry]
        if texts and any(_mentions(each, variable) for each in ast.walk(node)):
            raise NotEditable(f"line {texts[0].lineno} names it outside of a list literal")
    return settings


def _holds(entries: Iterable[ast.expr], entry: str) -> bool:
    return any(isinstance(each, ast.Constant) and each.value == entry for each in entries)


def _cut(settings: bytes, tree: ast.Module, node: ast.stmt, variable: str, entry: str) -> bytes:
    """Return *settings* without the first *entry* that *node* adds to *variable*; without *node* if it adds nothing else."""
    lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", settings)
    bom = 3 if settings.startswith(b"\xef\xbb\xbf") else 0
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(line: int | None, column: int | None) -> int:
        return starts[(line or 1) - 1] + (column or 0) + (bom if line == 1 else 0)

    literal = _list_of(node, variable)
    where = f"editing line {node.lineno}"
    entries = literal.elts if literal else _added(node, variable)
    if len(entries) == 1 and not isinstance(node, ast.Assign | ast.AnnAssign):
        tree.body.remove(node)
        return _checked(
            settings[: starts[node.lineno - 1]] + settings[starts[node.end_lineno or 0] :], tree, where
        )
    assert literal is not None
    at = next(number for number, each in enumerate(entries) if _holds([each], entry))
    gone = entries.pop(at)
    start, end = offset(gone.lineno, gone.col_offset), offset(gone.end_lineno, gone.end_col_offset)
    before = offset(entries[at - 1].end_lineno, entries[at - 1].end_col_offset) if at else None
    line_start, line_end = starts[gone.lineno - 1], starts[gone.end_lineno or 0]
    rest = re.fullmatch(rb"[ \t]*(,?)[ \t]*(#[^\r\n]*)?[\r\n]*", settings[end:line_end])
    if not settings[line_start:start].strip() and rest:
        # The entry has a line of its own. If no comma follows it, the comma of the entry before it is removed too.
        kept = settings[:line_start]
        if before is not None and at == len(entries) and not rest[1]:
            comma = re.match(rb"\s*,", settings[before:start])
            kept = settings[:before] + settings[before + (comma.end() if comma else 0) : line_start]
        return _checked(kept + settings[line_end:], tree, where)
    if before is not None and b"#" not in settings[before:start]:
        return _checked(settings[:before] + settings[end:], tree, where)
    comma = re.match(rb"\s*,[ \t]*", settings[end:])
    return _checked(settings[:start] + settings[end + (comma.end() if comma else 0) :], tree, where)
