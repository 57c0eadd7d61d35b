"""Checks of the front end's pages: HTML files and Jinja templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jinja2 import nodes

from q2mfa_cli.platform.verify.check import Location, NotApplicable, Problem
from q2mfa_cli.platform.verify.static import script as js
from q2mfa_cli.platform.verify.static.markup import Element, Markup
from q2mfa_cli.platform.verify.static.module import called, text_of
from q2mfa_cli.platform.verify.static.source import Source

if TYPE_CHECKING:
    from tree_sitter import Node

PLATFORM = re.compile(r"(^|\.)(onlineaccess1\.com|q2developer\.com)$")
ESCAPES = frozenset(
    {
        "e",
        "escape",
        "forceescape",
        "tojson",
        "urlencode",
        "int",
        "float",
        "length",
        "count",
        "xmlattr",
        "round",
        "abs",
    }
)
PLATFORM_VALUES = frozenset({"base_assets_url"})


def third_party_script(source: Source) -> Iterator[Problem]:
    for page in source.pages:
        for element in page.with_tag("script", "link"):
            address = element.attributes.get("src" if element.tag == "script" else "href", "")
            is_style = (
                element.tag == "link" and "stylesheet" in element.attributes.get("rel", "").lower().split()
            )
            host = _foreign_host(address)
            if host and (element.tag == "script" or is_style) and not element.attributes.get("integrity"):
                what = "A script" if element.tag == "script" else "A style sheet"
                yield Problem(
                    f'{what} is loaded from "{host}" without "integrity".', page.location_of(element)
                )
    for script in source.scripts:
        for node, name in _loaded(script):
            if host := _foreign_host(js.literal(name) or ""):
                yield Problem(f'A script is loaded from "{host}".', script.location(node))


LOADERS = ("import", "importScripts", "$.getScript", "jQuery.getScript")


def _loaded(script: js.Script) -> Iterator[tuple[Node, Node | None]]:
    """Yield each place where *script* loads another script, with the node of its URL."""
    for node in script.of_type("import_statement"):
        yield node, node.child_by_field_name("source")
    for call in script.calls:
        if js.text(call.child_by_field_name("function")) in LOADERS:
            yield call, next(iter(js.arguments(call)), None)
    for node in script.of_type("assignment_expression"):
        if js.name_of(node.child_by_field_name("left")).endswith(".src") and _makes_script(script, node):
            yield node, node.child_by_field_name("right")


def _makes_script(script: js.Script, node: Node) -> bool:
    """Whether *node* sets the ``src`` of a script element."""
    left = node.child_by_field_name("left")
    name = js.name_of(left).rpartition(".")[0]
    return any(
        js.text(target) == name and re.search(r"createElement\(\s*[\"'`]script", js.text(value))
        for target, value in script.declarations()
    )


def _foreign_host(address: str) -> str:
    """Return the host of *address*; empty if it is the extension's own or the platform's."""
    if "{{" in address.partition("/")[0] or not re.match(r"(https?:)?//", address.strip()):
        return ""
    host = urlsplit(address.strip()).hostname or ""
    return "" if PLATFORM.search(host) or host in ("localhost", "127.0.0.1") or "{" in host else host


def framing_broken(source: Source) -> Iterator[Problem]:
    yield from _headers(source)
    for script in source.scripts:
        for target, _ in script.declarations():
            if OUTER_LOCATION.fullmatch(js.name_of(target)):
                yield Problem(
                    "The page navigates the window away from online banking.", script.location(target)
                )
        for call in script.calls:
            whole, _, name = js.name_of(call.child_by_field_name("function")).rpartition(".")
            if name in ("assign", "replace") and OUTER_LOCATION.fullmatch(whole):
                yield Problem(
                    "The page navigates the window away from online banking.", script.location(call)
                )


OUTER_LOCATION = re.compile(r"((window|self|globalThis)\.)?(top|parent)\.location(\.href)?")


def _headers(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            if called(call) in ("set_header", "add_header") and len(call.args) > 1:
                name, value = (text_of(each) or "" for each in call.args[:2])
                if name.lower() == "x-frame-options" or (
                    name.lower() == "content-security-policy" and "frame-ancestors" in value.lower()
                ):
                    yield Problem(
                        f'The header "{name}" prevents online banking from framing the page.',
                        module.location(call),
                    )


CODE_WORDS = re.compile(
    r"(^|_)(passcode|otp|totp|one_time_code|verification_code|security_code|auth_code|mfa_code|code|pin|token)($|_)"
)
OTHER_CODES = re.compile(r"country|zip|postal|area|promo|currency|language|csrf|q2token")
CODE_TYPES = frozenset({"", "text", "tel", "number", "password"})


def input_hints(source: Source) -> Iterator[Problem]:
    fields = [
        (page, element)
        for page in source.pages
        for element in page.with_tag("input")
        if _asks_for_code(element)
    ]
    for page, element in fields:
        where = page.location_of(element)
        if "one-time-code" not in element.attributes.get("autocomplete", ""):
            yield Problem('The code field has no autocomplete="one-time-code".', where)
        if not _is_labeled(page, element):
            yield Problem("The code field has no label.", where)
        if "false" in element.attributes.get("onpaste", ""):
            yield Problem("The code field blocks pasting.", where)
    barred = list(_barred_pastes(source))
    yield from barred
    if not fields and not barred:
        raise NotApplicable("No page has a code field.")


def _barred_pastes(source: Source) -> Iterator[Problem]:
    for script in source.scripts:
        for call in script.calls:
            given = js.arguments(call)
            listens = js.called(call) in ("addEventListener", "on") and len(given) > 1
            if listens and js.literal(given[0]) == "paste":
                text = js.text(script.function(given[1]))
                if "preventDefault" in text and "clipboardData" not in text:
                    yield Problem("The page blocks pasting.", script.location(call))


def _asks_for_code(element: Element) -> bool:
    attributes = element.attributes
    names = [_words(attributes.get(name, "")) for name in ("id", "name")]
    asks = any(CODE_WORDS.search(word) and not OTHER_CODES.search(word) for word in names)
    asks = asks or "one-time-code" in attributes.get("autocomplete", "")
    return asks and attributes.get("type", "").lower() in CODE_TYPES


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower()


def _is_labeled(page: Markup, element: Element) -> bool:
    attributes = element.attributes
    if attributes.get("aria-label") or attributes.get("aria-labelledby") or attributes.get("title"):
        return True
    labels = [label.attributes.get("for") for label in page.with_tag("label")]
    return (attributes.get("id") or None) in labels or any(outer.tag == "label" for outer in element.inside)


def dom_xss(source: Source) -> Iterator[Problem]:
    for page in source.pages:
        for line, expression in page.outputs:
            if problem := _unescaped(page, line, expression):
                yield problem
    for script in source.scripts:
        yield from _markup_from_data(script)


def _unescaped(page: Markup, line: int, expression: nodes.Expr) -> Problem | None:
    filters = []
    inner: nodes.Node | None = expression
    while isinstance(inner, nodes.Filter):
        filters.append(inner.name)
        inner = inner.node
    if isinstance(inner, nodes.Const) or inner is None:
        return None
    name = _shown(inner)
    if "safe" in filters:
        return Problem(f'"{name}" is inserted as markup: "safe" turns escaping off.', _at(page, line))
    if ESCAPES.intersection(filters) or isinstance(inner, nodes.Call):
        return None
    if isinstance(inner, nodes.Getattr) and inner.attr in PLATFORM_VALUES:
        return None
    if isinstance(inner, nodes.Getattr) and isinstance(inner.node, nodes.Name) and inner.node.name == "loop":
        return None
    return Problem(f'"{name}" is not escaped.', _at(page, line))


def _at(page: Markup, line: int) -> Location:
    text = page.lines[line - 1] if line <= len(page.lines) else ""
    return page.location(line, max(text.find("{{"), 0) + 1)


def _shown(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return f"{_shown(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return f"{_shown(node.node)}.{node.arg.value}"
    if isinstance(node, nodes.Filter) and node.node:
        return _shown(node.node)
    return "an expression"


SINKS = frozenset({"innerHTML", "outerHTML", "srcdoc"})
WRITERS = frozenset({"document.write", "document.writeln"})
SANITIZERS = re.compile(
    r"\b(DOMPurify\.)?sanitize\w*\(|\b(escape|encode|escapeHtml|htmlEscape)\w*\(", re.IGNORECASE
)


def _markup_from_data(script: js.Script) -> Iterator[Problem]:
    for target, value in script.declarations():
        name = js.name_of(target).rpartition(".")[2]
        if "." in js.text(target) and name in SINKS and _is_data(value):
            yield Problem(f'"{name}" treats data as markup.', script.location(target))
    for node in script.of_type("augmented_assignment_expression"):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        name = js.name_of(left).rpartition(".")[2]
        if left and name in SINKS and _is_data(right):
            yield Problem(f'"{name}" treats data as markup.', script.location(left))
    for call in script.calls:
        name, given = js.called(call), js.arguments(call)
        whole = js.name_of(call.child_by_field_name("function"))
        if name == "insertAdjacentHTML" and len(given) > 1 and _is_data(given[1]):
            yield Problem('"insertAdjacentHTML" treats data as markup.', script.location(call))
        elif whole in WRITERS and any(map(_is_data, given)):
            yield Problem(f'"{whole}" treats data as markup.', script.location(call))
        elif name == "html" and given and _is_jquery(js.receiver(call)) and _is_data(given[0]):
            yield Problem('jQuery\'s "html" treats data as markup.', script.location(call))
        elif whole in ("eval", "window.eval", "globalThis.eval") and given and _is_data(given[0]):
            yield Problem('"eval" runs data as code.', script.location(call))
        elif (
            whole in ("setTimeout", "setInterval")
            and given
            and given[0].type in ("string", "binary_expression")
        ):
            yield Problem(f'"{whole}" runs a string as code.', script.location(call))
    for node in script.of_type("new_expression"):
        if js.text(node.child_by_field_name("constructor")) == "Function":
            yield Problem('"Function" runs a string as code.', script.location(node))
    for node in script.of_type("jsx_attribute"):
        if js.text(node).startswith("dangerouslySetInnerHTML") and not SANITIZERS.search(js.text(node)):
            yield Problem('"dangerouslySetInnerHTML" treats data as markup.', script.location(node))


def _is_data(node: Node | None) -> bool:
    return not js.is_constant(node) and not SANITIZERS.search(js.text(node))


def _is_jquery(node: Node | None) -> bool:
    text = js.text(node)
    return text.startswith(("$", "jQuery("))
