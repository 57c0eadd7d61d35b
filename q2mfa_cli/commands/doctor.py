"""``q2mfa doctor``: check that this machine and the workspace have everything that the commands need."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from q2mfa_cli import __version__
from q2mfa_cli.commands import preview, provider, verify
from q2mfa_cli.errors import REPORT_FORMAT, Q2mfaError
from q2mfa_cli.integrations import INTEGRATIONS, PLACEHOLDER_ISSUER, REDIRECT
from q2mfa_cli.platform import FAKE_SDK_MODULES
from q2mfa_cli.request import make_request
from q2mfa_cli.workspace.find import SETTINGS, Workspace, read_workspace
from q2mfa_cli.workspace.registration import plan_registration

OK, NOTE, PROBLEM = "ok", "note", "problem"
MARKS = {OK: ("ok", "green"), NOTE: ("note", "yellow"), PROBLEM: ("problem", "red")}
INSTALL = 'Install it: pip install "q2mfa-cli[sandbox]"'
SDK = "q2_sdk"


@dataclass(frozen=True)
class Check:
    """The result of one check.

    :param status: ``ok``; ``note`` if all commands work, but the user may have to do something; ``problem`` if a command
        does not work.
    :param hint: What to do; empty if nothing.
    """

    name: str
    status: str
    message: str
    hint: str = ""


def examine(root: Path) -> list[Check]:
    """Check Python, the workspace at *root*, and the programs that the commands use. This writes nothing."""
    return [check(root) for check in CHECKS]


def has_problem(checks: list[Check]) -> bool:
    return any(check.status == PROBLEM for check in checks)


def as_json(checks: list[Check]) -> str:
    """Return the object that ``docs/doctor-report.schema.json`` describes, on one line."""
    status = PROBLEM if has_problem(checks) else OK
    return json.dumps(
        {"format": REPORT_FORMAT, "status": status, "checks": [asdict(check) for check in checks]}
    )


def as_text(checks: list[Check]) -> str:
    """Return the checks for a person, styled for a terminal."""
    lines = []
    for check in checks:
        word, color = MARKS[check.status]
        lines.append(f"{click.style(f'{word:<8}', fg=color)}{check.name:<11}{check.message}")
        lines += [" " * 19 + check.hint] if check.hint else []
    return "\n".join(lines)


def _python(root: Path) -> Check:
    return Check("python", OK, f"{platform.python_version()} ({sys.executable}), q2mfa {__version__}")


def _sdk(root: Path) -> Check:
    missing = _missing(FAKE_SDK_MODULES)
    if importlib.util.find_spec(SDK):
        try:
            version = importlib.metadata.version("q2-sdk")
        except importlib.metadata.PackageNotFoundError:
            version = "of unknown version"
        return Check(
            "sdk", OK, f"q2-sdk {version}: `test` uses it; `preview` does not run if it is installed"
        )
    if missing:
        return Check(
            "sdk",
            PROBLEM,
            f"q2-sdk is not installed, and q2mfa's fake of it needs {', '.join(missing)}",
            INSTALL,
        )
    return Check("sdk", OK, "q2-sdk is not installed, so `test` and `preview` use q2mfa's fake of it")


def _packages(root: Path) -> Check:
    of_extensions = (module for each in INTEGRATIONS for module in each.modules)
    modules = dict.fromkeys([*preview.NEEDED, *provider.NEEDED, *verify.NEEDED, "pytest", *of_extensions])
    commands = "`test`, `preview`, `verify` and `provider`"
    if missing := _missing(modules):
        return Check("packages", PROBLEM, f"{commands} need {', '.join(missing)}", INSTALL)
    return Check("packages", OK, f"everything that {commands} need is installed")


def _scripts(root: Path) -> Check:
    if _missing(["tree_sitter"]):
        skipped = "without tree-sitter, `verify` skips the checks of a page's scripts"
        return Check("scripts", NOTE, skipped, 'Install it: pip install "q2mfa-cli[verify]"')
    return Check("scripts", OK, "`verify` can read a page's scripts")


def _workspace(root: Path) -> Check:
    workspace = _read(root)
    if isinstance(workspace, Check):
        return workspace
    if not workspace.is_q2:
        return Check(
            "workspace",
            PROBLEM,
            f"{workspace.root} has no {SETTINGS}, and neither does a parent folder",
            "Go to a Q2 SDK workspace, or pass it with -o.",
        )
    if not os.access(workspace.root, os.W_OK):
        return Check("workspace", PROBLEM, f"{workspace.root} cannot be written to", "Check its permissions.")
    return Check("workspace", OK, str(workspace.root))


def _edits(root: Path) -> Check:
    workspace = _read(root)
    if isinstance(workspace, Check) or not workspace.is_q2:
        return Check("edits", NOTE, "without a workspace, `create` prints the lines to add")
    # An extension that needs all kinds of edits.
    answers = {"name": "Q2mfaDoctor", "mfa": REDIRECT.id, "issuer": f"{PLACEHOLDER_ISSUER}/doctor"}
    registration = plan_registration(workspace, [make_request(answers)], True)
    if registration.steps:
        why = "`create` works, and prints these steps."
        return Check("edits", NOTE, "; ".join(registration.steps), why)
    return Check("edits", OK, f"`create` can edit {' and '.join(sorted(registration.edits))}")


def _node(root: Path) -> Check:
    node = shutil.which("node")
    if not node:
        return Check("node", NOTE, "not found", "Install it to lint and build an extension's frontend.")
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return Check("node", OK, f"{done.stdout.strip()} ({node})")


def _browser(root: Path) -> Check:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return Check("browser", NOTE, "`preview` found none to open", "Open the URL that `preview` prints.")
    return Check("browser", OK, "`preview` can open one")


CHECKS: tuple[Callable[[Path], Check], ...] = (
    _python,
    _sdk,
    _packages,
    _scripts,
    _workspace,
    _edits,
    _node,
    _browser,
)


def _read(root: Path) -> Workspace | Check:
    try:
        return read_workspace(root)
    except Q2mfaError as error:
        return Check("workspace", PROBLEM, error.message, error.hint)


def _missing(modules: Iterable[str]) -> list[str]:
    return [module for module in modules if importlib.util.find_spec(module) is None]
