"""Estimate from an expression how hard its value is to guess."""

from __future__ import annotations

import ast
import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass

from q2mfa_cli.platform.verify.static.module import Function, Module, called, keyword, own_nodes, text_of
from q2mfa_cli.platform.verify.static.program import Program, bindings

MIN_BITS = 128
MIN_CHARACTERS = 22  # of base64
MAX_DEPTH = 8
CONVERSIONS = frozenset(
    {
        "str",
        "int",
        "repr",
        "hex",
        "bytes",
        "format",
        "abs",
        "round",
        "b64encode",
        "urlsafe_b64encode",
        "dumps",
    }
)
DIGESTS = frozenset(
    {
        "md5",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "blake2b",
        "blake2s",
        "sha3_256",
        "crc32",
        "hash",
        "id",
    }
)
METHODS = frozenset({"encode", "decode", "hex", "hexdigest", "digest", "upper", "lower", "strip", "rstrip", "replace", "isoformat", "timestamp", "strftime"})  # fmt: skip
OF_THE_USER = frozenset({"mfa_info", "online_user"})
ALPHABETS = {"string.digits": 10, "string.hexdigits": 22, "string.ascii_letters": 52, "string.ascii_lowercase": 26, "string.ascii_uppercase": 26}  # fmt: skip


class Strength(enum.IntEnum):
    """How hard a value is to guess, from the weakest to the strongest."""

    GUESSABLE = 0
    SHARED = 1  # created once, and the same for every customer
    SHORT = 2
    UUID4 = 3
    UNKNOWN = 4
    RANDOM = 5


@dataclass(frozen=True)
class Judgment:
    """How hard one value is to guess. *what* names its origin, as a noun phrase."""

    strength: Strength
    what: str
    node: ast.AST
    module: Module


def judge(program: Program, module: Module, node: ast.expr, depth: int = 0) -> Judgment:
    """Return how hard the value of *node* is to guess. If it can be one of several values, the weakest counts."""
    unknown = Judgment(Strength.UNKNOWN, "", node, module)
    if depth > MAX_DEPTH:
        return unknown

    def again(other: ast.expr, there: Module = module) -> Judgment:
        return judge(program, there, other, depth + 1)

    def weak(what: str, strength: Strength = Strength.GUESSABLE) -> Judgment:
        return Judgment(strength, what, node, module)

    if isinstance(node, ast.Await | ast.FormattedValue | ast.Starred):
        return again(node.value)
    if isinstance(node, ast.Constant):
        return weak("a constant")
    if program.is_from_page(module, node):
        return weak("a value from the page")
    if isinstance(node, ast.JoinedStr):
        return _joined(map(again, node.values)) or weak("a constant")
    if isinstance(node, ast.BinOp):
        return _joined([again(node.left), again(node.right)]) or unknown
    if isinstance(node, ast.Tuple | ast.List):
        return _joined(map(again, node.elts)) or unknown
    if isinstance(node, ast.IfExp):
        return _weakest([again(node.body), again(node.orelse)])
    if isinstance(node, ast.BoolOp):
        return _weakest(map(again, node.values))
    if isinstance(node, ast.Name):
        return _variable(program, module, node, depth)
    if isinstance(node, ast.Attribute):
        return _attribute(program, module, node, depth)
    if isinstance(node, ast.Subscript):
        base = again(node.value)
        if isinstance(node.slice, ast.Slice) and base.strength >= Strength.UUID4:
            length = _number(node.slice.upper)
            if length and length < MIN_CHARACTERS and base.strength is not Strength.UNKNOWN:
                return weak(f"{length} characters", Strength.SHORT)
        return base
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return again(node.elt)
    if isinstance(node, ast.Call):
        return _call(program, module, node, depth)
    return unknown


def _call(program: Program, module: Module, node: ast.Call, depth: int) -> Judgment:
    name, last = module.dotted(node.func), called(node)

    def found(strength: Strength, what: str = "") -> Judgment:
        return Judgment(strength, what, node, module)

    def again(other: ast.expr) -> Judgment:
        return judge(program, module, other, depth + 1)

    if name.startswith(("secrets.token_", "os.urandom")):
        size = _number(node.args[0] if node.args else keyword(node, "nbytes"))
        short = size is not None and size * 8 < MIN_BITS
        return found(Strength.SHORT, f"{size * 8} random bits") if short and size else found(Strength.RANDOM)
    if name in ("secrets.randbelow", "secrets.randbits"):
        value = _number(node.args[0]) if node.args else None
        bits = None if value is None else value if last == "randbits" else int(math.log2(max(value, 1)))
        return (
            found(Strength.SHORT, f"{bits} random bits")
            if bits is not None and bits < MIN_BITS
            else found(Strength.UNKNOWN)
        )
    if name.startswith("secrets.") or "SystemRandom" in name:
        return found(Strength.UNKNOWN)
    if name == "uuid.uuid4":
        return found(Strength.UUID4, "uuid4")
    if name == "uuid.uuid1":
        return found(Strength.GUESSABLE, "uuid1, which encodes the time and the machine")
    if name.startswith("random."):
        return found(Strength.GUESSABLE, "the random module, whose values are predictable")
    if name.partition(".")[0] in ("time", "datetime"):
        return found(Strength.GUESSABLE, "the time")
    if name in ("itertools.count", "next"):
        return found(Strength.GUESSABLE, "a counter")
    if last == "join" and node.args:
        return _characters(program, module, node, depth) or again(node.args[0])
    if name in ("uuid.uuid3", "uuid.uuid5", "uuid.UUID") or last in CONVERSIONS | DIGESTS:
        return _joined(map(again, [*node.args, *(each.value for each in node.keywords)])) or found(
            Strength.UNKNOWN
        )
    if last in METHODS and isinstance(node.func, ast.Attribute):
        return again(node.func.value)
    returned = [
        judge(program, program.module_of[function], each.value, depth + 1)
        for function in program.resolve(node)
        for each in own_nodes(function)
        if isinstance(each, ast.Return) and each.value
    ]
    return _weakest(returned) if returned else found(Strength.UNKNOWN)


def _characters(program: Program, module: Module, node: ast.Call, depth: int) -> Judgment | None:
    """Judge ``"".join(secrets.choice(alphabet) for _ in range(length))``. None for any other expression."""
    made = node.args[0]
    if not isinstance(made, ast.GeneratorExp | ast.ListComp) or not isinstance(made.elt, ast.Call):
        return None
    if module.dotted(made.elt.func) != "secrets.choice" or not made.elt.args:
        return None
    alphabet, source = made.elt.args[0], made.generators[0].iter
    letters = text_of(alphabet)
    size = len(set(letters)) if letters else ALPHABETS.get(module.dotted(alphabet), 0)
    length = _range_length(source)
    if not size or length is None:
        return Judgment(Strength.UNKNOWN, "", node, module)
    bits = int(length * math.log2(size))
    strength = Strength.SHORT if bits < MIN_BITS else Strength.RANDOM
    return Judgment(strength, f"{bits} random bits", node, module)


def _range_length(node: ast.expr) -> int | None:
    """Return the length of ``range(stop)`` or ``range(start, stop)``; None for any other expression."""
    if not isinstance(node, ast.Call) or called(node) != "range" or len(node.args) not in (1, 2):
        return None
    stop, start = _number(node.args[-1]), _number(node.args[0]) if len(node.args) == 2 else 0
    return None if start is None or stop is None else max(stop - start, 0)


def _variable(program: Program, module: Module, node: ast.Name, depth: int) -> Judgment:
    owner = module.outermost(node)
    local = [
        value
        for each in (ast.walk(owner) if isinstance(owner, Function) else ())
        for target, value in bindings(each)
        if isinstance(target, ast.Name) and target.id == node.id
    ]
    if local:
        return _weakest(judge(program, module, value, depth + 1) for value in local)
    function = module.function_of(node)
    parameters = function.args if function else None
    if (
        function
        and parameters
        and node.id in [each.arg for each in [*parameters.args, *parameters.kwonlyargs]]
    ):
        given = [
            judge(program, site.module, value, depth + 1)
            for site, value in program.arguments(function, node.id)
        ]
        return _weakest(given) if given else Judgment(Strength.UNKNOWN, "", node, module)
    return _shared(program, module, node, module.tree.body, node.id, depth)


def _attribute(program: Program, module: Module, node: ast.Attribute, depth: int) -> Judgment:
    if isinstance(node.value, ast.Attribute) and node.value.attr in OF_THE_USER:
        return Judgment(Strength.GUESSABLE, "the customer's own data", node, module)
    kind = module.class_of(node)
    if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls") and kind:
        values = [
            value
            for each in ast.walk(kind)
            for target, value in bindings(each)
            if isinstance(target, ast.Attribute) and target.attr == node.attr
        ]
        if values:
            return _weakest(judge(program, module, value, depth + 1) for value in values)
        return _shared(program, module, node, kind.body, node.attr, depth)
    if node.attr in ("hex", "bytes", "int", "urn", "fields"):
        return judge(program, module, node.value, depth + 1)
    return Judgment(Strength.UNKNOWN, "", node, module)


def _shared(
    program: Program, module: Module, node: ast.AST, block: list[ast.stmt], name: str, depth: int
) -> Judgment:
    """Judge a value that a module or a class creates once. Even a random one is the same for every customer."""
    for statement in block:
        for target, value in bindings(statement):
            if isinstance(target, ast.Name) and target.id == name:
                judged = judge(program, module, value, depth + 1)
                if judged.strength in (Strength.GUESSABLE, Strength.UNKNOWN):
                    return judged
                return Judgment(Strength.SHARED, f'"{name}", which is created once', value, module)
    return Judgment(Strength.UNKNOWN, "", node, module)


def _weakest(judged: Iterable[Judgment]) -> Judgment:
    return min(judged, key=lambda each: each.strength)


def _joined(judged: Iterable[Judgment]) -> Judgment | None:
    """Return the strongest part of a combined value; None if it has no part."""
    # Of equally strong parts, prefer one that is not a constant.
    parts = sorted(judged, key=lambda each: (each.strength, each.what != "a constant"))
    return parts[-1] if parts else None


def _number(node: ast.AST | None) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, power = _number(node.left), _number(node.right)
        return base**power if base is not None and power is not None and power < 1000 else None
    return None
