"""The record of an extension, ``.q2mfa/<Name>.json`` in the workspace: what was generated, and from which answers.

It keeps the generated files themselves. So an update knows what the owner changed, whatever version of q2mfa is
installed. ``docs/record.schema.json`` describes the file.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.integrations import Value
from q2mfa_cli.merge import has_markers
from q2mfa_cli.questions import QUESTIONS
from q2mfa_cli.request import Answers, ExtensionRequest, make_request
from q2mfa_cli.workspace.find import CONFIGURATION, REQUIREMENTS, SETTINGS, Workspace, listed
from q2mfa_cli.workspace.requirements_file import project
from q2mfa_cli.workspace.settings_file import NotEditable, whitelisted_hosts

FOLDER = ".q2mfa"
FORMAT = 1
"""The version of the record's format; a change that an older q2mfa cannot read raises it."""

# A template has some 200 KB. A record is no place to expand gigabytes from.
FILES_MAX = 32 * 1024 * 1024
# Half the time of zlib's default, for a tenth more bytes.
COMPRESSION = 4
NEW_SUFFIX = ".q2mfa-new"


@dataclass(frozen=True, slots=True)
class Record:
    """What q2mfa did for one extension.

    :param version: The q2mfa that made the files.
    :param answers: A valid answer to each question that concerns the integration.
    :param files: The files as they were generated, by path.
    :param hosts: What q2mfa added to ``OUTBOUND_WHITELIST`` for it.
    :param requirements: The lines that q2mfa added to ``requirements.txt`` for it.
    :param open: The files with a conflict that was left to the owner.
    """

    version: str
    answers: Answers
    files: Mapping[str, bytes]
    hosts: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.answers["name"])

    def request(self, changed: Answers | None = None) -> ExtensionRequest:
        """Return the request for the extension, with *changed* answers.

        Answers to questions that this version does not ask are left out.

        :raises UsageError: An answer is not acceptable.
        """
        # A default may be what no user can give, as an empty client id.
        defaults = {question.name: question.default for question in QUESTIONS}
        given = {key: value for key, value in self.answers.items() if value != defaults.get(key, value)}
        return make_request({**given, **(changed or {})})

    def encoded(self) -> bytes:
        """Return the content of the file."""
        contents = b"".join(self.files.values())
        document = {
            "format": FORMAT,
            "about": "Made by q2mfa; `q2mfa update` needs it. Commit it, and do not edit it.",
            "q2mfa": self.version,
            "answers": {
                key: value if isinstance(value, str) else list(value) for key, value in self.answers.items()
            },
            "hosts": list(self.hosts),
            "requirements": list(self.requirements),
            "open": list(self.open),
            "files": {
                path: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for path, content in self.files.items()
            },
            "contents": base64.b64encode(zlib.compress(contents, COMPRESSION)).decode(),
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def record_path(name: str) -> str:
    """Return the path of the extension's record, relative to the workspace."""
    return f"{FOLDER}/{name}.json"


def recorded_names(root: Path) -> list[str]:
    """Return the names of the extensions that have a record, sorted.

    :raises Q2mfaError: The folder cannot be read.
    """
    return sorted(path.stem for path in listed(root / FOLDER) if path.suffix == ".json")


def read_record(root: Path, name: str) -> Record | None:
    """Return the record of the extension *name* in the workspace *root*; ``None`` if there is none.

    :raises Q2mfaError: It cannot be read, is damaged, or a newer q2mfa wrote it.
    """
    try:
        content = (root / record_path(name)).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Q2mfaError(
            f"{record_path(name)} cannot be read: {error.strerror}.",
            "Check the file's permissions.",
            "workspace_unreadable",
        ) from error
    return decode(content, name)


def decode(content: bytes, name: str) -> Record:
    """Return the record of the extension *name*, from the content of its file.

    :raises Q2mfaError: It is damaged, or a newer q2mfa wrote it.
    """
    try:
        document = json.loads(content)
        if document["format"] > FORMAT:
            raise Q2mfaError(
                f"{record_path(name)} was written by q2mfa {document['q2mfa']}, which is newer than this one.",
                "Update q2mfa: pip install --upgrade q2mfa-cli",
                "record_newer",
            )
        record = Record(
            version=_text(document["q2mfa"]),
            answers={_text(key): _value(value) for key, value in document["answers"].items()},
            files=dict(_files(document, name)),
            hosts=tuple(map(_text, document["hosts"])),
            requirements=tuple(map(_text, document["requirements"])),
            open=tuple(map(_text, document["open"])),
        )
        if record.name != name:
            raise ValueError(f"it is about {shown(record.name)}")
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, zlib.error) as error:
        _refuse(name, error)
    return record


class Additions:
    """What q2mfa adds to the workspace's own files, by extension; ``remove`` takes it back.

    An entry that q2mfa added for another extension before counts as added for each that needs it: the last one that is
    removed takes it along.

    :param edits: The new contents of the workspace's own files, by path.
    """

    def __init__(self, workspace: Workspace, edits: Mapping[str, bytes]) -> None:
        before = {SETTINGS: workspace.settings or b"", REQUIREMENTS: workspace.requirements or b""}
        after = {**before, **edits}
        self._hosts = _hosts(after[SETTINGS]) - _hosts(before[SETTINGS])
        self._required = _lines(after[REQUIREMENTS])
        self._requirements = self._required - _lines(before[REQUIREMENTS])
        for _, hosts, requirements in claims(workspace.root):
            self._hosts |= hosts
            self._requirements |= requirements

    def recorded(self, record: Record) -> Record:
        """Return *record* with what was added for it."""
        request = ExtensionRequest(record.answers)
        needed = request.integration.outbound_hosts(request.answers)
        required = request.integration.requirements(request.answers)
        return replace(
            record,
            hosts=tuple(host for host in needed if host in self._hosts),
            requirements=tuple(line for line in required if self._is_added(line)),
        )

    def _is_added(self, requirement: str) -> bool:
        if requirement in self._requirements:
            return True
        # An update that was killed may have raised the bound already.
        projects = {project(line) for line in self._requirements}
        return requirement in self._required and project(requirement) in projects


def _hosts(settings: bytes) -> set[str]:
    try:
        return {*whitelisted_hosts(settings)}
    except NotEditable:
        return set()


def _lines(requirements: bytes) -> set[str]:
    return {line.partition(" #")[0].strip() for line in requirements.decode("utf-8", "replace").splitlines()}


def claims(root: Path) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield for each recorded extension its name, and the hosts and the requirements that q2mfa added for it.

    A record that cannot be read claims nothing: it is refused where that extension is at stake.
    """
    for name in recorded_names(root):
        try:
            document = json.loads((root / record_path(name)).read_bytes())
            yield name, {*map(_text, document["hosts"])}, {*map(_text, document["requirements"])}
        except (OSError, KeyError, TypeError, ValueError, RecursionError):
            continue


def unresolved(root: Path, record: Record) -> list[str]:
    """Return the files whose conflict was left to the owner and is still there: markers, or a file beside it."""
    return [
        path for path in record.open if (root / f"{path}{NEW_SUFFIX}").exists() or _is_marked(root / path)
    ]


def refuse_conflict_markers(root: Path, name: str) -> None:
    """Refuse to work with an extension whose files have the conflict markers of an update.

    :raises Q2mfaError: One has.
    """
    try:
        record = read_record(root, name)
    except Q2mfaError:
        return  # `q2mfa list` and `q2mfa update` say what is wrong with it
    marked = [path for path in record.open if _is_marked(root / path)] if record else []
    if marked:
        raise Q2mfaError(
            f"{', '.join(marked)} {'has' if len(marked) == 1 else 'have'} conflict markers of an update.",
            "Edit the lines between <<<<<<< and >>>>>>>, remove the markers, and run the command again.",
            "unresolved",
        )


def _is_marked(path: Path) -> bool:
    try:
        return has_markers(path.read_bytes())
    except OSError:
        return False


def _files(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, bytes]]:
    expander = zlib.decompressobj()
    contents = expander.decompress(base64.b64decode(document["contents"], validate=True), FILES_MAX)
    if not expander.eof:
        raise ValueError("its files are incomplete")
    start = 0
    for path, file in document["files"].items():
        content = contents[start : start + file["size"]]
        start += len(content)
        # A record names only files that q2mfa generates: `remove` must not reach others.
        inside = path.startswith(f"{name}/") and ".." not in path.split("/") and "\\" not in path
        if not (inside or path == f"{CONFIGURATION}/{name}.py"):
            raise ValueError(f"{shown(path)} is no file of the extension")
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise ValueError(f"the digest of {path} does not fit")
        yield path, content


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{shown(value)} is no text")
    return value


def _value(value: Any) -> Value:
    return tuple(map(_text, value)) if isinstance(value, list) else _text(value)


def _refuse(name: str, error: Exception) -> NoReturn:
    why = "it is incomplete" if isinstance(error, KeyError | AttributeError | binascii.Error) else str(error)
    raise Q2mfaError(
        f"{record_path(name)} is damaged: {shown(why)[1:-1]}.",
        f"Take it from version control, or delete it and run `q2mfa update {name} --adopt`.",
        "record_damaged",
    ) from error
