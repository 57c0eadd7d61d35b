"""`q2mfa preview` in a process of its own, over a workspace that has every variant."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from command import q2mfa

VARIANTS = ["StandardSsr", "StandardCsr", "RedirectSsr", "RedirectCsr"]
STANDARD, REDIRECT = VARIANTS[:2], VARIANTS[2:]
SSR = ["StandardSsr", "RedirectSsr"]

# A shell's background job ignores SIGINT, and child processes inherit that. PreviewProcess.interrupt() needs the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def create_variant(workspace: Path, name: str, *options: str) -> None:
    """Create one of :data:`VARIANTS` with the command."""
    mfa, rendering = re.findall("[A-Z][a-z]+", name)[:2]
    wanted = ["--mfa", mfa.lower(), "--rendering", rendering.lower(), "--no-input"]
    run = q2mfa("create", name, *wanted, *options, cwd=workspace)
    assert run.status == 0, run


def make_workspace(root: Path) -> Path:
    (root / "configuration").mkdir(parents=True)
    (root / "configuration" / "__init__.py").write_bytes(b"")
    settings = "from q2_sdk.core.default_settings import *\n\nINSTALLED_EXTENSIONS = []\n"
    (root / "configuration" / "settings.py").write_text(settings)
    return root


@dataclass
class PreviewProcess:
    """One preview.

    :param output: what it printed before it was ready.
    """

    url: str
    process: subprocess.Popen[str]
    output: str

    def platform(self) -> Any:
        return requests.get(f"{self.url}/api/platform", timeout=10).json()

    def call(self, path: str, body: Any, method: str = "POST", **headers: str) -> requests.Response:
        """Send what UUX's page sends."""
        headers = {"Origin": self.url, **headers}
        return requests.request(method, f"{self.url}/api/{path}", json=body, headers=headers, timeout=20)

    def challenge(self, workflow: str = "login", **mfa_info: Any) -> str:
        answer = self.call("challenges", {"workflow": workflow, "mfa_info": mfa_info})
        assert answer.ok, answer.text
        return str(answer.json()["id"])

    def interrupt(self) -> tuple[int, str, str]:
        """Press Ctrl-C. :returns: the exit status, and the rest of its standard output and standard error."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@contextlib.contextmanager
def start_preview(
    workspace: Path, name: str, *options: str, env: dict[str, str] | None = None
) -> Iterator[PreviewProcess]:
    """Run a preview on free ports until the block ends."""
    given = [
        "-o",
        str(workspace),
        "--no-browser",
        *(options if "--port" in options else ("--port", "0", *options)),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "q2mfa_cli", "preview", name, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=workspace,  # not the checkout, which Python would find before what is installed
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        while not lines or lines[-1] not in ("", "Ctrl-C stops it.\n"):
            lines.append(process.stdout.readline())
        address = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
        assert address, process.communicate(timeout=20)[1]
        yield PreviewProcess(address[0], process, "".join(lines))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with every variant. Do not change it."""
    workspace = make_workspace(tmp_path_factory.mktemp("variants"))
    for name in VARIANTS:
        create_variant(workspace, name)
    return workspace


@pytest.fixture(scope="session")
def preview_of(variants: Path) -> Iterator[Callable[[str], PreviewProcess]]:
    """The preview of a variant. It starts at the first call and runs until the session ends."""
    with contextlib.ExitStack() as stack:
        started: dict[str, PreviewProcess] = {}

        def get(name: str) -> PreviewProcess:
            if name not in started:
                started[name] = stack.enter_context(start_preview(variants, name))
            return started[name]

        yield get
