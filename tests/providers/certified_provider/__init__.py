"""The npm package `oidc-provider`, the OpenID-certified one, running on loopback for the tests."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import node
import requests

SCRIPT = Path(__file__).with_name("provider.mjs")


class CertifiedProvider:
    """One running provider.

    :param issuer: where it listens, which is its issuer identifier as well.
    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def set_up(self, **options: Any) -> None:
        """Change its options (see DEFAULTS in provider.mjs). Sessions, grants and codes stay."""
        answer = requests.put(f"{self.issuer}/_control", json=options, timeout=10)
        assert answer.ok, answer.text

    @property
    def asked(self) -> list[str]:
        """The requests since :meth:`set_up`, such as `POST /token`."""
        asked: list[str] = requests.get(f"{self.issuer}/_asked", timeout=10).json()
        return asked


@contextlib.contextmanager
def running(**options: Any) -> Iterator[CertifiedProvider]:
    """Start the provider with *options* (see DEFAULTS in provider.mjs); it ends with the block, or with this process.

    :raises RuntimeError: it does not start; with what it said.
    """
    node.install()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            [node.program("node"), str(SCRIPT), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as process,
    ):
        assert process.stdin and process.stdout
        try:
            ready = process.stdout.readline()
            if not ready:
                process.wait()
                said.seek(0)
                raise RuntimeError(f"the provider does not start: {said.read()}")
            yield CertifiedProvider(json.loads(ready)["issuer"])
        finally:
            process.stdin.close()
