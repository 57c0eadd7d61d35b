"""The screenshots of the README: `make screenshots`, or ``PYTHONPATH=tests python docs/screenshots.py [DIR]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import chromium
from banking_page import BankingPage
from playwright.sync_api import Browser, sync_playwright
from preview_process import create_variant, make_workspace, start_preview

NAME = "StandardSsr"


def take(browser: Browser, url: str, scheme: str, file: Path) -> None:
    """Take a picture of a payment that the customer has approved."""
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce", device_scale_factor=1.5)
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 1000})
    banking = BankingPage(page, url)
    banking.start("Approve a transaction")
    banking.verify()
    banking.expect_outcome("complete")
    page.screenshot(path=file, full_page=True)
    context.close()


def main(folder: Path) -> None:
    """Write ``preview-light.png`` and ``preview-dark.png`` to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        workspace = make_workspace(Path(temporary) / "workspace")
        create_variant(workspace, NAME)
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=chromium.FLAGS)
        with start_preview(workspace, NAME) as preview:
            for scheme in ("light", "dark"):
                take(browser, preview.url, scheme, folder / f"preview-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images")
