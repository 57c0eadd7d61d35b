"""What a contributor relies on: workflows that parse, commands that exist, a lock that is current."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import check_jsonschema
import matrix
import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from q2mfa_cli import toml
from q2mfa_cli.cli import main

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
PROJECT = toml.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = {file.name: yaml.safe_load(file.read_text("utf-8")) for file in GITHUB.glob("workflows/*.yml")}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", "workflows/*.yml"),
        ("custom.github-workflows-require-timeout", "workflows/*.yml"),
        ("vendor.dependabot", "dependabot.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
    ],
)
def test_github_files_match_their_schema(schema: str, files: str) -> None:
    found = [str(file) for file in GITHUB.glob(files)]
    done = CliRunner().invoke(check_jsonschema.main, ["--builtin-schema", schema, *found])
    assert found and done.exit_code == 0, done.output


def test_zizmor_finds_nothing_in_the_github_files() -> None:
    command = [Path(sys.executable).parent / "zizmor", "--offline", "--no-progress", GITHUB]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workflows_run_commands_that_exist() -> None:
    steps = [
        step for workflow in WORKFLOWS.values() for job in workflow["jobs"].values() for step in job["steps"]
    ]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert (
        set(re.findall(r"(?m)^q2mfa (\w+)", commands)) == {"create", "test", "preview"} <= set(main.commands)
    )
    assert ".ci/run" in commands and os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "build/wheel/bin/python -m build" in commands and "-m venv build/wheel\n" in MAKEFILE


def test_publishing_needs_a_tag_and_no_stored_secret() -> None:
    text = (GITHUB / "workflows" / "publish.yml").read_text("utf-8")
    # YAML 1.1 reads the key `on` as true.
    assert WORKFLOWS["publish.yml"][True] == {"push": {"tags": ["v*"]}}
    assert WORKFLOWS["publish.yml"]["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "secrets." not in text and "password" not in text


def test_every_supported_python_is_tested() -> None:
    prefix = "Programming Language :: Python :: "
    supported = [text.removeprefix(prefix) for text in PROJECT["classifiers"] if text.startswith(prefix)]
    assert WORKFLOWS["tests.yml"]["jobs"]["unit"]["strategy"]["matrix"]["python"] == supported
    assert [*matrix.VERSIONS, "3.14"] == supported


def test_matrix_reports_a_missing_python(capfd: pytest.CaptureFixture[str]) -> None:
    assert matrix.main(["3.0"]) == 1
    assert capfd.readouterr().out == "3.0: missing. Install it, for example with `pyenv install 3.0`.\n"


def test_contributing_lists_five_existing_make_targets() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.partition("## Five commands\n")[2].partition("\n## ")[0]
    commands = re.findall(r"(?m)^\| `make (\w+)` \|", table)
    assert len(commands) == 5
    assert [command for command in commands if not re.search(rf"(?m)^{command}:", MAKEFILE)] == []


def test_pre_commit_runs_tools_of_the_development_dependencies() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    tools = {hook["entry"].split()[0] for hook in hooks}
    names = {canonicalize_name(Requirement(text).name) for text in PROJECT["optional-dependencies"]["dev"]}
    assert tools == {f".venv/bin/{name}" for name in ("ruff", "mypy", "zizmor")}
    assert {Path(tool).name for tool in tools} <= names


def test_lock_file_has_a_fitting_version_of_every_dependency() -> None:
    locked: dict[str, list[str]] = {}
    for line in (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            requirement = Requirement(line)
            version = next(iter(requirement.specifier)).version
            locked.setdefault(canonicalize_name(requirement.name), []).append(version)
    wanted = [*PROJECT["dependencies"]]
    for extra in ("sandbox", "docs", "dev"):
        wanted += PROJECT["optional-dependencies"][extra]
    stale = [
        text
        for text in wanted
        if (needed := Requirement(text)).name != PROJECT["name"]
        and not any(
            needed.specifier.contains(version) for version in locked.get(canonicalize_name(needed.name), [])
        )
    ]
    assert stale == [], "Run `make lock`."
