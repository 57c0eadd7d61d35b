"""How the workspace's own files change when extensions are added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from q2mfa_cli.request import ExtensionRequest
from q2mfa_cli.workspace import dependencies, requirements_file, settings_file
from q2mfa_cli.workspace.find import REQUIREMENTS, SETTINGS, Workspace

NO_WORKSPACE = f"this folder has no {SETTINGS}, so it is not a Q2 SDK workspace"


@dataclass
class Registration:
    """The changes to the workspace's own files, and the remaining manual steps.

    :param edits: The new content of each file that changes, by path.
    :param touched: The paths of the files that are edited for an extension, by its name.
    :param steps: The manual steps. Each is a sentence, or a phrase, a colon and a command.
    :param install: The command that installs the requirements; ``""`` if a manual step installs them.
    """

    edits: dict[str, bytes] = field(default_factory=dict)
    touched: dict[str, list[str]] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    install: str = f"pip install -r {REQUIREMENTS}"

    def edit(self, path: str, content: bytes, names: Sequence[str]) -> None:
        """Change *path* for the extensions *names*."""
        self.edits[path] = content
        for name in names:
            touched = self.touched.setdefault(name, [])
            touched += [] if path in touched else [path]


def plan_registration(
    workspace: Workspace, requests: Sequence[ExtensionRequest], edit_settings: bool
) -> Registration:
    """Return the changes to the workspace's own files that the extensions in *requests* need.

    :param edit_settings: Edit ``configuration/settings.py``. Otherwise, a manual step has the lines to add.
    """
    result = Registration()
    names = {request.name: [request.name] for request in requests}
    hosts = {request.name: request.integration.outbound_hosts(request.answers) for request in requests}
    _register(workspace, names, hosts, edit_settings, result)
    wanted: dict[str, list[str]] = {}
    for request in requests:
        for requirement in request.integration.requirements(request.answers):
            wanted.setdefault(requirement, []).append(request.name)
    _require(workspace, wanted, result)
    return result


@dataclass(frozen=True, slots=True)
class Renewal:
    """The entries that an extension needs in the workspace's own files after an update.

    :param hosts: The hosts that the earlier version did not need.
    :param requirements: All requirements of the extension.
    :param added_before: The lines that q2mfa added to ``requirements.txt`` for the earlier version.
    """

    name: str
    hosts: Sequence[str]
    requirements: Sequence[str]
    added_before: Sequence[str]


def plan_renewal(workspace: Workspace, renewals: Sequence[Renewal]) -> Registration:
    """Return the changes to the workspace's own files when extensions are updated.

    Requirements that q2mfa added for the earlier version get the new lower bound. ``INSTALLED_EXTENSIONS`` does not change,
    because the owner may have removed the extension from it.
    """
    result = Registration()
    _register(workspace, {}, {each.name: each.hosts for each in renewals}, True, result)
    wanted: dict[str, list[str]] = {}
    raised = workspace.requirements
    for each in renewals:
        for requirement in each.requirements:
            wanted.setdefault(requirement, []).append(each.name)
            for earlier in each.added_before:
                if raised is not None and requirements_file.project(earlier) == requirements_file.project(
                    requirement
                ):
                    raised = requirements_file.replaced(raised, earlier, requirement)
    _require(replace(workspace, requirements=raised), wanted, result)
    if raised is not None and raised != workspace.requirements and REQUIREMENTS not in result.edits:
        result.edit(REQUIREMENTS, raised, [each.name for each in renewals])
    return result


def _register(
    workspace: Workspace,
    names: Mapping[str, Sequence[str]],
    hosts: Mapping[str, Sequence[str]],
    edit_settings: bool,
    result: Registration,
) -> None:
    """Add *names* and *hosts* to their lists in settings.py. If one list cannot be edited, the other one still is."""
    lists = (
        (settings_file.INSTALLED, names, settings_file.installed_names, settings_file.register),
        (settings_file.WHITELIST, hosts, settings_file.whitelisted_hosts, settings_file.whitelist),
    )
    left: dict[str, list[str]] = {}  # the lines to add manually, by the reason
    content = workspace.settings
    for variable, by_name, present_in, add in lists:
        wanted = list(dict.fromkeys(entry for each in by_name.values() for entry in each))
        if not wanted:
            continue
        try:
            if content is None:
                raise settings_file.NotEditable(NO_WORKSPACE)
            present = present_in(content)
            wanted = [entry for entry in wanted if entry not in present]
            if not wanted:
                continue
            if not edit_settings:
                raise settings_file.NotEditable("--no-register")
            content = add(content, wanted)
        except settings_file.NotEditable as error:
            left.setdefault(str(error), []).extend(f'{variable}.append("{entry}")' for entry in wanted)
        else:
            changed = [name for name, own in by_name.items() if not set(wanted).isdisjoint(own)]
            result.edit(SETTINGS, content, changed)
    for reason, lines in left.items():
        alone = reason if workspace.settings is None else f"{SETTINGS} was not changed: {reason}"
        result.steps.append(f"Add to {SETTINGS} ({alone}): {'; '.join(lines)}")


def _require(workspace: Workspace, wanted: Mapping[str, Sequence[str]], result: Registration) -> None:
    """Add requirements to ``requirements.txt``, or add the manual steps that do so.

    :param wanted: The names of the extensions that need a requirement, by requirement.
    """
    if not workspace.is_q2:
        result.steps += [f"Add to {REQUIREMENTS} ({NO_WORKSPACE}): {'; '.join(wanted)}"] if wanted else []
        return
    before = workspace.requirements
    projects = {requirements_file.project(requirement) for requirement in wanted}
    source = dependencies.source(workspace.root, projects)
    if before is None and source:
        result.install = ""
        for requirement, names in wanted.items():
            if found := dependencies.conflict(source.entries, requirement):
                result.steps.append(_change(found, requirement, names))
            elif not dependencies.is_met(source.entries, requirement):
                result.steps.append(source.step(requirement))
        return
    declared = requirements_file.declarations(workspace.root, REQUIREMENTS, before or b"", projects)
    content = before or b""
    generator = requirements_file.generator(content)
    for requirement, names in wanted.items():
        found = dependencies.conflict(declared.entries, requirement)
        if not found and dependencies.is_met(declared.entries, requirement):
            continue
        if generator:
            result.steps.append(_regenerate(generator, source, found, requirement))
        elif found:
            result.steps.append(_change(found, requirement, names))
        elif declared.hashed:
            result.steps.append(_add_hashed(requirement, source))
        elif not requirements_file.is_editable(content):
            result.steps.append(f"Add to {REQUIREMENTS} (it is not UTF-8 text): {requirement}")
        else:
            content = requirements_file.add(content, requirement)
            result.edit(REQUIREMENTS, content, names)


def _change(found: dependencies.Conflict, requirement: str, names: Sequence[str]) -> str:
    why = f" ({found.why})" if found.why else ""
    need = {1: f"{names[0]} needs", 2: f"{' and '.join(names[:2])} need"}
    who = need.get(len(names), f"{names[0]} and {len(names) - 1} others need")
    return f"Change {found.declared.text} in {found.declared.where}{why}: {who} {requirement}"


def _regenerate(
    generator: requirements_file.Generator,
    source: dependencies.Source | None,
    found: dependencies.Conflict | None,
    requirement: str,
) -> str:
    command = generator.command
    if source and source.path == generator.source and dependencies.is_met(source.entries, requirement):
        again = f": {command}" if command else ""
        return f"Generate {REQUIREMENTS} again, because {requirement} is in {source.path} only{again}"
    place = generator.source or f"the file that {REQUIREMENTS} is generated from"
    now = f" ({found.declared.where}, has {found.declared.text})" if found else ""
    then = f", then run: {command}" if command else ", and generate it again"
    return f"Add {requirement} to {place}{now}{then}"


def _add_hashed(requirement: str, source: dependencies.Source | None) -> str:
    if source and source.path == dependencies.SOURCE:
        return f"Add {requirement} to {source.path}, then run: pip-compile --generate-hashes {dependencies.SOURCE}"
    if source:
        return f"{source.step(requirement)}; then export {REQUIREMENTS} again, with hashes"
    return (
        f"Add {requirement} and what it needs to {REQUIREMENTS}, each as NAME==VERSION --hash=…, because pip requires "
        f'a hash on every line: pip download -d wheels "{requirement}", then pip hash wheels/*'
    )
