"""Checks of the token for HQ: how it is created, what runs before it is set, and where it is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from q2mfa_cli.platform.verify.check import Problem, Severity
from q2mfa_cli.platform.verify.static.module import Function, called, own_nodes, target_names, terminal
from q2mfa_cli.platform.verify.static.program import bindings
from q2mfa_cli.platform.verify.static.proof import Proofs
from q2mfa_cli.platform.verify.static.randomness import Judgment, Strength, judge
from q2mfa_cli.platform.verify.static.source import Source

# In functions with such names, `return True` means a denial.
DENYING = re.compile(
    r"lock|den(y|ied)|block|expire|used|replay|limit|exceed|fail|miss|invalid|too_|throttl|wrong|taken|seen|revoked|stale|error"
)
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "print"})
SECRET_NAMES = frozenset(
    [
        "token",
        "passcode",
        "otp",
        "one_time_code",
        "verification_code",
        "client_secret",
        "secret",
        "totp_secret",
        "private_key",
        "access_token",
        "id_token",
        "refresh_token",
        "password",
        "code_verifier",
        "client_assertion",
        "registration_value",
        "request_body",
        "form_fields",
        "mfa_token",
    ]
)


def token_guessable(source: Source) -> Iterator[Problem]:
    for judged in _judged(source):
        where = judged.module.location(judged.node)
        if judged.strength is Strength.GUESSABLE:
            yield Problem(f"The token comes from {judged.what}.", where)
        elif judged.strength is Strength.SHORT:
            yield Problem(f"The token has only {judged.what}.", where, Severity.HIGH)
        elif judged.strength is Strength.UUID4:
            yield Problem(
                'The token is a "uuid4": 122 bits, which its specification does not require to be hard to guess.',
                where,
                Severity.NOTE,
            )


def token_reused(source: Source) -> Iterator[Problem]:
    for judged in _judged(source):
        if judged.strength is Strength.SHARED:
            yield Problem(
                f"Every customer gets the same token: {judged.what}.", judged.module.location(judged.node)
            )


def _judged(source: Source) -> Iterator[Judgment]:
    seen = set()
    for site in Proofs(source.program).grants:
        given = [*site.call.args, *(each.value for each in site.call.keywords)]
        for value in given[:1]:
            judged = judge(source.program, site.module, value)
            if judged.node not in seen:
                seen.add(judged.node)
                yield judged


def token_without_proof(source: Source) -> Iterator[Problem]:
    for site in Proofs(source.program).unproven():
        name = site.function.name if site.function else ""
        yield Problem(
            f'"{name}" sets a token with HQ, and no check before it can fail.',
            site.module.location(site.call),
        )


def fail_open(source: Source) -> Iterator[Problem]:
    proofs = Proofs(source.program)
    for site in proofs.in_handlers():
        yield Problem('A token is set in "except" or "finally".', site.module.location(site.call))
    for swallowed in proofs.swallowed():
        yield Problem(
            f'"{swallowed.function.name}" continues after a failed check and sets a token.',
            swallowed.module.location(swallowed.node),
        )
    yield from _failure_as_success(source, proofs)


def _failure_as_success(source: Source, proofs: Proofs) -> Iterator[Problem]:
    """Yield the exception handlers that return or store True in a function that decides on a token."""
    for module in source.modules:
        for function in module.functions:
            if function not in proofs.reachable or DENYING.search(function.name):
                continue
            tested = {
                name.id
                for node in own_nodes(function)
                if isinstance(node, ast.If | ast.IfExp | ast.While)
                for name in ast.walk(node.test)
                if isinstance(name, ast.Name)
            }
            for node in _in_handlers(function):
                if isinstance(node, ast.Return) and _is_true(node.value):
                    yield Problem(
                        f'"{function.name}" returns True in "except" or "finally".',
                        module.location(node),
                    )
                for target, value in bindings(node):
                    names = [
                        name for name in target_names(target) if name in tested and not DENYING.search(name)
                    ]
                    if names and _is_true(value):
                        yield Problem(
                            f'"{names[0]}" is set to True in "except" or "finally".', module.location(node)
                        )


def _in_handlers(function: Function) -> Iterator[ast.AST]:
    for node in own_nodes(function):
        if isinstance(node, ast.Try):
            for block in [*(handler.body for handler in node.handlers), node.finalbody]:
                for statement in block:
                    yield statement
                    yield from own_nodes(statement)


def _is_true(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def token_leak(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            if called(call) in LOG_METHODS and _is_log(call):
                for argument in [*call.args, *(each.value for each in call.keywords)]:
                    for part in _written(argument):
                        name = terminal(part)
                        if name in SECRET_NAMES or (
                            name == "code" and source.program.is_from_page(module, part)
                        ):
                            yield Problem(f'"{name}" is written to the log.', module.location(call))


def _is_log(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "print"
    return isinstance(call.func, ast.Attribute) and "log" in terminal(call.func.value)


def _written(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of *node* whose text appears unchanged in the log."""
    if isinstance(node, ast.JoinedStr | ast.BinOp | ast.FormattedValue | ast.Tuple | ast.List | ast.Dict):
        for child in ast.iter_child_nodes(node):
            yield from _written(child)
    elif isinstance(node, ast.Call) and called(node) in ("format", "str", "repr", "dumps"):
        for child in [node.func, *node.args, *(each.value for each in node.keywords)]:
            yield from _written(child)
    elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Await):
        yield node
