"""The pages about providers, and the README of this folder, match the tests and the generated extension."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from providers import python_provider
from providers.real_providers import PAGES, PROVIDERS, documented_settings

INDEX = PAGES / "index.md"
GENERATED = PAGES.parents[2] / "tests" / "snapshots" / "redirect-ssr"
ALL_PAGES = sorted(set(PAGES.glob("*.md")) - {INDEX})
ROW = re.compile(r"(?m)^\| \[(.+?)\]\((.+?)\).* \| (run|documented only)")


def title(page: Path) -> str:
    return page.read_text("utf-8").partition("\n")[0].removeprefix("# ").removeprefix("Microsoft ")


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.stem)
def test_provider_page_says_whether_the_tests_run_the_provider(page: Path) -> None:
    status = re.findall(r"(?m)^\*\*(Run|Documented only)\.\*\*", page.read_text("utf-8"))
    assert status == (["Run"] if page in [real.page for real in PROVIDERS] else ["Documented only"])


def test_provider_index_lists_every_page_with_its_status() -> None:
    runs = {real.page.name for real in PROVIDERS}
    listed = {page: status for _, page, status in ROW.findall(INDEX.read_text("utf-8"))}
    assert listed == {page.name: "run" if page.name in runs else "documented only" for page in ALL_PAGES}


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.stem)
def test_settings_on_a_provider_page_exist_in_the_generated_configuration(page: Path) -> None:
    configuration = (GENERATED / "configuration" / "MyExternalMFA.py").read_text("utf-8")
    settings = documented_settings(page)
    assert {"ISSUER", "CLIENT_ID"} <= settings.keys()
    assert [name for name in settings if not re.search(rf"(?m)^{name} = ", configuration)] == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.stem)
def test_generated_readme_has_a_row_for_the_provider(page: Path) -> None:
    readme = (GENERATED / "MyExternalMFA" / "README.md").read_text("utf-8")
    assert re.search(rf"(?m)^\| (Microsoft )?{re.escape(title(page))} \| ", readme)


@pytest.mark.parametrize(
    "requirement",
    [
        python_provider.CANAILLE[1],
        python_provider.DJANGO_OAUTH_TOOLKIT[1],
        python_provider.OIDC_PROVIDER_MOCK[1],
    ],
)
def test_documents_name_the_tested_provider_version(requirement: str) -> None:
    package, _, version = re.sub(r"\[.*\]", "", requirement).partition("==")
    readme = (GENERATED / "MyExternalMFA" / "README.md").read_text("utf-8")
    page = (PAGES / f"{package}.md").read_text("utf-8")
    assert re.search(rf"(?i){package} {re.escape(version)} from PyPI", page)
    assert re.search(rf"(?i)\| {package} \| {re.escape(version)} \|", readme)


@pytest.mark.node
def test_readme_command_starts_the_certified_provider() -> None:
    folder = Path(__file__).parent
    command = "PYTHONPATH=tests .venv/bin/python -m providers.certified_provider --redirect-uri"
    assert command in (folder / "README.md").read_text("utf-8")
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "providers.certified_provider",
            "--par",
            "required",
            "--redirect-uri",
            "http://127.0.0.1:1/",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folder.parent)},
    ) as process:
        assert process.stdin and process.stdout
        issuer = process.stdout.readline().split()[1]
        metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait() == 0
    assert metadata["issuer"] == issuer
    assert metadata["require_pushed_authorization_requests"] is True
