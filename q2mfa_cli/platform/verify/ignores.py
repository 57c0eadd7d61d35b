"""Ignore comments: ``# q2mfa: ignore[id] reason``, on the line of the finding or alone on the line above it.

JavaScript has them after ``//`` or in ``/* */``, HTML in ``<!-- -->`` and Jinja in ``{# #}``.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from q2mfa_cli.platform.verify.check import Location, Problem
from q2mfa_cli.platform.verify.results import Finding, Suppression
from q2mfa_cli.platform.verify.table import CHECKS

UNUSED, WITHOUT_REASON = "ignore-unused", "ignore-without-reason"

IGNORE = re.compile(r"q2mfa:\s*ignore\[(?P<ids>[^\]]*)\](?P<reason>.*)")
# The start and end of a comment, by the kind of file.
COMMENT = re.compile(r"(?://|/\*|<!--|\{#)(?P<text>.*?)(?:\*/|-->|#\}|$)")
PAGE_FILES = (".js", ".mjs", ".ts", ".html", ".htm", ".jinja2", ".css")
NOT_SOURCES = frozenset({"node_modules", "dist", "__pycache__", "tests"})


@dataclass(frozen=True)
class Ignore:
    """One ignore comment.

    :param lines: the lines of the file that it covers.
    """

    ids: tuple[str, ...]
    reason: str
    location: Location
    lines: tuple[int, ...]

    def covers(self, finding: Finding) -> bool:
        return (
            finding.check.id in self.ids
            and finding.location.path == self.location.path
            and finding.location.line in self.lines
        )


def read_ignores(workspace: Path, folder: Path, name: str) -> list[Ignore]:
    """Return the ignore comments in *folder* and in the configuration of the extension *name*."""
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".py", *PAGE_FILES) and not NOT_SOURCES & set(path.relative_to(folder).parts)
    ]
    files += [
        path
        for path in (workspace / "configuration" / f"{name}.py", workspace / "configuration" / "settings.py")
        if path.is_file()
    ]
    return [ignore for path in files for ignore in _ignores_in(path, path.relative_to(workspace).as_posix())]


def apply_ignores(findings: Sequence[Finding], ignores: Sequence[Ignore]) -> list[Finding]:
    """Return *findings*, with those suppressed that an ignore comment with a reason covers."""
    reasoned = [ignore for ignore in ignores if ignore.reason]
    applied = []
    for finding in findings:
        covering = [ignore for ignore in reasoned if ignore.covers(finding)]
        suppression = Suppression("inSource", covering[0].reason) if covering else finding.suppression
        applied.append(replace(finding, suppression=suppression))
    return applied


def problems_of(
    ignores: Sequence[Ignore], findings: Sequence[Finding], ran: Collection[str]
) -> Iterator[tuple[str, Problem]]:
    """Return the problems of the comments themselves, each with the ID of its check.

    :param ran: the IDs of the checks that ran. A comment for any other check counts as used.
    """
    known = {check.id for check in CHECKS}
    for ignore in ignores:
        if not ignore.reason:
            yield (
                WITHOUT_REASON,
                Problem("The ignore comment gives no reason, so it has no effect.", ignore.location),
            )
            continue
        for identifier in ignore.ids:
            alone = replace(ignore, ids=(identifier,))
            if identifier not in known:
                yield UNUSED, Problem(f'There is no check "{identifier}".', ignore.location)
            elif identifier in ran and not any(alone.covers(finding) for finding in findings):
                yield (
                    UNUSED,
                    Problem(f'"{identifier}" finds nothing that this comment could ignore.', ignore.location),
                )


def _ignores_in(path: Path, name: str) -> Iterator[Ignore]:
    text = path.read_text("utf-8", "replace")
    if "q2mfa:" not in text:
        return
    lines = text.splitlines()
    for number, column, comment in _python_comments(text) if path.suffix == ".py" else _page_comments(lines):
        if match := IGNORE.search(comment):
            line = lines[number - 1]
            is_alone = not COMMENT.sub("", line.partition("#")[0] if path.suffix == ".py" else line).strip()
            ids = tuple(each.strip() for each in match["ids"].split(",") if each.strip())
            yield Ignore(
                ids,
                match["reason"].strip(" :,-"),
                Location(name, number, column, line),
                (number, number + 1) if is_alone else (number,),
            )


def _python_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each comment with its line and column; none if the file is not valid Python."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.start[1] + 1, token.string
    except (tokenize.TokenError, SyntaxError):
        return


def _page_comments(lines: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    for number, line in enumerate(lines, 1):
        for match in COMMENT.finditer(line):
            yield number, match.start() + 1, match["text"]
