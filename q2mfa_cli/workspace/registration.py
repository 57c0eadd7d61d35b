"""How the workspace's own files change when extensions join it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from q2mfa_cli.request import ExtensionRequest
from q2mfa_cli.workspace import settings_file
from q2mfa_cli.workspace.find import REQUIREMENTS, SETTINGS, Workspace
from q2mfa_cli.workspace.requirements_file import is_editable, require


@dataclass
class Registration:
    """What changes in the workspace's own files, and what is left for a person to do.

    :param edits: New content by path, only of files that change.
    :param touched: By extension name: the paths edited for it.
    :param manual: By path: the lines that a person has to add.
    :param reason: Why the files in ``manual`` are not edited, by path.
    """

    edits: dict[str, bytes] = field(default_factory=dict)
    touched: dict[str, list[str]] = field(default_factory=dict)
    manual: dict[str, list[str]] = field(default_factory=dict)
    reason: dict[str, str] = field(default_factory=dict)


def registration(
    workspace: Workspace, requests: Sequence[ExtensionRequest], edit_settings: bool
) -> Registration:
    """Return what changes in the workspace's own files when the extensions of *requests* join it."""
    result = Registration()
    _register(workspace, requests, edit_settings, result)
    _require(workspace, requests, result)
    return result


def _register(
    workspace: Workspace, requests: Sequence[ExtensionRequest], edit_settings: bool, result: Registration
) -> None:
    settings = workspace.settings
    hosts = {request.name: request.integration.outbound_hosts(request.answers) for request in requests}
    all_hosts = list(dict.fromkeys(host for each in hosts.values() for host in each))
    lines = [f'INSTALLED_EXTENSIONS.append("{request.name}")' for request in requests]
    lines += [f'OUTBOUND_WHITELIST.append("{host}")' for host in all_hosts]
    if settings is None:
        result.manual[SETTINGS] = lines
        result.reason[SETTINGS] = _no_workspace()
        return
    try:
        present = {*settings_file.installed_names(settings)}
        allowed = {*settings_file.whitelisted_hosts(settings)}
        changing = [
            request
            for request in requests
            if request.name not in present or not allowed.issuperset(hosts[request.name])
        ]
        if not edit_settings and changing:
            raise settings_file.NotEditable("--no-register")
        edited = settings_file.register(settings, [request.name for request in requests])
        edited = settings_file.whitelist(edited, all_hosts)
    except settings_file.NotEditable as error:
        result.manual[SETTINGS] = lines
        result.reason[SETTINGS] = f"{SETTINGS} was left alone: {error}"
        return
    if edited != settings:
        result.edits[SETTINGS] = edited
        for request in changing:
            result.touched.setdefault(request.name, []).append(SETTINGS)


def _require(workspace: Workspace, requests: Sequence[ExtensionRequest], result: Registration) -> None:
    before = workspace.requirements or b""
    if not workspace.is_q2 or not is_editable(before):
        wanted = [line for request in requests for line in request.integration.requirements(request.answers)]
        result.manual[REQUIREMENTS] = list(dict.fromkeys(wanted))
        result.reason[REQUIREMENTS] = (
            _no_workspace() if not workspace.is_q2 else f"{REQUIREMENTS} cannot be edited"
        )
        return
    content = before
    for request in requests:
        for requirement in request.integration.requirements(request.answers):
            edited = require(content, requirement)
            if edited != content:
                content = edited
                result.touched.setdefault(request.name, []).append(REQUIREMENTS)
    if content != before:
        result.edits[REQUIREMENTS] = content


def _no_workspace() -> str:
    return f"this folder has no {SETTINGS}, so it is no Q2 SDK workspace"
