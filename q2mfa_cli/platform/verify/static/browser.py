"""Checks of how a page's scripts use its URL, messages from other windows, and ``verifyMFA``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from q2mfa_cli.platform.verify.check import NotApplicable, Problem, Severity
from q2mfa_cli.platform.verify.static import script as js
from q2mfa_cli.platform.verify.static.markup import Markup
from q2mfa_cli.platform.verify.static.module import called
from q2mfa_cli.platform.verify.static.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

GLOBALS = (
    "window",
    "self",
    "globalThis",
    "top",
    "parent",
    "window.parent",
    "window.top",
    "opener",
    "window.opener",
)


def post_message(source: Source) -> Iterator[Problem]:
    for script in source.scripts:
        for call in script.calls:
            name, given, base = js.called(call), js.arguments(call), js.name_of(js.receiver(call))
            listens = name == "addEventListener" and base in ("", "window", "self", "globalThis")
            listens = listens or (
                name == "on" and js.text(js.receiver(call)) in ("$(window)", "jQuery(window)")
            )
            if listens and len(given) > 1 and js.literal(given[0]) == "message":
                function = script.function(given[1])
                if function and not _checks_origin(function):
                    yield Problem(
                        "The page accepts messages from any origin.",
                        script.location(call),
                    )
            elif name == "postMessage" and base in GLOBALS and len(given) > 1:
                target = js.property_of(given[1], "targetOrigin") or given[1]
                if js.literal(target) == "*":
                    yield Problem(
                        'The page posts a message to any origin: the target is "*".', script.location(call)
                    )
        for target, value in script.declarations():
            if js.name_of(target) in (
                "onmessage",
                "window.onmessage",
                "self.onmessage",
                "globalThis.onmessage",
            ):
                function = script.function(value)
                if function and not _checks_origin(function):
                    yield Problem(
                        "The page accepts messages from any origin.",
                        script.location(target),
                    )


def _checks_origin(function: Node) -> bool:
    return any(
        node.type in ("property_identifier", "shorthand_property_identifier_pattern", "identifier")
        and js.text(node) == "origin"
        for node in js.inside(function)
    )


FROM_ADDRESS = re.compile(
    r"\blocation\.(search|hash)\b|\bdocument\.(referrer|URL|location)\b|\bURLSearchParams\b|\.searchParams\b|\bevent\.data\b|\be\.data\b"
)
NAVIGATES = re.compile(
    r"((window|self|globalThis|document|top|parent|window\.top|window\.parent)\.)?location(\.href)?"
)
NAVIGATE_CALLS = re.compile(
    r"(((window|self|globalThis|document)\.)?location\.(assign|replace)|(window\.)?open)"
)


def open_redirect(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            if called(call) == "redirect" and call.args and source.program.is_from_page(module, call.args[0]):
                yield Problem("A redirect goes to a URL from the request.", module.location(call))
    for script in source.scripts:
        tainted = _from_address(script)
        for where, address in _navigations(script):
            if _is_tainted(address, tainted) and not _is_checked(where, tainted):
                yield Problem(
                    "The page navigates to a URL that an attacker can choose.", script.location(where)
                )


def _navigations(script: js.Script) -> Iterator[tuple[Node, Node]]:
    """Yield each place where the script navigates, with the node of the target URL."""
    for target, value in script.declarations():
        assigned = target.parent is not None and target.parent.type == "assignment_expression"
        if assigned and NAVIGATES.fullmatch(js.name_of(target)):
            yield target, value
    for call in script.calls:
        given = js.arguments(call)
        if given and NAVIGATE_CALLS.fullmatch(js.name_of(call.child_by_field_name("function"))):
            yield call, given[0]


def _from_address(script: js.Script) -> set[str]:
    """Return the variables of *script* that hold values from its URL."""
    tainted: set[str] = set()
    while True:
        before = len(tainted)
        for target, value in script.declarations():
            value = js.bare(value) or value
            if value.type not in js.FUNCTIONS and _is_tainted(value, tainted):
                tainted |= {
                    js.text(node)
                    for node in js.inside(target)
                    if node.type in ("identifier", "shorthand_property_identifier_pattern")
                }
        if len(tainted) == before:
            return tainted - {"location", "window", "document", "history"}


def _is_tainted(node: Node | None, tainted: set[str]) -> bool:
    """Whether *node* holds a value from the URL. The results of the page's own functions do not count."""
    node = js.bare(node)
    if node is None:
        return False
    if node.type in ("identifier", "shorthand_property_identifier"):
        return js.text(node) in tainted
    if node.type == "member_expression":
        return bool(FROM_ADDRESS.search(js.text(node))) or _is_tainted(
            node.child_by_field_name("object"), tainted
        )
    if node.type == "new_expression":
        name = js.text(node.child_by_field_name("constructor"))
        return name == "URLSearchParams" or (
            name == "URL" and any(_is_tainted(each, tainted) for each in js.arguments(node))
        )
    if node.type == "call_expression":
        passed = js.called(node) in ("decodeURIComponent", "decodeURI", "String", "atob", "unescape")
        return (passed and any(_is_tainted(each, tainted) for each in js.arguments(node))) or _is_tainted(
            js.receiver(node), tainted
        )
    if node.type in ("binary_expression", "ternary_expression", "template_string", "template_substitution", "await_expression",
                     "subscript_expression", "non_null_expression", "augmented_assignment_expression"):  # fmt: skip
        parts = node.named_children
        if node.type == "binary_expression" and js.text(node.child_by_field_name("operator")) not in (
            "+",
            "||",
            "??",
            "&&",
        ):
            return False
        if node.type == "ternary_expression":
            parts = parts[1:]
        if node.type == "subscript_expression":
            parts = parts[:1]
        # A fixed prefix fixes the host.
        if node.type in ("binary_expression", "template_string") and parts and _fixes_host(node):
            return False
        return any(_is_tainted(each, tainted) for each in parts)
    return False


def _fixes_host(node: Node) -> bool:
    return bool(re.match(r"[`\"'](https?://[^/$`\"']+/|\.?/(?!/)|[?#]|[\w-]+[/.?])", js.text(node)))


def _is_checked(node: Node, tainted: set[str]) -> bool:
    """Whether *node* is inside a condition that tests a tainted variable."""
    for outer in js.ancestors(node):
        if outer.type in js.FUNCTIONS:
            return False
        if outer.type in ("if_statement", "ternary_expression"):
            condition = outer.child_by_field_name("condition")
            if condition and any(
                each.type in ("call_expression", "binary_expression") and _mentions(each, tainted)
                for each in js.inside(condition)
            ):
                return True
    return False


def _mentions(node: Node, names: set[str]) -> bool:
    return any(each.type == "identifier" and js.text(each) in names for each in js.inside(node))


def _code_readers(source: Source) -> Iterator[tuple[js.Script, Node]]:
    """Yield the calls that read the authorization code from the URL, at most one per script."""
    for script in source.scripts:
        tainted = _from_address(script)
        for call in script.calls:
            given = js.arguments(call)
            reads = js.called(call) in ("get", "getAll") and given and _may_be_code(script, given[0])
            if reads and _is_tainted(js.receiver(call), tainted):
                yield script, call
                break


def _may_be_code(script: js.Script, node: Node) -> bool:
    """Whether *node* is "code", or a variable in a script with an array that contains "code"."""
    listed = (js.literal(each) for array in script.of_type("array") for each in array.named_children)
    return js.literal(node) == "code" or (node.type == "identifier" and "code" in listed)


def callback_without_state(source: Source) -> Iterator[Problem]:
    """Check the page's part of ``rp-state``."""
    readers = list(_code_readers(source))
    names = [js.literal(node) for script in source.scripts for node in script.of_type("string")]
    if "state" not in names:
        for script, call in readers:
            yield Problem("The page sends the code to the backend without the state.", script.location(call))


def landing_leak(source: Source) -> Iterator[Problem]:
    readers = list(_code_readers(source))
    for script, call in readers:
        pages = [page for page in source.pages if script in source.scripts_of(page)]
        beside = [script, *(each for page in pages for each in source.scripts_of(page))]
        if not any(_clears(each, each.path == script.path) for each in beside):
            yield Problem("The code stays in the URL and in the history.", script.location(call))
        for page in pages:
            if not _sends_no_referrer(page):
                line = next((each.line for tag in ("head", "html") for each in page.with_tag(tag)), 1)
                yield Problem(
                    "The landing page leaks its URL in the Referer header.",
                    page.location(line),
                    Severity.LOW,
                )
    stored = list(_stored(source))
    yield from stored
    if not readers and not stored:
        raise NotApplicable("No page reads a code from its URL.")


def _clears(script: js.Script, is_reader: bool) -> bool:
    """Whether *script* removes the code from the URL. A script that does not read the code must do so unconditionally."""
    return any(
        js.called(call) == "replaceState"
        and (
            is_reader
            or not any(outer.type in ("if_statement", *js.FUNCTIONS) for outer in js.ancestors(call))
        )
        for call in script.calls
    )


def _sends_no_referrer(page: Markup) -> bool:
    return page.is_template or any(
        element.attributes.get("name", "").lower() == "referrer"
        and element.attributes.get("content", "").lower()
        in ("no-referrer", "same-origin", "strict-origin", "origin")
        for element in page.with_tag("meta")
    )


KEPT = re.compile(r"(^|_)(code|token|passcode|otp|id_token|access_token|state|code_verifier|nonce)$")


def _stored(source: Source) -> Iterator[Problem]:
    for script in source.scripts:
        tainted = _from_address(script)
        for call in script.calls:
            given, base = js.arguments(call), js.name_of(js.receiver(call)).rpartition(".")[2]
            if (
                js.called(call) != "setItem"
                or base not in ("sessionStorage", "localStorage")
                or len(given) < 2
            ):
                continue
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", js.name_of(given[1]).rpartition(".")[2]).lower()
            if _is_tainted(given[1], tainted) or KEPT.search(name):
                what = f'"{name}"' if name else "A value from the URL"
                yield Problem(f"{what} is stored in {base}.", script.location(call))


def verify_ignored(source: Source) -> Iterator[Problem]:
    for script in source.scripts:
        for call in script.calls:
            given = js.arguments(call)
            if js.called(call) != "verifyMFA" or js.property_of(next(iter(given), None), "exit") is not None:
                continue
            problem = _unhandled(call)
            if problem:
                yield Problem(problem, script.location(call))


def _unhandled(call: Node) -> str:
    """Return the problem with a rejection of the promise *call*; empty if the page handles it, or if this is unknown."""
    node, awaited = call, False
    while node.parent:
        parent = node.parent
        if parent.type == "member_expression" and parent.parent and parent.parent.type == "call_expression":
            if js.called(parent.parent) == "catch" or (
                js.called(parent.parent) == "then" and len(js.arguments(parent.parent)) > 1
            ):
                return ""
            node = parent.parent
            continue
        if parent.type == "await_expression":
            awaited, node = True, parent
            continue
        # The call is in the body of `try`, not in its handler.
        if parent.child_by_field_name("handler") and node == parent.child_by_field_name("body"):
            return ""
        if parent.type == "return_statement" or (
            parent.type == "arrow_function"
            and node == parent.child_by_field_name("body")
            and node.type != "statement_block"
        ):
            function = parent if parent.type == "arrow_function" else js.function_around(parent)
            return _unhandled_result(function)
        if parent.type == "expression_statement" and not awaited:
            return "The page does not handle a rejection of verifyMFA."
        if parent.type in js.FUNCTIONS:
            return _unhandled_result(parent) if awaited else ""
        if parent.type in ("arguments", "variable_declarator", "assignment_expression", "pair"):
            return "" if not awaited else _unhandled_above(parent)
        node = parent
    return "The page does not handle a rejection of verifyMFA." if awaited else ""


def _unhandled_above(node: Node) -> str:
    """Return the same for an awaited value that is assigned or passed on. The surrounding code decides."""
    for outer in js.ancestors(node):
        if outer.type == "try_statement":
            return ""
        if outer.type in js.FUNCTIONS:
            return _unhandled_result(outer)
    return ""


def _unhandled_result(function: Node | None) -> str:
    """Return the same for the result of *function*, if it is an inline callback of an event or a promise."""
    parent = function.parent if function else None
    call = parent.parent if parent and parent.type == "arguments" else None
    if call is None or call.type != "call_expression":
        return ""
    if js.called(call) in ("addEventListener", "on", "click", "submit", "ready"):
        return "The page does not handle a rejection of verifyMFA."
    return _unhandled(call) if js.called(call) in ("then", "finally") else ""


def no_exit(source: Source) -> Iterator[Problem]:
    first = with_token = None
    for script in source.scripts:
        for call in script.calls:
            if js.called(call) == "verifyMFA":
                if js.property_of(next(iter(js.arguments(call)), None), "exit") is not None:
                    return
                first = first or script.location(call)
                if js.property_of(next(iter(js.arguments(call)), None), "token") is not None:
                    with_token = with_token or script.location(call)
        exits = [
            node for node in script.of_type("pair") if js.text(node.child_by_field_name("key")) == "exit"
        ]
        if exits:
            return
    if where := with_token or first:
        yield Problem("The page never offers the customer a way out of MFA.", where)
