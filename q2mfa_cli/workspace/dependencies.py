"""The dependencies that a workspace declares, in any of its files, and whether they satisfy a requirement."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from q2mfa_cli import toml
from q2mfa_cli.workspace.requirements_file import Declared, declarations, may_declare, normalized, project

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

PYPROJECT, PIPFILE, SOURCE = "pyproject.toml", "Pipfile", "requirements.in"


@dataclass(frozen=True, slots=True)
class Source:
    """A file that declares the workspace's dependencies instead of ``requirements.txt``.

    :param step: Maps a requirement to a sentence that says how to add it.
    """

    path: str
    entries: tuple[Declared, ...]
    step: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A declaration that conflicts with a requirement.

    :param why: The reason; ``""`` if it is the versions that the declaration allows.
    """

    declared: Declared
    why: str = ""


def is_met(entries: Iterable[Declared], wanted: str) -> bool:
    """Return whether every version that *entries* allow satisfies the requirement *wanted*."""
    about = _entries_for(entries, wanted)
    if not about:
        return False
    from packaging.requirements import Requirement  # only needed if an entry is about the same project

    need = Requirement(wanted)
    own = [each for each in about if _applies(each)]
    lines = [each.requirement for each in own if not each.is_constraint]
    extras = {extra.lower() for line in lines for extra in line.extras}
    if not lines or not need.extras <= extras:
        return False
    if any(line.url for line in lines):
        return True
    allowed = _allowed(own)
    return not any(
        allowed.contains(version, prereleases=True) and not need.specifier.contains(version, prereleases=True)
        for version in _boundary_versions(allowed, need.specifier)
    )


def conflict(entries: Iterable[Declared], wanted: str) -> Conflict | None:
    """Return the entry that conflicts with the requirement *wanted*; ``None`` if *wanted* can be added to *entries*."""
    about = _entries_for(entries, wanted)
    if not about:
        return None
    from packaging.requirements import Requirement  # only needed if an entry is about the same project

    need = Requirement(wanted).specifier
    lines = [each for each in about if not each.is_constraint]
    if lines and not any(map(_applies, lines)):
        version = ".".join(map(str, sys.version_info[:2]))
        return Conflict(lines[0], f"it does not apply to Python {version} here")
    own = [each for each in about if _applies(each)]
    for count, declared in enumerate(own, 1):
        allowed = _allowed(own[:count])
        if not any(
            allowed.contains(version, prereleases=True) and need.contains(version, prereleases=True)
            for version in _boundary_versions(allowed, need)
        ):
            return Conflict(declared)
    return None


def source(root: Path, projects: Collection[str]) -> Source | None:
    """Return the file that declares the dependencies of the workspace *root*; ``None`` if there is none.

    :param projects: The normalized names of the projects whose entries to return.
    """
    found = (kind(root, projects) for kind in (_requirements_in, _pyproject, _pipfile, _setup))
    return next(filter(None, found), None)


def _entries_for(entries: Iterable[Declared], wanted: str) -> list[Declared]:
    return [each for each in entries if normalized(each.requirement.name) == project(wanted)]


def _applies(declared: Declared) -> bool:
    marker = declared.requirement.marker
    return marker is None or marker.evaluate({"extra": ""})


def _allowed(entries: Sequence[Declared]) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(",".join(str(each.requirement.specifier) for each in entries))


def _boundary_versions(*specifiers: SpecifierSet) -> Iterator[Version]:
    """Yield versions below, at, just above and far above each bound in *specifiers*.

    If any version is in the sets that the specifiers define, one of these versions is.
    """
    from packaging.version import InvalidVersion, Version

    yield Version("0")
    for specifier in (each for several in specifiers for each in several):
        try:
            bound = Version(specifier.version.removesuffix(".*"))
        except InvalidVersion:
            continue  # `===` takes any string
        yield bound
        yield Version(
            f"{bound.public}.1"
            if not (bound.is_prerelease or bound.is_postrelease)
            else f"{bound.base_version}.1"
        )
        for place in range(len(bound.release)):
            yield Version(".".join(map(str, (*bound.release[:place], bound.release[place] + 1))))


def _requirements_in(root: Path, projects: Collection[str]) -> Source | None:
    text = _text(root / SOURCE)
    if text is None:
        return None
    entries = declarations(root, SOURCE, text.encode(), projects).entries
    return Source(SOURCE, entries, lambda wanted: f"Add {wanted} to {SOURCE}, then run: pip-compile {SOURCE}")


def _pyproject(root: Path, projects: Collection[str]) -> Source | None:
    document = _toml(root / PYPROJECT)
    standard, poetry = _table(document, "project"), _table(document, "tool", "poetry")
    if not poetry and (not standard or "dependencies" in standard.get("dynamic", [])):
        return None
    entries = [
        *_from_list(PYPROJECT, standard.get("dependencies", []), projects),
        *_from_table(PYPROJECT, _table(poetry, "dependencies"), projects),
    ]
    tools = {"poetry": bool(poetry), "uv": (root / "uv.lock").is_file(), "pdm": (root / "pdm.lock").is_file()}
    tool = next((name for name, is_used in tools.items() if is_used), None)

    def step(wanted: str) -> str:
        if tool:
            return f'Add {wanted} to {PYPROJECT}: {tool} add "{wanted}"'
        return f'Add "{wanted}" to the dependencies of [project] in {PYPROJECT}, and install it'

    return Source(PYPROJECT, tuple(entries), step)


def _pipfile(root: Path, projects: Collection[str]) -> Source | None:
    if not (root / PIPFILE).is_file():
        return None
    entries = _from_table(PIPFILE, _table(_toml(root / PIPFILE), "packages"), projects)
    return Source(
        PIPFILE, tuple(entries), lambda wanted: f'Add {wanted} to {PIPFILE}: pipenv install "{wanted}"'
    )


def _setup(root: Path, projects: Collection[str]) -> Source | None:
    for name in ("setup.cfg", "setup.py"):
        text = _text(root / name) or ""
        if "install_requires" in text:
            # The pattern also finds strings that are not requirements. They cannot name one of *projects*.
            texts = re.findall(r"^\s*([A-Za-z0-9][^\n#\"']*)|[\"']([^\"'\n]+)[\"']", text, re.MULTILINE)
            entries = _from_list(name, [bare or quoted for bare, quoted in texts], projects)
            return Source(
                name,
                tuple(entries),
                lambda wanted, name=name: f"Add {wanted} to install_requires in {name}, and install it",  # type: ignore[misc]
            )
    return None


def _from_list(path: str, texts: Any, projects: Collection[str]) -> Iterator[Declared]:
    """Yield the requirements (PEP 508) in *texts* that name one of *projects*."""
    for text in texts if isinstance(texts, list) else []:
        if not isinstance(text, str) or not may_declare(text, projects):
            continue
        from packaging.requirements import (
            InvalidRequirement,
            Requirement,
        )  # only needed if a line names one of our projects

        with contextlib.suppress(InvalidRequirement):
            yield Declared(path, text.strip(), Requirement(text.strip()))


def _from_table(path: str, table: Mapping[str, Any], projects: Collection[str]) -> Iterator[Declared]:
    """Yield the requirements in a table of Poetry or Pipenv, which maps a project to a version or to a table with it."""
    for name, value in table.items():
        detail = value[0] if isinstance(value, list) and value else value
        extras = f"[{','.join(map(str, detail.get('extras', [])))}]" if isinstance(detail, dict) else ""
        version = detail.get("version") if isinstance(detail, dict) else detail
        # A path, a repository and a list of alternatives do not tell the version, so they count as meeting every requirement.
        told = isinstance(version, str) and "|" not in version and not isinstance(value, list)
        text = f"{name}{extras}{_specifiers(str(version))}" if told else f"{name}{extras} @ file:."
        yield from _from_list(path, [text], projects)


def _specifiers(constraint: str) -> str:
    """Return a version constraint of Poetry as version specifiers (PEP 440): ``^2.12`` → ``>=2.12,==2.*``."""
    return ",".join(filter(None, (_specifier(each.strip()) for each in constraint.split(","))))


def _specifier(constraint: str) -> str:
    sign, version = constraint[:1], constraint.lstrip("^~=").strip()
    parts = version.split(".")
    if constraint.startswith("~=") or sign in ("<", ">", "!"):
        return constraint
    if sign == "^":
        fixed = next((number for number, part in enumerate(parts, 1) if part != "0"), len(parts))
        return f">={version},=={'.'.join(parts[:fixed])}.*"
    if sign == "~":
        return f">={version},=={'.'.join(parts[:2])}.*"
    return "" if version == "*" else f"=={version}"


def _table(document: Any, *keys: str) -> dict[str, Any]:
    """Return the table at *keys*; an empty one if there is none."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return toml.loads(_text(path) or "")
    except ValueError:
        return {}


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig", "replace") if path.is_file() else None
    except OSError:
        return None
