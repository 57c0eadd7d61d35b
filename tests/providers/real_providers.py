"""The providers that the tests run: how each one starts, who its users are, and the page of docs/how-to/identity-providers about it."""

from __future__ import annotations

import ast
import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from providers import certified_provider, glewlwyd, python_provider
from providers.certified_provider import CertifiedProvider
from providers.installation import debian_packages, python_packages
from providers.python_provider import CANAILLE, DJANGO_OAUTH_TOOLKIT, OIDC_PROVIDER_MOCK
from providers.user_agent import UserAgent

PAGES = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "identity-providers"
ADA, MALLORY = "ada", "mallory"


class Provider(Protocol):
    """A running provider."""

    issuer: str

    def register(self, client_id: str, client_secret: str, redirect_uri: str) -> None:
        """Register the client, or replace its registration."""


@dataclass(frozen=True)
class RealProvider:
    """A provider that the tests run.

    :param running: starts it. :param ada: the claim that identifies the user ada.
    :param user: a user's browser. :param asks_again: whether it asks a user with a session to log in.
    """

    name: str
    running: Callable[[], AbstractContextManager[Provider]]
    ada: str = ADA
    user: type[UserAgent] = UserAgent
    asks_again: bool = True

    @property
    def page(self) -> Path:
        return PAGES / f"{self.name}.md"

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of its page, without those that every installation of the provider has its own of."""
        settings = documented_settings(self.page)
        return {name: value for name, value in settings.items() if name not in ("ISSUER", "CLIENT_ID")}


def install() -> None:
    """Install every provider, at the same time. The tests install what is missing as well."""
    jobs = [
        partial(python_packages, CANAILLE[1]),
        partial(python_packages, DJANGO_OAUTH_TOOLKIT[1]),
        partial(python_packages, OIDC_PROVIDER_MOCK[1]),
    ]
    if shutil.which("apt-get"):
        jobs.append(partial(debian_packages, *glewlwyd.PACKAGES))
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()


def documented_settings(page: Path) -> dict[str, Any]:
    """The settings in the Python block of *page*."""
    block = re.search(r"(?ms)^```python\n(.*?)^```$", page.read_text("utf-8"))
    assert block, f"{page.name} has no settings"
    settings = {}
    for line in ast.parse(block[1]).body:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                settings[name] = ast.literal_eval(value)
    return settings


class _Certified:
    """The certified provider under the interface of the others."""

    def __init__(self, provider: CertifiedProvider) -> None:
        self.issuer, self._provider = provider.issuer, provider

    def register(self, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self._provider.set_up(client_id=client_id, client_secret=client_secret, redirect_uris=[redirect_uri])


@contextlib.contextmanager
def _certified() -> Iterator[Provider]:
    with certified_provider.running() as provider:
        yield _Certified(provider)


GLEWLWYD = RealProvider("glewlwyd", glewlwyd.running, user=glewlwyd.GlewlwydUser, asks_again=False)
PROVIDERS = [
    RealProvider("canaille", lambda: python_provider.running(*CANAILLE)),
    RealProvider(
        "django-oauth-toolkit",
        lambda: python_provider.running(*DJANGO_OAUTH_TOOLKIT),
        ada="1",
    ),
    GLEWLWYD,
    RealProvider("oidc-provider", _certified),
    RealProvider("oidc-provider-mock", lambda: python_provider.running(*OIDC_PROVIDER_MOCK)),
]
