"""Checks of outbound connections: their library, TLS, and the whitelist."""

from __future__ import annotations

import ast
import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from q2mfa_cli.platform.verify.check import NotApplicable, Problem
from q2mfa_cli.platform.verify.static.module import Module, called, keyword, target_names, text_of
from q2mfa_cli.platform.verify.static.program import bindings
from q2mfa_cli.platform.verify.static.source import Source

# Functions that connect, by library. Other names of these libraries, such as `requests.exceptions`, are fine.
VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request", "send")
SENDERS = {
    "requests": (*VERBS, "Session", "session"),
    "httpx": (*VERBS, "stream", "Client", "AsyncClient"),
    "aiohttp": ("ClientSession", "request"),
    "urllib.request": ("urlopen", "urlretrieve", "build_opener"),
    "urllib3": ("PoolManager", "HTTPSConnectionPool", "HTTPConnectionPool", "request"),
    "http.client": ("HTTPSConnection", "HTTPConnection"),
    "tornado.httpclient": ("AsyncHTTPClient", "HTTPClient"),
    "socket": ("create_connection", "socket"),
    "pycurl": ("Curl",),
}


def outbound(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            library, _, name = module.dotted(call.func).rpartition(".")
            if name in SENDERS.get(library, ()):
                yield Problem(f'"{library}.{name}" bypasses OUTBOUND_WHITELIST.', module.location(call))


def tls(source: Source) -> Iterator[Problem]:
    for module in source.modules:
        for call in module.calls():
            verify = keyword(call, "verify")
            sends = called(call) in VERBS or any("q2_requests" in module.dotted(each) for each in call.args)
            if sends and isinstance(verify, ast.Constant) and verify.value is False:
                yield Problem(
                    "The server's certificate is not verified: verify=False.", module.location(call)
                )
            if module.dotted(call.func) == "ssl._create_unverified_context":
                yield Problem("The server's certificate is not verified.", module.location(call))
        yield from _cleartext(
            module,
            [node for call in module.calls() for node in [*call.args, *(k.value for k in call.keywords)]],
        )
    if source.configuration:
        yield from _cleartext(source.configuration, source.configuration.nodes)


def _cleartext(module: Module, nodes: list[ast.expr] | list[ast.AST]) -> Iterator[Problem]:
    for node in nodes:
        text = text_of(node) or ""
        if isinstance(node, ast.JoinedStr) and node.values:
            text = text_of(node.values[0]) or ""
        if text.startswith("http://") and _is_remote(text):
            yield Problem(f'"{urlsplit(text).hostname}" is reached without TLS.', module.location(node))


def _is_remote(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".w3.org"))


def whitelist(source: Source) -> Iterator[Problem]:
    module = source.settings
    if module is None:
        raise NotApplicable("The workspace has no configuration/settings.py.")
    for node in module.tree.body:
        for target, value in bindings(node):
            names = list(target_names(target))
            if "DANGEROUS_WHITELIST" in names and not _is_empty(value):
                yield Problem("DANGEROUS_WHITELIST is in use.", module.location(node))
            if "OUTBOUND_WHITELIST" in names:
                yield from _wildcards(module, value)
        call = node.value if isinstance(node, ast.Expr) else None
        if (
            module
            and isinstance(call, ast.Call)
            and module.dotted(call.func).partition(".")[0] == "OUTBOUND_WHITELIST"
        ):
            for argument in call.args:
                yield from _wildcards(module, argument)


def _wildcards(module: Module, value: ast.AST) -> Iterator[Problem]:
    for node in ast.walk(value):
        host = text_of(node)
        if host and "*" in host:
            yield Problem(f'OUTBOUND_WHITELIST contains the wildcard "{host}".', module.location(node))


def _is_empty(value: ast.AST) -> bool:
    return (isinstance(value, ast.Constant) and not value.value) or (
        isinstance(value, ast.List | ast.Tuple | ast.Set) and not value.elts
    )
