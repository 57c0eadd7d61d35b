"""The source of UUX's page in the preview."""

from __future__ import annotations

import re
from pathlib import Path

from q2mfa_cli.platform import preview

STATIC = Path(preview.__file__).parent / "static"


def test_page_preloads_each_module_of_its_script() -> None:
    """Otherwise the browser finds them one request later: the page starts 0.15 s later."""
    page, script = ((STATIC / name).read_text("utf-8") for name in ("uux.html", "uux.js"))
    preloaded = re.findall(r'<link rel="modulepreload" href="/([\w-]+\.js)">', page)
    assert sorted(preloaded) == sorted(re.findall(r' from "\./([\w-]+\.js)";', script))
