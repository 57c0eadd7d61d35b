"""Answers files: the requests of one run, in YAML, JSON or TOML."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

import click

from q2mfa_cli.errors import Q2mfaError, UsageError
from q2mfa_cli.request import Answers, shown

FILE_MAX = 8 * 1024 * 1024
KEYS = ("name", "rendering", "mfa", "issuer", "client_id", "scopes")
HINT = "See `q2mfa create --help`: an answers file holds name, rendering, mfa, issuer, client_id, scopes."


def read_answers(source: str) -> list[Answers]:
    """The answers of each extension that the file asks for.

    :param source: a path; ``-`` for standard input. A name ending in ``.toml`` or ``.json`` says the format; any
        other file is YAML (of which JSON is a part), or else TOML.
    :raises Q2mfaError: the file cannot be read.
    :raises UsageError: it is not an answers file.
    """
    return [_to_answers(entry, where) for where, entry in _entries(_parse(_read(source), source))]


def _read(source: str) -> str:
    try:
        with click.open_file(source, "rb") as file:
            content: bytes = file.read(FILE_MAX + 1)
    except OSError as error:
        raise Q2mfaError(
            f"The answers file {shown(source)} cannot be read: {error.strerror}.",
            "Check its path and permissions.",
            "answers_unreadable",
        ) from error
    if len(content) > FILE_MAX:
        raise UsageError("The answers file is larger than 8 MiB.", "Split it.", "bad_answers")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("The answers file is not UTF-8 text.", "Save it as UTF-8.", "bad_answers") from error


def _parse(text: str, source: str) -> Any:
    kind = Path(source).suffix.lower()
    try:
        if kind == ".toml":
            return _toml(text)
        if kind == ".json":
            import json

            return json.loads(text, object_pairs_hook=_once_each)
        return _yaml_or_toml(text)
    except (ValueError, RecursionError) as error:
        # ValueError is what json, tomllib and our own YAML loader raise alike.
        why = "it is nested too deeply" if isinstance(error, RecursionError) else _first_line(error)
        raise UsageError(f"The answers file cannot be parsed: {why}.", HINT, "bad_answers") from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _yaml_or_toml(text: str) -> Any:
    import yaml

    # The C parser is ten times as fast; a PyYAML that was built without it has the other.
    fastest: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(fastest):  # type: ignore[misc, valid-type]
        """Plain data; a key that is there twice has no one meaning."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            mapping = super().construct_mapping(node, deep)
            if len(mapping) < len(node.value):
                raise yaml.YAMLError("a key is there twice")
            return mapping

    failure: yaml.YAMLError | None = None
    try:
        for event in yaml.parse(text, fastest):
            # Aliases can multiply without end, tags make objects, and no answers file needs either.
            if isinstance(event, yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not accepted")
            if getattr(event, "tag", None):
                raise yaml.YAMLError("tags are not accepted")
        loaded = yaml.load(text, Loader)
        if isinstance(loaded, dict | list):
            return loaded
    except yaml.YAMLError as error:
        failure = error
    try:
        return _toml(text)
    except ValueError:
        raise ValueError(_first_line(failure) if failure else "it holds no settings") from failure


def _toml(text: str) -> Any:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _entries(document: Any) -> list[tuple[str, Any]]:
    """(where, entry) of each request in the document."""
    if not isinstance(document, dict):
        raise UsageError("The answers file has to hold one mapping.", HINT, "bad_answers")
    if "extensions" not in document:
        return [("the answers file", document)]
    if len(document) > 1 or not isinstance(document["extensions"], list) or not document["extensions"]:
        raise UsageError(
            "'extensions' has to be the answers file's only key, and a list of at least one request.",
            HINT,
            "bad_answers",
        )
    return [(f"extension {number}", entry) for number, entry in enumerate(document["extensions"], 1)]


def _to_answers(entry: Any, where: str) -> Answers:
    if not isinstance(entry, dict):
        raise UsageError(f"In {where}: a mapping is expected.", HINT, "bad_answers")
    values: dict[str, Any] = {}
    for key, value in entry.items():
        # The spelling of the flags is accepted too: client-id, scope.
        name = key.replace("-", "_") if isinstance(key, str) else key
        name = "scopes" if name == "scope" else name
        if name not in KEYS:
            near = difflib.get_close_matches(str(key)[:60], KEYS, 1)
            raise UsageError(
                f"In {where}: {shown(key)} is not a setting.",
                f"Did you mean {near[0]}?" if near else HINT,
                "bad_answers",
            )
        if name in values:
            raise UsageError(f"In {where}: {name} is given twice.", HINT, "bad_answers")
        if value is None:
            continue
        if name == "scopes":
            value = (value,) if isinstance(value, str) else value
            if not isinstance(value, tuple | list) or not all(isinstance(scope, str) for scope in value):
                raise UsageError(f"In {where}: scopes has to be a list of texts.", HINT, "bad_answers")
            value = tuple(value)
        elif not isinstance(value, str):
            raise UsageError(
                f"In {where}: {name} has to be a text, not {shown(value)}.",
                "Put it in quotes.",
                "bad_answers",
            )
        values[name] = value
    return Answers(**values)


def _first_line(error: Exception) -> str:
    """What a parser says, on one line; where, if it knows."""
    problem = getattr(error, "problem", None) or (str(error).splitlines() or ["unreadable"])[0]
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (line {mark.line + 1})" if mark else str(problem).rstrip(".")
