"""How an extension of another make is configured with an identity provider, by the names of its settings.

A recorded run begins without a ``prove.py``, which would say it. A wrong guess does not complete MFA, so it is not
written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.prove_script import CALLBACK, ProviderSettings

METADATA = "/.well-known/openid-configuration"

# What a setting holds, by its name: the first that fits.
MEANINGS = (
    (r"REDIRECT|CALLBACK|LOGOUT|SCOPE|METHOD", ""),
    (r"(?:CLIENT|OIDC|OPENID|OAUTH2?|IDP|SSO|PROVIDER)_?SECRET$", "client_secret"),
    (r"CLIENT(?:_?ID)?$", "client_id"),
    (r"AUTHORI[SZ](?:E|ATION)_?(?:URL|URI|ENDPOINT)$", "authorization_endpoint"),
    (r"TOKEN_?(?:URL|URI|ENDPOINT)$", "token_endpoint"),
    (r"JWKS", "jwks_uri"),
    (r"METADATA|DISCOVERY|WELL_?KNOWN", "metadata"),
    (r"ISSUER", "issuer"),
    (r"(?:OIDC|OPENID|OAUTH2?|IDP|SSO|PROVIDER)_?(?:URL|URI|BASE|SERVER)$", "issuer"),
)


@dataclass(frozen=True)
class OwnProvider:
    """The settings of an extension that are the identity provider's.

    :param meanings: by name, what the setting holds: ``metadata``, or an attribute of :class:`ProviderSettings`.
    :param callback: the page of ``frontend/public`` to which the provider sends the customer back.
    """

    meanings: Mapping[str, str]
    callback: str = CALLBACK

    def configuration(self, provider: ProviderSettings) -> dict[str, str]:
        """What the function ``configuration`` of the written script returns."""
        values = {**vars(provider), "metadata": provider.issuer + METADATA}
        return {name: values[meaning] for name, meaning in self.meanings.items()}

    def codes(self) -> dict[str, str]:
        """The code of each value in the function ``configuration``."""
        metadata = f'provider.issuer + "{METADATA}"'
        return {
            name: metadata if meaning == "metadata" else f"provider.{meaning}"
            for name, meaning in self.meanings.items()
        }


def own_provider_of(extension: Extension) -> OwnProvider | None:
    """How *extension* is configured with a provider; None if that is not clear."""
    meanings = {
        name: meaning
        for name, value in vars(extension.configuration).items()
        if name.isupper() and isinstance(value, str | None) and (meaning := _meaning(name))
    }
    found = list(meanings.values())
    callback = _callback_of(extension)
    is_clear = len(found) == len(set(found)) and "client_id" in found
    if not is_clear or callback is None or not {"issuer", "metadata", "authorization_endpoint"} & set(found):
        return None
    return OwnProvider(meanings, callback)


def _meaning(name: str) -> str:
    return next((meaning for pattern, meaning in MEANINGS if re.search(pattern, name)), "")


def _callback_of(extension: Extension) -> str | None:
    """The page that the extension's code names and that its outlet does not open; None if there is not exactly one."""
    pages = {
        page.relative_to(extension.assets).as_posix()
        for page in extension.assets.rglob("*.html")
        if page.relative_to(extension.assets).as_posix() != extension.page.removeprefix("{BASE_URL}/")
    }
    sources = [file.read_text("utf-8", "replace") for file in extension.folder.glob("**/*.py")]
    named = {page for page in pages if any(f"/{page}" in text or f'"{page}"' in text for text in sources)}
    candidates = named or pages
    return candidates.pop() if len(candidates) == 1 else None
