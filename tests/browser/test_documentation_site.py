"""The documentation site: `mkdocs build --strict`, and what a reader without a network sees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does. A warning, such as a broken link, is an error."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_site_works_from_its_folder_without_a_network(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto((site / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").click()
    page.keyboard.type("outlet")
    expect(page.locator(".md-search-result__link").first).to_be_visible()
    page.goto((site / "reference" / "cli.html").as_uri())
    expect(page.get_by_role("heading", name="q2mfa create")).to_be_visible()
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()
