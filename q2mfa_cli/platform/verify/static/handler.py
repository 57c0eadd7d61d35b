"""Checks of how a handler uses values from the page and the platform, and of the state it keeps between requests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from q2mfa_cli.platform.verify.check import Problem, Severity
from q2mfa_cli.platform.verify.static.module import (
    Function,
    Module,
    called,
    keyword,
    snake,
    target_names,
    terminal,
    text_of,
)
from q2mfa_cli.platform.verify.static.program import Program, bindings, leaves
from q2mfa_cli.platform.verify.static.randomness import judge
from q2mfa_cli.platform.verify.static.source import Source

# Values to compare in constant time, unless the other side is a constant.
SECRETS = frozenset(
    [
        "code",
        "passcode",
        "otp",
        "pin",
        "token",
        "state",
        "nonce",
        "secret",
        "signature",
        "digest",
        "hmac",
        "mac",
        "password",
        "code_verifier",
        "one_time_code",
        "csrf",
    ]
)
SECRET_ENDINGS = (
    "_code",
    "_passcode",
    "_otp",
    "_pin",
    "_token",
    "_state",
    "_nonce",
    "_secret",
    "_signature",
    "_digest",
    "_hmac",
)
NO_SECRETS = frozenset(
    [
        "status_code",
        "error_code",
        "country_code",
        "zip_code",
        "postal_code",
        "language_code",
        "reason_code",
        "response_code",
        "currency_code",
        "exit_code",
        "area_code",
        "state_code",
        "key_code",
    ]
)
PASSCODES = frozenset(["code", "passcode", "otp", "pin", "one_time_code", "verification_code", "totp"])


def _is_secret(source: Source, module: Module, node: ast.AST) -> bool:
    name = source.program.origin(module, node)
    return name not in NO_SECRETS and (name in SECRETS or name.endswith(SECRET_ENDINGS))


def _makes_passcode(node: ast.AST) -> bool:
    """Whether *node* is ``totp.now()`` or ``totp.at(…)``."""
    return (
        isinstance(node, ast.Call) and called(node) in ("now", "at") and "otp" in terminal_of_receiver(node)
    )


def terminal_of_receiver(call: ast.Call) -> str:
    if not isinstance(call.func, ast.Attribute):
        return ""
    value = call.func.value
    return snake(called(value)) if isinstance(value, ast.Call) else terminal(value)


def compare_timing(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for node in module.nodes:
            if not isinstance(node, ast.Compare) or len(node.ops) != 1:
                continue
            left, right = node.left, node.comparators[0]
            if not isinstance(node.ops[0], ast.Eq | ast.NotEq) or _is_constant(left) or _is_constant(right):
                continue
            secrets = [side for side in (left, right) if _is_secret(source, module, side)]
            from_page = [side for side in secrets if source.program.is_from_page(module, side)]
            made = _makes_passcode(left) or _makes_passcode(right)
            if (
                len(secrets) == 2
                or from_page
                or ((made or _is_derived(source, module, left, right)) and secrets)
            ):
                name = source.program.origin(module, (from_page or secrets)[0])
                operator = "==" if isinstance(node.ops[0], ast.Eq) else "!="
                yield Problem(f'"{name}" is compared with "{operator}".', module.location(node))


def _is_derived(source: Source, module: Module, *sides: ast.AST) -> bool:
    """Whether a function of the extension derives one side from what the page sent."""
    return any(
        isinstance(side, ast.Call) and any(source.program.is_from_page(module, each) for each in side.args)
        for side in sides
        if not isinstance(side, ast.Call) or source.program.resolve(side)
    )


def _is_constant(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_constant(node.operand)
    if isinstance(node, ast.Call) and called(node) in ("len", "type"):
        return True
    return isinstance(node, ast.Constant | ast.Tuple | ast.List | ast.Dict)


def otp_unicode(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            name = called(call)
            if name in ("isdigit", "isnumeric", "isdecimal") and isinstance(call.func, ast.Attribute):
                if _is_passcode(source, module, call.func.value):
                    yield Problem(f'"{name}" accepts non-ASCII digits in a passcode.', module.location(call))
            elif name == "int" and call.args and _is_passcode(source, module, call.args[0]):
                yield Problem(
                    '"int" accepts spaces, signs, "_" and non-ASCII digits in a passcode.',
                    module.location(call),
                )
            elif name in ("match", "fullmatch", "search") and module.dotted(call.func).startswith("re."):
                pattern = text_of(call.args[0]) if call.args else None
                values = [*call.args[1:2], *filter(None, [keyword(call, "string")])]
                flags = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
                any_script = pattern is not None and r"\d" in pattern and not flags & {"ASCII", "A"}
                if any_script and any(_is_passcode(source, module, value) for value in values):
                    yield Problem(r'"\d" accepts non-ASCII digits in a passcode.', module.location(call))


def _is_passcode(source: Source, module: Module, node: ast.AST) -> bool:
    name = source.program.origin(module, node)
    return name in PASSCODES and (name != "code" or source.program.is_from_page(module, node))


GUESSED = ("the random module", "the time", "a counter", "uuid1")


def otp_made_here(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for node in module.nodes:
            for target, value in bindings(node):
                if not isinstance(target, ast.Name | ast.Attribute):
                    continue
                name = terminal(target)
                if name in PASSCODES or (name.endswith("_code") and name not in NO_SECRETS):
                    judged = judge(source.program, module, value)
                    if judged.what.startswith(GUESSED):
                        yield Problem(f'"{name}" comes from {judged.what}.', module.location(node))


# Containers that live as long as the process. Writes by a library are not detected.
CONTAINERS = frozenset({"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict", "TTLCache", "LRUCache", "WeakValueDictionary"})  # fmt: skip
CHANGES = frozenset({"append", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear", "extend", "insert", "popleft"})  # fmt: skip
# Names of data that all customers share, which may be kept in the process.
SAME_FOR_ALL = re.compile(
    r"jwk|key|metadata|discovery|config|setting|translation|template|locale|text|logger|well_known|client|pool|session_factory"
)


@dataclass(frozen=True)
class Change:
    """A place where *function* sets, deletes or adds an item of *container*."""

    container: ast.AST
    function: Function
    module: Module


def process_state(source: Source) -> Iterator[Problem]:
    changes = [change for module in source.modules for change in _changes(module)]
    for module in source.modules:
        yield from _module_state(module, changes)
        for kind in [node for node in module.nodes if isinstance(node, ast.ClassDef)]:
            yield from _class_state(module, kind, [change for change in changes if change.module is module])


def _changes(module: Module) -> Iterator[Change]:
    for node in module.nodes:
        for container in _changed(node):
            while isinstance(container, ast.Subscript):
                container = container.value
            if function := module.function_of(node):
                yield Change(container, function, module)


def _changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the containers whose items *node* changes."""
    if isinstance(node, ast.Call) and called(node) in CHANGES and isinstance(node.func, ast.Attribute):
        yield node.func.value
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
    for target in [*targets, *([node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else [])]:
        for part in ast.walk(target):
            if isinstance(part, ast.Subscript):
                yield part.value


def _module_state(module: Module, changes: list[Change]) -> Iterator[Problem]:
    rebound = {
        name: function
        for node in module.nodes
        if isinstance(node, ast.Global) and (function := module.function_of(node))
        for name in node.names
    }
    for definition in module.tree.body:
        for target, value in bindings(definition):
            for name in target_names(target):
                function = rebound.get(name) or (
                    _changed_in(module, name, changes) if _is_container(value) else None
                )
                if function and not SAME_FOR_ALL.search(snake(name)):
                    yield Problem(
                        f'"{name}" exists in one process only, and "{function.name}" writes to it.',
                        module.location(definition),
                    )


def _changed_in(module: Module, name: str, changes: list[Change]) -> Function | None:
    """Return the function that changes the module's container *name*, by its name or an import of it."""
    for change in changes:
        there = change.module
        if isinstance(change.container, ast.Attribute):
            is_it = there.dotted(change.container).endswith(f".{PurePosixPath(module.path).stem}.{name}")
        elif isinstance(change.container, ast.Name):
            own = there is module and change.container.id == name
            is_it = own or (
                there is not module and there.imports.get(change.container.id, "").endswith(f".{name}")
            )
        else:
            continue
        if is_it and not _is_local(change.function, name):
            return change.function
    return None


def _is_local(function: Function, name: str) -> bool:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return name in [each.arg for each in every] or any(
        isinstance(target, ast.Name) and target.id == name
        for node in ast.walk(function)
        for target, _ in bindings(node)
    )


def _is_container(node: ast.AST) -> bool:
    return isinstance(node, ast.Dict | ast.List | ast.Set | ast.DictComp) or (
        isinstance(node, ast.Call) and called(node) in CONTAINERS
    )


def _class_state(module: Module, kind: ast.ClassDef, changes: list[Change]) -> Iterator[Problem]:
    attributes = [
        (target, node)
        for node in ast.walk(kind)
        for target, _ in bindings(node)
        if isinstance(target, ast.Attribute)
    ]
    own = {
        target.attr
        for target, _ in attributes
        if isinstance(target.value, ast.Name) and target.value.id == "self"
    }
    for statement in kind.body:
        for target, value in bindings(statement):
            for name in target_names(target):
                if SAME_FOR_ALL.search(snake(name)):
                    continue
                writers: list[Function | None] = [
                    module.function_of(node)
                    for attribute, node in attributes
                    if attribute.attr == name and _is_class(attribute.value, kind)
                ]
                if _is_container(value) and name not in own:
                    writers += [
                        change.function
                        for change in changes
                        if isinstance(change.container, ast.Attribute)
                        and change.container.attr == name
                        and (
                            _is_class(change.container.value, kind)
                            or module.class_of(change.function) is kind
                        )
                    ]
                if writer := next((each for each in writers if each), None):
                    yield Problem(
                        f'"{kind.name}.{name}" exists in one process only, and "{writer.name}" writes to it.',
                        module.location(statement),
                    )


def _is_class(node: ast.AST, kind: ast.ClassDef) -> bool:
    """Whether *node* is the class itself: ``cls``, its name, ``type(self)`` or ``self.__class__``."""
    if isinstance(node, ast.Name):
        return node.id in ("cls", kind.name)
    return (isinstance(node, ast.Call) and called(node) == "type") or (
        isinstance(node, ast.Attribute) and node.attr == "__class__"
    )


WEDGE = "wedge_online_banking"


def pre_auth_api(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            origin = module.dotted(call.func)
            if called(call) != "execute" or WEDGE not in origin.split("."):
                continue
            name = origin.split(".")[-2]
            known = _authenticated(source.program, module, call, frozenset())
            if known is False:
                yield Problem(
                    f'"{name}" of WedgeOnlineBanking runs where "is_authenticated" is false.',
                    module.location(call),
                )
            elif known is None:
                yield Problem(
                    f'"{name}" of WedgeOnlineBanking runs without a check of "is_authenticated".',
                    module.location(call),
                )


def _authenticated(program: Program, module: Module, node: ast.AST, above: frozenset[str]) -> bool | None:
    """Return the value of ``is_authenticated`` where *node* runs; None if it can be either."""
    inside = node
    for outer in module.ancestors(node):
        if isinstance(outer, ast.If | ast.IfExp):
            answer = _means(outer.test)
            within = outer.body if isinstance(outer.body, list) else [outer.body]
            otherwise = outer.orelse if isinstance(outer.orelse, list) else [outer.orelse]
            if answer is not None and inside in within:
                return answer
            if answer is not None and inside in otherwise and not isinstance(outer.test, ast.BoolOp):
                return not answer
        if isinstance(outer, Function | ast.If | ast.Try | ast.With | ast.AsyncWith):
            block = outer.body
            for statement in block[: block.index(inside)] if inside in block else []:
                if isinstance(statement, ast.If) and leaves(statement.body):
                    answer = _means(statement.test)
                    if answer is not None and not isinstance(statement.test, ast.BoolOp):
                        return not answer
        if isinstance(outer, Function):
            sites = [] if outer.name in above else program.calls_of(outer)
            answers = {
                _authenticated(program, site.module, site.call, above | {outer.name}) for site in sites
            }
            return answers.pop() if len(answers) == 1 else None
        inside = outer
    return None


def _means(test: ast.AST) -> bool | None:
    """Return the value of ``is_authenticated`` where *test* holds; None if the test does not decide it."""
    if isinstance(test, ast.Attribute) and test.attr == "is_authenticated":
        return True
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        answer = _means(test.operand)
        return None if answer is None else not answer
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return next((answer for answer in map(_means, test.values) if answer is not None), None)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and _means(test.left):
        value = test.comparators[0]
        if isinstance(value, ast.Constant) and isinstance(value.value, bool):
            same = isinstance(test.ops[0], ast.Is | ast.Eq)
            return value.value if same else not value.value
    return None


def unauthenticated(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for kind in [node for node in module.nodes if isinstance(node, ast.ClassDef)]:
            for statement in kind.body:
                for target, value in bindings(statement):
                    is_true = isinstance(value, ast.Constant) and value.value is True
                    if "IS_UNAUTHENTICATED" in target_names(target) and is_true:
                        yield Problem(
                            f'"{kind.name}" accepts unauthenticated requests: IS_UNAUTHENTICATED is True.',
                            module.location(statement),
                        )


WHAT = frozenset(
    [
        "transaction",
        "transactions",
        "transaction_id",
        "transaction_ids",
        "amount",
        "payee",
        "beneficiary",
        "recipient",
        "audit_action_id",
        "audit_action_name",
        "mfa_context",
    ]
)
WHO = frozenset(
    [
        "registration_value",
        "sso_identifier",
        "user_id",
        "user_logon_id",
        "customer_id",
        "login_name",
        "username",
        "user_name",
        "email",
        "email_address",
        "phone",
        "phone_number",
        "mobile_number",
        "totp_secret",
    ]
)


def txn_from_page(source: Source) -> Iterator[Problem]:
    yield from _from_page(source, WHAT, 'The page supplies what the customer confirms: "{}".')


def identity_from_page(source: Source) -> Iterator[Problem]:
    yield from _from_page(source, WHO, 'The page supplies the identity of the customer: "{}".')


def _from_page(source: Source, names: frozenset[str], message: str) -> Iterator[Problem]:
    for module in source.modules:
        for node in module.nodes:
            if not isinstance(node, ast.Call | ast.Subscript) or not source.program.is_from_page(
                module, node
            ):
                continue
            if isinstance(node, ast.Call):
                direct = called(node) in ("get", "pop", "get_argument", "get_body_argument")
                key = text_of(node.args[0]) if direct and node.args else None
            else:
                key = text_of(node.slice) if isinstance(node.ctx, ast.Load) else None
            if key is not None and snake(key) in names:
                yield Problem(message.format(key), module.location(node))


CACHE_CALLS = frozenset({"get", "set", "add", "gets", "cas", "incr", "decr", "delete", "touch"})
HASHES = frozenset(
    {
        "sha256",
        "sha512",
        "sha384",
        "sha3_256",
        "blake2b",
        "blake2s",
        "digest",
        "hexdigest",
        "hmac",
        "new",
        "sha1",
        "md5",
    }
)
OF_CUSTOMER = frozenset({"registration_value", "sso_identifier", "email_address", "login_name"})


def cache_key(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            if called(call) in CACHE_CALLS and call.args and terminal_of_receiver(call).endswith("cache"):
                part = next(_exposed(source.program, module, call.args[0], 5), None)
                if part is not None:
                    yield Problem(f'The cache key contains "{part}".', module.location(call))


def _exposed(program: Program, module: Module, node: ast.AST, depth: int) -> Iterator[str]:
    """Yield the names of the page's or the customer's values that *node* contains or is built from, except in hashes."""
    if depth == 0 or (isinstance(node, ast.Call) and called(node) in HASHES):
        return
    if isinstance(node, ast.Attribute | ast.Call | ast.Subscript | ast.Name) and (
        program.is_from_page(module, node) or terminal(node) in OF_CUSTOMER
    ):
        yield program.origin(module, node) or "a value from the page"
        return
    if isinstance(node, ast.Name | ast.Attribute):
        for there, value in program.holds(module, node):
            yield from _exposed(program, there, value, depth - 1)
        if isinstance(node, ast.Name):
            return
    if isinstance(node, ast.Call):
        for function in program.resolve(node):
            there = program.module_of[function]
            for each in ast.walk(function):
                if isinstance(each, ast.Return) and each.value:
                    yield from _exposed(program, there, each.value, depth - 1)
        # The extension's own functions expose their arguments only through what they return.
        children: Iterable[ast.AST] = [] if program.resolve(node) else ast.iter_child_nodes(node)
    else:
        children = ast.iter_child_nodes(node)
    for child in children:
        yield from _exposed(program, module, child, depth)


SENDERS = {
    "smtplib": "email",
    "sendgrid": "email",
    "mailgun": "email",
    "aiosmtplib": "email",
    "twilio": "text message",
    "vonage": "text message",
    "nexmo": "text message",
    "messagebird": "text message",
    "plivo": "text message",
}
SERVICES = {"ses": "email", "sesv2": "email", "sns": "text message", "pinpoint": "text message"}


def weak_channel(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for node in module.nodes:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and module.dotted(node.func) == "boto3.client" and node.args:
                service = SERVICES.get(text_of(node.args[0]) or "")
                if service:
                    yield Problem(f"Passcodes are sent by {service}.", module.location(node))
            for name in names:
                channel = SENDERS.get(name.partition(".")[0])
                if channel:
                    severity = Severity.MEDIUM if channel == "email" else None
                    yield Problem(f"Passcodes are sent by {channel}.", module.location(node), severity)
