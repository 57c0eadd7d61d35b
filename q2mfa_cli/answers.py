"""Answers files: one or more requests, in YAML, JSON or TOML."""

from __future__ import annotations

import difflib
import errno
import json
import sys
from pathlib import Path
from typing import Any

import click

from q2mfa_cli import toml
from q2mfa_cli.errors import Q2mfaError, UsageError, shown
from q2mfa_cli.integrations import Value
from q2mfa_cli.questions import QUESTIONS, Question
from q2mfa_cli.request import Answers

FILE_MAX = 8 * 1024 * 1024
HINT = (
    f"See `q2mfa create --help`: an answers file holds {', '.join(question.name for question in QUESTIONS)}."
)


def read_answers(source: str) -> list[Answers]:
    """Return the answers for each extension in an answers file.

    :param source: A path, or ``-`` for standard input. A ``.toml`` or ``.json`` suffix selects the format. Other files
        are parsed as YAML (which includes JSON), then as TOML.
    :raises Q2mfaError: The file cannot be read.
    :raises UsageError: The file is not a valid answers file.
    """
    return [_to_answers(entry, where) for where, entry in _entries(_parse(_read(source), source))]


def _read(source: str) -> str:
    try:
        if source == "-" and sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        with click.open_file(source, "rb") as file:
            content: bytes = file.read(FILE_MAX + 1)
    except OSError as error:
        raise Q2mfaError(
            f"The answers file {shown(source)} cannot be read: {error.strerror}.",
            "Check its path and permissions.",
            "answers_unreadable",
        ) from error
    if len(content) > FILE_MAX:
        raise UsageError(
            "The answers file is larger than 8 MiB.", "Split it into smaller files.", "bad_answers"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("The answers file is not UTF-8 text.", "Save it as UTF-8.", "bad_answers") from error


def _parse(text: str, source: str) -> Any:
    kind = Path(source).suffix.lower()
    try:
        if kind == ".toml":
            return toml.loads(text)
        if kind == ".json":
            return json.loads(text, object_pairs_hook=_once_each)
        return _yaml_or_toml(text)
    except (ValueError, RecursionError) as error:
        # json, tomllib and the YAML loader below all raise ValueError.
        why = "it is nested too deeply" if isinstance(error, RecursionError) else _first_line(error)
        raise UsageError(f"The answers file cannot be parsed: {why}.", HINT, "bad_answers") from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key appears twice")
    return dict(pairs)


def _yaml_or_toml(text: str) -> Any:
    import yaml  # only needed for an answers file

    # The C parser is ten times faster, but some PyYAML builds do not include it.
    fastest: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(fastest):  # type: ignore[misc, valid-type]
        """Loads plain data and rejects a repeated key."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            mapping = super().construct_mapping(node, deep)
            if len(mapping) < len(node.value):
                raise yaml.YAMLError("a key appears twice")
            return mapping

    failure: yaml.YAMLError | None = None
    try:
        for event in yaml.parse(text, fastest):
            # Aliases can expand without limit and tags create objects. An answers file needs neither.
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
        return toml.loads(text)
    except ValueError:
        raise ValueError(_first_line(failure) if failure else "it contains no settings") from failure


def _entries(document: Any) -> list[tuple[str, Any]]:
    """Return (where, entry) for each request in the document."""
    if not isinstance(document, dict):
        raise UsageError("The answers file must contain one mapping.", HINT, "bad_answers")
    if "extensions" not in document:
        return [("the answers file", document)]
    if len(document) > 1 or not isinstance(document["extensions"], list) or not document["extensions"]:
        raise UsageError(
            "'extensions' must be the only key of the answers file, and a list of at least one request.",
            HINT,
            "bad_answers",
        )
    return [(f"extension {number}", entry) for number, entry in enumerate(document["extensions"], 1)]


def _to_answers(entry: Any, where: str) -> Answers:
    if not isinstance(entry, dict):
        raise UsageError(f"In {where}: a mapping is expected.", HINT, "bad_answers")
    answers: dict[str, Value] = {}
    for key, value in entry.items():
        question = answer_named(key, where)
        if question.name in answers:
            raise UsageError(f"In {where}: {question.name} is given twice.", HINT, "bad_answers")
        if value is not None:
            answers[question.name] = _value(question, value, where)
    return answers


def answer_named(key: Any, where: str) -> Question:
    """Return the question that *key* answers, by its name or its flag: ``client_id``, ``client-id``."""
    keys = {name: question for question in QUESTIONS for name in (question.name, question.flag[2:]) if name}
    question = keys.get(key.replace("-", "_"), keys.get(key)) if isinstance(key, str) else None
    if question is None:
        near = difflib.get_close_matches(str(key)[:60], [question.name for question in QUESTIONS], 1)
        raise UsageError(
            f"In {where}: {shown(key)} is not a setting.",
            f"Did you mean {near[0]}?" if near else HINT,
            "bad_answers",
        )
    return question


def _value(question: Question, value: Any, where: str) -> Value:
    if question.repeatable:
        values = (value,) if isinstance(value, str) else value
        if not isinstance(values, tuple | list) or not all(isinstance(each, str) for each in values):
            raise UsageError(f"In {where}: {question.name} must be a list of strings.", HINT, "bad_answers")
        return tuple(values)
    if not isinstance(value, str):
        raise UsageError(
            f"In {where}: {question.name} must be a string, not {shown(value)}.",
            "Put it in quotes.",
            "bad_answers",
        )
    return value


def _first_line(error: Exception) -> str:
    """Return the parser's message on one line, with the line number if it is known."""
    problem = getattr(error, "problem", None) or (str(error).splitlines() or ["unreadable"])[0]
    mark = getattr(error, "problem_mark", None)
    return f"{problem} (line {mark.line + 1})" if mark else str(problem).rstrip(".")
