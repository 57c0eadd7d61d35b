"""The generated pages and scripts, by the tools that a web developer would use on them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import node
import pytest
import requests
from command import q2mfa
from extension_server import EXTENSION_SERVER

pytestmark = pytest.mark.node

VARIANTS = [(mfa, rendering) for mfa in ("standard", "redirect") for rendering in ("ssr", "csr")]


@pytest.fixture
def public(mfa: str, rendering: str, workspace: Path) -> Path:
    """`frontend/public` of a generated extension."""
    settings = workspace / "configuration" / "settings.py"
    settings.write_text("from q2_sdk.core.default_settings import *\nINSTALLED_EXTENSIONS = []\n")
    run = q2mfa("create", "Foo", "--mfa", mfa, "--rendering", rendering, "--no-input", cwd=workspace)
    assert run.status == 0, run
    return workspace / "Foo" / "frontend" / "public"


@pytest.mark.parametrize(("mfa", "rendering"), VARIANTS)
def test_scripts_parse_and_are_clean(public: Path) -> None:
    scripts = sorted(path.name for path in public.glob("*.js"))
    assert "index.js" in scripts
    for script in scripts:
        done = subprocess.run(
            [node.program("node"), "--check", script], cwd=public, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (
        node.run("eslint", "-c", node.WEB / "eslint.config.mjs", "--max-warnings=0", *scripts, cwd=public)
        == ""
    )


@pytest.mark.parametrize(("mfa", "rendering"), VARIANTS)
def test_the_build_copies_the_pages(public: Path) -> None:
    frontend = public.parent
    assert json.loads((frontend / "package.json").read_text())["private"] is True
    for script in ("lint", "test", "build"):
        done = subprocess.run(
            [node.program("npm"), "run", "--silent", script],
            cwd=frontend,
            env=node.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    built = sorted(path.relative_to(frontend / "dist") for path in (frontend / "dist").rglob("*"))
    assert built == sorted(path.relative_to(public) for path in public.rglob("*"))


@pytest.mark.parametrize(("mfa", "rendering"), VARIANTS)
def test_pages_are_valid_html(public: Path, rendering: str, workspace: Path) -> None:
    if rendering == "ssr":
        (public / "index.html").write_text(_served_page(workspace))
    pages = sorted(path.name for path in public.glob("*.html"))
    assert "index.html" in pages
    assert node.run("html-validate", "-c", node.WEB / "htmlvalidate.json", *pages, cwd=public) == ""


def _served_page(workspace: Path) -> str:
    """The page that a server-side rendered extension answers to a user of whom something is asked."""
    server = subprocess.Popen(
        [sys.executable, EXTENSION_SERVER, str(workspace), "Foo"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        url = json.loads(server.stdout.readline())["url"]
        user = {"mfa_info": {"mfa_context": "<Patrol>", "audit_action_name": 'Change "e-mail" & more'}}
        session = requests.post(f"{url}/_hq/sessions", json=user, timeout=20).json()["session"]
        answer = requests.post(f"{url}/Foo", json={}, headers={"X-Q2-Session": session}, timeout=20)
        assert answer.ok and "Change &#34;e-mail&#34; &amp; more" in answer.text
        return answer.text
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()
