"""``prove.py`` of a hand-written extension, which does what its page and its customer do.

::

    async def prove(ask, phone, mfa_info):
        await ask("send", {})
        return {"route": "check", "body": {"code": phone.messages[-1]["text"][-6:]}}

For an extension that redirects to an identity provider, it also returns the configuration for a given provider::

    CALLBACK = "back.html"  # the page in frontend/public that the provider redirects to; by default verify.html

    def configuration(provider):
        return {"OIDC_URL": provider.issuer, "OIDC_CLIENT": provider.client_id, "OIDC_SECRET": provider.client_secret}

    async def prove(ask, phone, mfa_info):
        started = await ask("leave")
        return {"route": "came_back", "body": await phone.log_in(started["url"])}

For the checks that need a browser, it says what the customer does in the page. ``page`` is Playwright's ``Frame`` of the outlet::

    async def use_page(page, phone):
        await page.get_by_label("Code").fill(phone.code())
        await page.get_by_role("button", name="Confirm").click()
"""

from __future__ import annotations

import contextlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from q2mfa_cli.platform.failures import failure_of
from q2mfa_cli.platform.preview.extension import Extension

CALLBACK = "verify.html"


class ProveScriptError(Exception):
    """``prove.py`` cannot be used. The message says why, and where."""


@dataclass(frozen=True)
class ProviderSettings:
    """The identity provider that ``configuration(provider)`` receives."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    client_id: str
    client_secret: str


def settings_of(metadata: dict[str, Any], client_id: str, client_secret: str) -> ProviderSettings:
    """Return the settings of the provider with that *metadata*."""
    issuer, endpoints = metadata["issuer"], (metadata["authorization_endpoint"], metadata["token_endpoint"])
    return ProviderSettings(issuer, *endpoints, metadata["jwks_uri"], client_id, client_secret)


def script_of(extension: Extension) -> Path:
    return extension.folder / "tests" / "prove.py"


def load(extension: Extension) -> ModuleType:
    """Import the extension's ``prove.py``.

    :raises ProveScriptError: it cannot be imported.
    """
    script = script_of(extension)
    specification = importlib.util.spec_from_file_location(f"{extension.module}.tests.prove", script)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ProveScriptError(str(failure_of(error, extension.workspace, "import"))) from error
    return module


def redirects(extension: Extension) -> bool:
    """Whether ``prove.py`` has ``configuration``. False if its import fails."""
    with contextlib.suppress(ProveScriptError):
        return script_of(extension).is_file() and hasattr(load(extension), "configuration")
    return False


def callback_of(extension: Extension) -> str:
    """Return the page of ``frontend/public`` that the provider redirects to."""
    return str(getattr(load(extension), "CALLBACK", CALLBACK)) if redirects(extension) else CALLBACK


def configuration_of(extension: Extension, provider: ProviderSettings) -> dict[str, Any]:
    """Return the values of the extension's configuration for *provider*, from ``prove.py``.

    :raises ProveScriptError: ``configuration`` raises an error, or returns something else.
    """
    try:
        return dict(load(extension).configuration(provider))
    except ProveScriptError:
        raise
    except Exception as error:  # the developer's code may raise anything
        raise ProveScriptError(str(failure_of(error, extension.workspace, "configuration"))) from error
