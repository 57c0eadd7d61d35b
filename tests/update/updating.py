"""Workspaces with extensions that an earlier version of q2mfa made, for tests of `q2mfa update`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from command import Run, q2mfa
from earlier_templates import install

from q2mfa_cli.record import Record, read_record
from q2mfa_cli.rendering import RenderedTree, render
from q2mfa_cli.request import make_request

EARLIER_VERSION = "0.1.0.dev2"


def new_tree(name: str = "Foo", **answers: str) -> RenderedTree:
    """What this version generates."""
    return render(make_request({"name": name, **answers}))


def install_earlier(
    workspace: Path,
    generated: Mapping[str, bytes | None],
    edits: Mapping[str, bytes | None] | None = None,
    name: str = "Foo",
    **answers: str,
) -> Record:
    """Install an extension whose template differed from today's, and edit it.

    :param generated: What the template generated, where it differs; ``None`` for no such file.
    :param edits: What the owner made of it.
    """
    request = make_request({"name": name, **answers})
    tree = {**render(request, EARLIER_VERSION), **generated}
    files = {path: content for path, content in tree.items() if content is not None}
    requirements = request.integration.requirements(request.answers)
    record = Record(EARLIER_VERSION, request.answers, files, requirements=requirements)
    install(workspace, record, edits)
    return record


def recorded(workspace: Path, name: str = "Foo") -> Record:
    record = read_record(workspace, name)
    assert record
    return record


def update(workspace: Path, *arguments: str | Path) -> Run:
    """Run `q2mfa update Foo` with more *arguments*."""
    return q2mfa("update", "Foo", *arguments, cwd=workspace)


def outcomes(run: Run) -> dict[str, str]:
    """The outcome of each file that a JSON report names."""
    return {file["path"]: file["outcome"] for each in run.json["extensions"] for file in each["files"]}
