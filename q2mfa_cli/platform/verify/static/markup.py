"""A page of the front end: an HTML file or a Jinja template."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from jinja2 import Environment, TemplateSyntaxError, nodes

from q2mfa_cli.errors import ToolFailed
from q2mfa_cli.platform.verify.check import Location

JINJA_TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
JINJA_OUTPUT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
JAVASCRIPT_TYPES = frozenset({"", "module", "text/javascript", "application/javascript"})
VOID = frozenset({"input", "meta", "link", "img", "br", "hr", "base", "source", "wbr"})


@dataclass
class Element:
    """An HTML element.

    :param inside: the elements around it, from the outside in. :param text: the content, of a script only.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    column: int
    inside: list[Element] = field(default_factory=list)
    text: str = ""


class Markup:
    """A page.

    :param path: relative to the workspace, with slashes. :param is_template: whether Jinja renders it.
    """

    def __init__(self, path: str, text: str, is_template: bool) -> None:
        self.path, self.text, self.is_template = path, text, is_template
        self.lines = text.splitlines()
        reader = _Reader()
        reader.feed(_without_jinja(text) if is_template else text)
        reader.close()
        self.elements = reader.elements

    def location(self, line: int, column: int = 1) -> Location:
        return Location(self.path, line, column, self.lines[line - 1] if line <= len(self.lines) else "")

    def location_of(self, element: Element) -> Location:
        return self.location(element.line, element.column)

    def with_tag(self, *tags: str) -> Iterator[Element]:
        return (element for element in self.elements if element.tag in tags)

    @property
    def inline_scripts(self) -> list[str]:
        """The inline scripts. Each is padded to its line and column in the file."""
        return [
            element.text
            for element in self.with_tag("script")
            if "src" not in element.attributes
            and element.attributes.get("type", "").lower() in JAVASCRIPT_TYPES
            and element.text.strip()
        ]

    @property
    def script_addresses(self) -> list[str]:
        return [
            element.attributes["src"] for element in self.with_tag("script") if "src" in element.attributes
        ]

    @functools.cached_property
    def outputs(self) -> list[tuple[int, nodes.Expr]]:
        """The expressions that Jinja writes into the page, outside of ``{% autoescape true %}``, with their lines.

        :raises ToolFailed: the template has a syntax error.
        """
        if not self.is_template:
            return []
        environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"])
        try:
            tree = environment.parse(self.text)
        except TemplateSyntaxError as error:
            raise ToolFailed(
                f"{self.path}, line {error.lineno}: {error.message}",
                "Correct the file: it is not a valid Jinja template.",
                "syntax_error",
            ) from error
        return list(_outputs(tree))


def _outputs(node: nodes.Node, escapes: bool = False) -> Iterator[tuple[int, nodes.Expr]]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.ScopedEvalContextModifier):
            yield from _outputs(child, _turns_on(child))
        elif not isinstance(child, nodes.Output):
            yield from _outputs(child, escapes)
        elif not escapes:
            for each in child.nodes:
                if not isinstance(each, nodes.TemplateData):
                    yield each.lineno, each


def _turns_on(node: nodes.ScopedEvalContextModifier) -> bool:
    """Whether *node* is ``{% autoescape true %}``."""
    return any(
        isinstance(option, nodes.Keyword)
        and option.key == "autoescape"
        and isinstance(option.value, nodes.Const)
        and option.value.value is True
        for option in node.options
    )


def _without_jinja(text: str) -> str:
    """Return *text* as HTML with the same positions: Jinja tags are blank, and expressions have no quotes or brackets."""
    text = JINJA_TAG.sub(lambda found: re.sub(r"\S", " ", found[0]), text)
    return JINJA_OUTPUT.sub(lambda found: re.sub(r"[\"'<>&\s]", "_", found[0]), text)


class _Reader(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, offset = self.getpos()
        attributes = {name: value or "" for name, value in reversed(attrs)}
        element = Element(tag, attributes, line, offset + 1, [*self._open])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while any(element.tag == tag for element in self._open):
            if self._open.pop().tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag == "script":
            element = self._open[-1]
            if not element.text:
                line, offset = self.getpos()
                element.text = "\n" * (line - 1) + " " * offset
            element.text += data
