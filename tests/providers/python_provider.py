"""OpenID providers from PyPI: the sites beside this file, each in a process and a virtual environment of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import requests

from providers.installation import python_packages
from providers.user_agent import TIMEOUT

SERVE = Path(__file__).with_name("sites") / "serve.py"

# The site, and what to install for it.
CANAILLE = ("canaille_site", "canaille[front,oidc]==0.3.6")
DJANGO_OAUTH_TOOLKIT = ("django_site", "django-oauth-toolkit==3.4.1")
OIDC_PROVIDER_MOCK = ("oidc_provider_mock_site", "oidc-provider-mock==0.3.4")


class PythonProvider:
    """One running provider.

    :param url: where it listens. :param issuer: its issuer identifier.
    """

    def __init__(self, url: str, issuer: str) -> None:
        self.url, self.issuer = url, issuer

    def register(self, client_id: str, client_secret: str, redirect_uri: str) -> None:
        """Register the client, as the provider's administrator does."""
        client = {"client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri}
        answer = requests.put(f"{self.url}/_client", json=client, timeout=TIMEOUT)
        assert answer.ok, answer.text


@contextlib.contextmanager
def running(site: str, requirement: str) -> Iterator[PythonProvider]:
    """Start *site* on *requirement*; it ends with the block, or with this process.

    :raises RuntimeError: it does not start; with what it printed.
    """
    python = python_packages(requirement)
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(
            [python, SERVE, site], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=printed, text=True
        ) as process,
    ):
        assert process.stdin and process.stdout
        try:
            ready = process.stdout.readline()
            if not ready:
                process.wait()
                printed.seek(0)
                raise RuntimeError(f"{site} does not start: {printed.read()}")
            yield PythonProvider(**json.loads(ready))
        finally:
            process.stdin.close()
