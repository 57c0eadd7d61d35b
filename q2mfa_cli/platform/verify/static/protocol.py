"""Checks of OpenID Connect: requests, ID tokens, and the authorization response."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from q2mfa_cli.platform.verify.check import NotApplicable, Problem
from q2mfa_cli.platform.verify.static.module import Module, called, keyword, spreads, terminal, text_of
from q2mfa_cli.platform.verify.static.program import bindings
from q2mfa_cli.platform.verify.static.source import Source

PYJWT = ("jwt.", "jose.jwt.", "jwt")
WEAK = re.compile(r"none|HS\d+", re.IGNORECASE)
ID_TOKENS = frozenset({"id_token", "jwt", "jws", "idtoken", "token", "access_token"})


def is_relying_party(source: Source) -> bool:
    """Whether the extension builds an authorization or token request, or reads an ID token."""
    words = _words(source)
    return bool({"authorization_code", "response_type", "id_token"} & words) or any(
        "response_type=" in word for word in words
    )


def rp_signature(source: Source) -> Iterator[Problem]:
    verifies = False
    for module in source.modules:
        for call in module.calls():
            name, origin = called(call), module.dotted(call.func)
            if name in ("decode", "decode_complete") and _is_jwt(module, call, origin):
                verifies = True
                yield from _decoding(module, call)
            elif name in ("get_unverified_claims",) and "jwt" in origin:
                verifies = True
                yield Problem(
                    '"get_unverified_claims" does not verify the ID token\'s signature.',
                    module.location(call),
                )
            elif name in ("b64decode", "urlsafe_b64decode", "base64url_decode") and _payload(
                source, module, call
            ):
                verifies = True
                yield Problem(
                    "The code reads ID token claims without verifying the signature.", module.location(call)
                )
            elif name in (
                "verify",
                "validate",
                "deserialize_compact",
                "decode",
                "parse_id_token",
                "validate_claims",
            ):
                verifies = verifies or _mentions_jose(module)
    if not verifies:
        for module, node in [] if _answer_is_userinfo(source) else _token_requests(source):
            yield Problem(
                "No code verifies the ID token in the response to this request.", module.location(node)
            )


def _is_jwt(module: Module, call: ast.Call, origin: str) -> bool:
    if origin in ("jwt.decode", "jwt.decode_complete", "jose.jwt.decode", "jwt.api_jwt.decode"):
        return True
    if not isinstance(call.func, ast.Attribute):
        return False
    receiver = call.func.value
    if isinstance(receiver, ast.Call):
        return module.dotted(receiver.func) in ("jwt.PyJWT", "jwt.JWT")
    return isinstance(receiver, ast.Name) and any(
        isinstance(value, ast.Call) and module.dotted(value.func) == "jwt.PyJWT"
        for node in module.nodes
        for target, value in bindings(node)
        if isinstance(target, ast.Name) and target.id == receiver.id
    )


def _decoding(module: Module, call: ast.Call) -> Iterator[Problem]:
    options = keyword(call, "options")
    unsigned = _value(options, "verify_signature", module) is False or _is_false(keyword(call, "verify"))
    if unsigned:
        yield Problem("The code decodes the ID token without verifying its signature.", module.location(call))
        return
    algorithms = keyword(call, "algorithms") or (call.args[2] if len(call.args) > 2 else None)
    if algorithms is None:
        if not spreads(call):
            yield Problem("The code accepts any algorithm that the ID token names.", module.location(call))
        return
    names = [text_of(node) or "" for node in ast.walk(algorithms)]
    weak = [name for name in names if WEAK.fullmatch(name)]
    others = [name for name in names if name and name not in weak]
    for name in weak:
        if name.lower() == "none" or others:
            yield Problem(f'"{name}" is an accepted algorithm for ID tokens.', module.location(algorithms))


def _payload(source: Source, module: Module, call: ast.Call) -> bool:
    """Whether *call* decodes a part of a token, such as ``id_token.split(".")[1]``, directly or through a variable."""
    left: list[ast.AST] = list(call.args[:1])
    seen: set[str] = set()
    while left:
        node = left.pop()
        for each in ast.walk(node):
            if (
                isinstance(each, ast.Call)
                and called(each) in ("split", "partition")
                and isinstance(each.func, ast.Attribute)
            ):
                dots = bool(each.args) and text_of(each.args[0]) == "."
                if dots and terminal(each.func.value) in ID_TOKENS:
                    return True
            if isinstance(each, ast.Name) and each.id not in seen:
                seen.add(each.id)
                left += source.program.values(module, each.id, call)
    return False


def _mentions_jose(module: Module) -> bool:
    roots = {origin.lstrip(".").partition(".")[0] for origin in module.imports.values()}
    return bool(roots & {"jwt", "jose", "authlib", "joserfc", "jwcrypto", "oic", "oidcrp", "cryptojwt"})


def _answer_is_userinfo(source: Source) -> bool:
    """Whether the extension reads the user from the UserInfo endpoint, over TLS, so that it needs no ID token."""
    texts = [text_of(node) for module in source.modules for node in module.nodes]
    return any(text and "userinfo" in text for text in texts)


def rp_pkce(source: Source) -> Iterator[Problem]:
    for module, node in _dictionaries(source):
        if _value(node, "grant_type") == "authorization_code" and not _has(module, node, "code_verifier"):
            yield Problem("The token request has no code_verifier.", module.location(node))
        if _is_authorization_request(node) and not _has(module, node, "code_challenge"):
            yield Problem("The authorization request has no code_challenge.", module.location(node))
        if _value(node, "code_challenge_method") == "plain":
            yield Problem("The code_challenge_method is plain.", module.location(node))
    for module, address, text in _addresses(source):
        if "code_challenge=" not in text:
            yield Problem("The authorization request has no code_challenge.", module.location(address))


def rp_state(source: Source) -> Iterator[Problem]:
    for module, node in _dictionaries(source):
        if _is_authorization_request(node) and not _has(module, node, "state"):
            yield Problem("The authorization request has no state.", module.location(node))
    for module, address, text in _addresses(source):
        if "state=" not in text:
            yield Problem("The authorization request has no state.", module.location(address))


def rp_nonce(source: Source) -> Iterator[Problem]:
    for module, node in _dictionaries(source):
        if _is_authorization_request(node) and not _has(module, node, "nonce"):
            yield Problem("The authorization request has no nonce.", module.location(node))
    for module, address, text in _addresses(source):
        if "nonce=" not in text:
            yield Problem("The authorization request has no nonce.", module.location(address))
    if "nonce" not in _words(source) and not _answer_is_userinfo(source):
        for module, request in _token_requests(source):
            yield Problem("No code compares the ID token's nonce.", module.location(request))


WHO = frozenset(
    [
        "sso_identifier",
        "registration_value",
        "online_user",
        "sub",
        "email",
        "preferred_username",
        "login_hint",
    ]
)


def rp_right_user(source: Source) -> Iterator[Problem]:
    if not WHO & _words(source):
        for module, node in _token_requests(source):
            yield Problem("No code compares the user who logged in with the customer.", module.location(node))


def _token_requests(source: Source) -> Iterator[tuple[Module, ast.AST]]:
    for module, node in _dictionaries(source):
        if _value(node, "grant_type") == "authorization_code":
            yield module, node


def _words(source: Source) -> set[str]:
    """Return every name and string literal of the extension's Python files."""
    return {
        word
        for module in source.modules
        for node in module.nodes
        for name in ("id", "attr", "arg", "value")
        if isinstance(word := getattr(node, name, None), str)
    }


def rp_flow(source: Source) -> Iterator[Problem]:
    for module, node in _dictionaries(source):
        if _value(node, "grant_type") == "password":
            yield Problem(
                "The extension asks for the customer's password: grant_type is password.",
                module.location(node),
            )
        kind = _value(node, "response_type")
        if isinstance(kind, str) and _is_authorization_request(node) and kind != "code":
            yield Problem(
                f'The response_type is "{kind}", so tokens go through the browser.', module.location(node)
            )
    for module, address, text in _addresses(source):
        found = re.search(r"response_type=([\w+%]*)", text)
        if found and found[1] and found[1] != "code":
            yield Problem(
                f'The response_type is "{found[1]}", so tokens go through the browser.',
                module.location(address),
            )


def rp_bounds(source: Source) -> Iterator[Problem]:
    sends = False
    for module in source.modules:
        for node in module.nodes:
            sends = sends or (isinstance(node, ast.Name) and "q2_requests" in module.dotted(node))
            if not isinstance(node, ast.Call):
                continue
            library, _, verb = module.dotted(node.func).rpartition(".")
            if library.endswith("q2_requests") and verb in VERBS and not _has_timeout(node):
                yield Problem(f'"q2_requests.{verb}" has no timeout.', module.location(node))
    if not sends:
        raise NotApplicable("The source sends no request to another host.")


VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


def _has_timeout(call: ast.Call) -> bool:
    timeout = keyword(call, "timeout")
    if timeout is None:
        return spreads(call)  # it may contain a timeout
    return not (isinstance(timeout, ast.Constant) and timeout.value is None)


def _dictionaries(source: Source) -> Iterator[tuple[Module, ast.Dict | ast.Call]]:
    for module in source.modules:
        for node in module.nodes:
            if isinstance(node, ast.Dict) or (isinstance(node, ast.Call) and called(node) == "dict"):
                yield module, node


def _keys(node: ast.AST | None) -> dict[str, ast.expr]:
    if isinstance(node, ast.Dict):
        return {
            key: value
            for each, value in zip(node.keys, node.values, strict=True)
            if (key := text_of(each)) is not None
        }
    if isinstance(node, ast.Call) and called(node) == "dict":
        return {each.arg: each.value for each in node.keywords if each.arg}
    return {}


def _value(node: ast.AST | None, key: str, module: Module | None = None) -> object:
    """Return the literal value of *key* in a dictionary, or in a variable that holds one; None if unknown."""
    if isinstance(node, ast.Name) and module:
        found = [
            value
            for each in module.nodes
            for target, value in bindings(each)
            if isinstance(target, ast.Name) and target.id == node.id
        ]
        return next((_value(value, key) for value in found if _value(value, key) is not None), None)
    value = _keys(node).get(key)
    return value.value if isinstance(value, ast.Constant) else None


def _is_false(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_authorization_request(node: ast.Dict | ast.Call) -> bool:
    keys = _keys(node)
    return "response_type" in keys and ("redirect_uri" in keys or "client_id" in keys)


def _has(module: Module, node: ast.Dict | ast.Call, key: str) -> bool:
    """Whether the dictionary may get *key*: in its literal, from an unpacked mapping, or elsewhere in the same function."""
    if key in _keys(node):
        return True
    hidden = (
        [value for name, value in zip(node.keys, node.values, strict=True) if name is None]
        if isinstance(node, ast.Dict)
        else []
    )
    if any(not isinstance(value, ast.Dict | ast.DictComp) for value in hidden) or (
        isinstance(node, ast.Call) and spreads(node)
    ):
        return True  # the unpacked mapping is unknown
    function = module.outermost(node)
    return any(isinstance(each, ast.Constant) and each.value == key for each in ast.walk(function)) or any(
        isinstance(each, ast.keyword) and each.arg == key for each in ast.walk(function)
    )


def _addresses(source: Source) -> Iterator[tuple[Module, ast.AST, str]]:
    """Yield the strings that contain an authorization request's URL."""
    for module in source.modules:
        for node in module.nodes:
            if isinstance(node, ast.JoinedStr):
                text = "".join(text_of(part) or "{}" for part in node.values)
            elif isinstance(node, ast.Constant) and not isinstance(
                module.parents.get(node), ast.JoinedStr | ast.Expr
            ):
                text = text_of(node) or ""
            else:
                continue
            if "response_type=" in text and ("client_id=" in text or "redirect_uri=" in text):
                yield module, node, text
