"""Read a hand-edited or generated ``requirements.txt`` as pip does, and edit single lines without changing another byte."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# The encodings that pip reads, by byte order mark.
ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The pattern for comments is pip's own.
COMMENT = re.compile(r"(^|\s+)#.*$")
# These two match the headers that pip-tools, uv, PDM, Pipenv and Poetry write.
GENERATED = re.compile(r"#.*(auto-?generated|@generated)", re.IGNORECASE)
COMMAND = re.compile(r"(?:command:|run:)\s*(?:#\s*)+(\S.*)")
INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+|(?=[^\s=]))(\S.*)")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
SEPARATORS = re.compile(r"[-_.]+")
EDITABLE = re.compile(r"(-e|--editable)(\s*=\s*|\s+)")


@dataclass(frozen=True, slots=True)
class Declared:
    """A requirement that a file declares.

    :param where: The file, and the line number in a requirements file.
    :param is_constraint: Whether it only limits the versions (``-c``).
    """

    where: str
    text: str
    requirement: Requirement
    is_constraint: bool = False


@dataclass(frozen=True, slots=True)
class Declarations:
    """The requirements that a requirements file and the files that it includes declare.

    :param hashed: Whether pip requires a hash for every requirement, because one has a hash.
    """

    entries: tuple[Declared, ...] = ()
    hashed: bool = False


@dataclass(frozen=True, slots=True)
class Generator:
    """The tool that generated a requirements file, according to the file's header.

    :param command: The tool's command; ``""`` if the header does not contain it.
    :param source: The file to edit instead; ``""`` if the command does not name it.
    """

    command: str
    source: str


def is_editable(content: bytes) -> bool:
    """Return whether an ASCII line can be added to *content*. It cannot in UTF-16, which Windows PowerShell writes."""
    return b"\0" not in content


def add(content: bytes, requirement: str) -> bytes:
    """Return *content* with a line for *requirement*."""
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    ends_in_newline = not content or content.endswith((b"\n", b"\r"))
    start = b"" if ends_in_newline else newline
    last = (_text(content).splitlines() or [""])[-1]
    # pip joins a line that ends in a backslash with the next line, unless it is a comment.
    if last.endswith("\\") and not COMMENT.match(last):
        start += newline
    return content + start + requirement.encode() + (newline if ends_in_newline else b"")


def replaced(content: bytes, earlier: str, requirement: str) -> bytes:
    """Return *content* with *requirement* in place of *earlier*, on each line that has only *earlier* and maybe a comment."""
    pattern = rb"(?m)^" + re.escape(earlier.encode()) + rb"(?=(?:[ \t]+#.*)?[ \t]*\r?$)"
    return re.sub(pattern, lambda _: requirement.encode(), content)


def removed(content: bytes, requirement: str) -> bytes:
    """Return *content* without the lines that have only *requirement* and maybe a comment."""
    pattern = rb"(?m)^" + re.escape(requirement.encode()) + rb"(?:[ \t]+#[^\r\n]*)?[ \t]*(?:\r?\n|\Z)"
    return re.sub(pattern, b"", content)


def project(requirement: str) -> str:
    """Return the normalized name (PEP 503) of the project in *requirement*; the whole string if it has no name."""
    name = NAME.match(requirement)
    return normalized(name[0]) if name else requirement


def normalized(name: str) -> str:
    return SEPARATORS.sub("-", name).lower()


def may_declare(text: str, projects: Collection[str]) -> bool:
    """Return whether *text* contains one of *projects*, normalized names. Other texts need not be parsed."""
    return any(name in normalized(text) for name in projects)


def declarations(root: Path, name: str, content: bytes, projects: Collection[str]) -> Declarations:
    """Return the requirements for *projects* in the file *name* of the workspace *root*.

    Lines that pip would reject are skipped.

    :param content: The bytes of the file.
    :param projects: Normalized names.
    """
    return _read(root, root / name, content, projects, False, set())


def generator(content: bytes) -> Generator | None:
    """Return the generator of the file; ``None`` if people edit it by hand."""
    lines = (line.strip() for line in _text(content).splitlines())
    header = []
    for line in lines:
        if line and not line.startswith("#"):
            break
        header.append(line)
    if not any(GENERATED.match(line) for line in header):
        return None
    found = COMMAND.search("\n".join(header))
    command = found[1].strip() if found and found[1].isprintable() else ""
    return Generator(command, _source(command))


def _source(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    named = [word for word in words[1:] if word.endswith((".in", "pyproject.toml", "setup.py", "setup.cfg"))]
    if named:
        return named[0]
    tool = " ".join(words[:2])
    if tool == "pip-compile":
        return "requirements.in"
    if tool in ("uv export", "poetry export", "pdm export"):
        return "pyproject.toml"
    return "Pipfile" if words[:1] == ["pipenv"] else ""


def _read(
    root: Path,
    path: Path,
    content: bytes,
    projects: Collection[str],
    is_constraint: bool,
    seen: set[Path],
) -> Declarations:
    seen.add(path.resolve())
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    entries: list[Declared] = []
    hashed = False
    for number, line in logical_lines(_text(content)):
        hashed |= "--hash" in line or line.startswith("--require-hashes")
        if include := INCLUDE.match(line):
            other = path.parent / include[2].strip("'\"")
            if other.is_file() and other.resolve() not in seen:
                constraints = is_constraint or include[1] in ("-c", "--constraint")
                found = _read(root, _shortest(root, other), _bytes(other), projects, constraints, seen)
                entries += found.entries
                hashed |= found.hashed
            continue
        text = _without_options(EDITABLE.sub("", line))
        requirement = _requirement(text) if may_declare(text, projects) else None
        if requirement is None:
            continue
        shown = str(requirement) if text.endswith(".whl") else text
        entries.append(Declared(f"{name}, line {number}", shown, requirement, is_constraint))
    return Declarations(tuple(entries), hashed)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each nonempty logical line without its comment, preceded by the number of its first physical line."""
    parts: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        is_comment = COMMENT.match(line)
        if not parts:
            first = number
        parts.append(f" {line}" if is_comment else line.strip("\\") if line.endswith("\\") else line)
        if is_comment or not line.endswith("\\"):
            yield from _uncommented(first, parts)
            parts = []
    if parts:
        yield from _uncommented(first, parts)


def _uncommented(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    line = COMMENT.sub("", "".join(parts)).strip()
    if line:
        yield number, line


def _without_options(line: str) -> str:
    """Return *line* up to its first option, such as ``--hash``."""
    return re.split(r"\s+-", f" {line}", maxsplit=1)[0].strip()


def _requirement(text: str) -> Requirement | None:
    """Return the requirement (PEP 508) in *text*, a requirement, a URL or a path; ``None`` if *text* names no project."""
    from packaging.requirements import (
        InvalidRequirement,
        Requirement,
    )  # only needed if a line names one of our projects
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    if egg := re.search(r"#(?:.*&)?egg=([A-Za-z0-9._-]+(?:\[[^\]]*\])?)", text):
        return Requirement(f"{egg[1]} @ {text.partition('#')[0]}")
    if text.endswith(".whl") and "@" not in text:
        try:
            name, version, *_ = parse_wheel_filename(re.split(r"[\\/]", text)[-1])
        except InvalidWheelFilename:
            return None
        return Requirement(f"{name}=={version}")
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _shortest(root: Path, path: Path) -> Path:
    """Return *path* without ``..`` if it is in the workspace; otherwise, return *path*."""
    resolved = path.resolve()
    return resolved if resolved.is_relative_to(root) else path


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        # pip will report it.
        return b""


def _text(content: bytes) -> str:
    encoding = next((name for mark, name in ENCODINGS.items() if content.startswith(mark)), "utf-8")
    return content.decode(encoding, "replace")
