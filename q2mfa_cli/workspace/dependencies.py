"""The dependencies that a workspace declares, in any file, and whether they meet a requirement."""

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
    """A file that declares the workspace's dependencies in place of ``requirements.txt``.

    :param step: Maps a requirement to how a person adds it: one sentence.
    """

    path: str
    entries: tuple[Declared, ...]
    step: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A declaration that keeps a requirement from being met.

    :param why: ``""`` if its versions are the reason.
    """

    declared: Declared
    why: str = ""


def is_met(entries: Iterable[Declared], wanted: str) -> bool:
    """Return whether all that *entries* allow to be installed meets the requirement *wanted*."""
    about = _about(entries, wanted)
    if not about:
        return False
    from packaging.requirements import Requirement  # only where an entry is about the same project

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
        for version in _telling_versions(allowed, need.specifier)
    )


def conflict(entries: Iterable[Declared], wanted: str) -> Conflict | None:
    """Return what conflicts with another line for *wanted*; ``None`` if the line is compatible with *entries*."""
    about = _about(entries, wanted)
    if not about:
        return None
    from packaging.requirements import Requirement  # only where an entry is about the same project

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
            for version in _telling_versions(allowed, need)
        ):
            return Conflict(declared)
    return None


def source(root: Path, projects: Collection[str]) -> Source | None:
    """Return the file of the workspace *root* that declares what it depends on; ``None`` if there is none.

    :param projects: The normalized names of those whose entries are wanted.
    """
    found = (kind(root, projects) for kind in (_requirements_in, _pyproject, _pipfile, _setup))
    return next(filter(None, found), None)


def _about(entries: Iterable[Declared], wanted: str) -> list[Declared]:
    return [each for each in entries if normalized(each.requirement.name) == project(wanted)]


def _applies(declared: Declared) -> bool:
    marker = declared.requirement.marker
    return marker is None or marker.evaluate({"extra": ""})


def _allowed(entries: Sequence[Declared]) -> SpecifierSet:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(",".join(str(each.requirement.specifier) for each in entries))


def _telling_versions(*specifiers: SpecifierSet) -> Iterator[Version]:
    """Yield a version below, at, just above and far above every bound: if any version is in a set, one of these is."""
    from packaging.version import InvalidVersion, Version

    yield Version("0")
    for specifier in (each for several in specifiers for each in several):
        try:
            bound = Version(specifier.version.removesuffix(".*"))
        except InvalidVersion:
            continue  # `===` compares texts.
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
        *_listed(PYPROJECT, standard.get("dependencies", []), projects),
        *_tabled(PYPROJECT, _table(poetry, "dependencies"), projects),
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
    entries = _tabled(PIPFILE, _table(_toml(root / PIPFILE), "packages"), projects)
    return Source(
        PIPFILE, tuple(entries), lambda wanted: f'Add {wanted} to {PIPFILE}: pipenv install "{wanted}"'
    )


def _setup(root: Path, projects: Collection[str]) -> Source | None:
    for name in ("setup.cfg", "setup.py"):
        text = _text(root / name) or ""
        if "install_requires" in text:
            # Anything in it that is not a requirement cannot declare a project that q2mfa asks for.
            texts = re.findall(r"^\s*([A-Za-z0-9][^\n#\"']*)|[\"']([^\"'\n]+)[\"']", text, re.MULTILINE)
            entries = _listed(name, [bare or quoted for bare, quoted in texts], projects)
            return Source(
                name,
                tuple(entries),
                lambda wanted, name=name: f"Add {wanted} to install_requires in {name}, and install it",  # type: ignore[misc]
            )
    return None


def _listed(path: str, texts: Any, projects: Collection[str]) -> Iterator[Declared]:
    """Yield the requirements (PEP 508) among *texts* that are about *projects*."""
    for text in texts if isinstance(texts, list) else []:
        if not isinstance(text, str) or not may_declare(text, projects):
            continue
        from packaging.requirements import (
            InvalidRequirement,
            Requirement,
        )  # only where a line names a project of ours

        with contextlib.suppress(InvalidRequirement):
            yield Declared(path, text.strip(), Requirement(text.strip()))


def _tabled(path: str, table: Mapping[str, Any], projects: Collection[str]) -> Iterator[Declared]:
    """Yield the requirements of a table of Poetry or Pipenv: a version, or a table with it, by the project's name."""
    for name, value in table.items():
        detail = value[0] if isinstance(value, list) and value else value
        extras = f"[{','.join(map(str, detail.get('extras', [])))}]" if isinstance(detail, dict) else ""
        version = detail.get("version") if isinstance(detail, dict) else detail
        # A folder, a repository or alternatives have no known version.
        told = isinstance(version, str) and "|" not in version and not isinstance(value, list)
        text = f"{name}{extras}{_specifiers(str(version))}" if told else f"{name}{extras} @ file:."
        yield from _listed(path, [text], projects)


def _specifiers(constraint: str) -> str:
    """Return Poetry's version constraint as specifiers (PEP 440): ``^2.12`` → ``>=2.12,==2.*``."""
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
