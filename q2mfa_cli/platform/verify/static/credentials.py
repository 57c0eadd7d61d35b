"""Checks for hard-coded secrets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from q2mfa_cli.platform.verify.check import Location, Problem
from q2mfa_cli.platform.verify.static.module import Module, called, snake, target_names, text_of
from q2mfa_cli.platform.verify.static.program import bindings
from q2mfa_cli.platform.verify.static.source import Source

NAME = re.compile(
    r"(^|_)(secret|password|passwd|pwd|api_?key|apikey|private_key|secret_key|encryption_key|signing_key|hash_key|access_key|"
    r"access_token|auth_token|bearer_token|api_token|credential|totp_seed)$"
)
# References to secrets, and placeholders.
NO_SECRET = re.compile(
    r"<.*>|\{.*|\$.*|(.)\1*|your.*|.*example.*|todo.*|.*://.*|[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|.*\s.*|client_secret\w*|none|null|"
    r"replace.*|insert.*|.*\.\.\.|.*…",
    re.IGNORECASE | re.DOTALL,
)
ENVIRONMENT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
MIN_CHARACTERS = 6

# Formats that only secrets have.
FORMATS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")),
    (
        "a private key",
        re.compile(r"""["']kty["']\s*:(?=[^{}]*["']d["']\s*:\s*["']([A-Za-z0-9_-]{16,})["'])"""),
    ),
    ("an AWS access key", re.compile(r"\b(AKIA[0-9A-Z]{16})\b")),
    ("a GitHub token", re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,})")),
    ("a Stripe key", re.compile(r"\b([sr]k_live_[A-Za-z0-9]{16,})")),
    ("a Slack token", re.compile(r"\b(xox[abprs]-[A-Za-z0-9-]{10,})")),
    ("a Google API key", re.compile(r"\b(AIza[0-9A-Za-z_-]{35})\b")),
    ("a signed token", re.compile(r"\b(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})")),
)
# Tests may use made-up values in these formats.
FORMATS_OF_CODE = (
    ("a password", re.compile(r"\bhttps?://[^\s/:@{}]+:([^\s/@{}]+)@")),
    ("a credential", re.compile(r"""["'](?:Bearer|Basic) ([A-Za-z0-9+/_=.-]{12,})["']""")),
)
IN_SCRIPT = re.compile(r"""([\w$-]+)["']?\s*[:=]\s*["'`]([^"'`\n]*)["'`]""")


def secret_in_source(source: Source) -> Iterator[Problem]:
    for path, text in source.text_files():
        yield from _known_formats(
            path, text, FORMATS if source.is_test(path) else (*FORMATS, *FORMATS_OF_CODE)
        )
        if path.endswith((".js", ".mjs", ".jsx", ".ts", ".tsx", ".html", ".htm", ".jinja2")):
            yield from _in_script(path, text)
    for module in [*source.modules, *filter(None, [source.configuration])]:
        yield from _in_python(module)


def _known_formats(
    path: str, text: str, formats: tuple[tuple[str, re.Pattern[str]], ...]
) -> Iterator[Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in formats:
            for found in pattern.finditer(line):
                value = found[found.lastindex or 0]
                where = Location(path, number, found.start() + 1, line)
                yield Problem(f"The file contains {what}.", _masked(where, value))


def _in_script(path: str, text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        for found in IN_SCRIPT.finditer(line):
            name, value = snake(found[1]), found[2]
            if NAME.search(name) and _is_secret(value):
                yield _problem(found[1], Location(path, number, found.start() + 1, line), value)


def _in_python(module: Module) -> Iterator[Problem]:
    for node in module.nodes:
        for name, value in _named(node):
            if not NAME.search(snake(name)):
                continue
            default = _environment_default(value)
            text = text_of(default or value)
            if text is not None and _is_secret(text):
                yield _problem(name, module.location(default or value), text)
        if isinstance(node, ast.Call) and called(node) in ("TOTP", "HOTP") and node.args:
            text = text_of(node.args[0])
            if text:
                yield _problem(called(node), module.location(node.args[0]), text)


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for target, value in bindings(node):
        for name in target_names(target):
            yield name, value
        if isinstance(target, ast.Attribute):
            yield target.attr, value
        if isinstance(target, ast.Subscript) and (key := text_of(target.slice)):
            yield key, value
    if isinstance(node, ast.Dict):
        for key_node, value in zip(node.keys, node.values, strict=True):
            if key := text_of(key_node):
                yield key, value
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value


def _environment_default(node: ast.expr) -> ast.expr | None:
    """Return the second argument of ``os.environ.get(…)`` or ``os.getenv(…)``."""
    if isinstance(node, ast.Call) and called(node) in ("get", "getenv") and len(node.args) == 2:
        return node.args[1]
    return None


def _is_secret(value: str) -> bool:
    return (
        len(value) >= MIN_CHARACTERS
        and not NO_SECRET.fullmatch(value)
        and not ENVIRONMENT_NAME.fullmatch(value)
    )


def _problem(name: str, where: Location, value: str) -> Problem:
    return Problem(f'"{name}" is hard-coded.', _masked(where, value))


def _masked(where: Location, value: str) -> Location:
    """Return *where* with the secret masked, because people share reports."""
    return replace(where, source=where.source.replace(value, "•••"))
