"""The identity provider of a redirect extension in the preview: the embedded one or a real one."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import ECKey

from q2mfa_cli.errors import Q2mfaError, shown
from q2mfa_cli.integrations import REDIRECT
from q2mfa_cli.platform.events import Events
from q2mfa_cli.platform.idp import IdentityProvider
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview import prove_script
from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.own_provider import OwnProvider

EMBEDDED_CLIENT_ID = "q2mfa-preview"

# A little longer than an extension's TIMEOUT_SECONDS.
SLOW_SECONDS = 12.0


class Provider:
    """The provider that the customer is redirected to.

    :ivar frames: CSP sources, besides the extension, that the outlet may show.
    :ivar notes: the changes for this run, one sentence each.
    :ivar embedded: the embedded provider, which has switches; None for a real one.
    """

    frames: list[str]
    notes: list[str]
    embedded: IdentityProvider | None = None

    def __init__(self, extension: Extension, issuer: str, overrides: Mapping[str, Any]) -> None:
        self.extension, self.issuer, self.overrides = extension, issuer, dict(overrides)

    @property
    def host(self) -> str:
        return urlsplit(self.issuer).hostname or ""

    def configure(self, platform: Platform) -> None:
        """Set the extension's configuration for this provider, in memory only."""
        platform.overrides = self.overrides
        platform.allowed_hosts.add(self.host)
        platform.provider = self.embedded.host if self.embedded else ""


def has_fapi2_profile(extension: Extension) -> bool:
    return getattr(extension.configuration, "PROFILE", "") == "fapi2"


def private_key_for(extension: Extension) -> ECKey | None:
    """Return a new private key for the client; None if the extension authenticates without one."""
    method = getattr(extension.configuration, "CLIENT_AUTH_METHOD", "")
    if method != "private_key_jwt" and not has_fapi2_profile(extension):
        return None
    return ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)


class EmbeddedProvider(Provider):
    """The embedded provider on loopback. The client secret or private key is new in every run.

    :param own: How to configure a hand-written extension with it; None if ``prove.py`` does.
    """

    def __init__(
        self,
        extension: Extension,
        issuer: str,
        redirect_uri: str,
        events: Events,
        own: OwnProvider | None = None,
    ) -> None:
        secret, key = secrets.token_urlsafe(32), private_key_for(extension)
        overrides = {"ISSUER": issuer, "CLIENT_ID": EMBEDDED_CLIENT_ID}
        if key is None:
            overrides |= {"CLIENT_SECRET": secret, "CLIENT_AUTH_METHOD": ""}
        else:
            overrides["CLIENT_SECRET"] = json.dumps(key.as_dict(private=True))
        embedded = IdentityProvider(
            issuer,
            client_id=EMBEDDED_CLIENT_ID,
            client_secret=secret,
            redirect_uri=redirect_uri,
            events=events,
            client_jwks={"keys": [key.as_dict(private=False)]} if key else None,
        )
        if has_fapi2_profile(extension):
            embedded.signing_algorithm = "ES256"  # FAPI 2.0 does not allow the default, RS256
        notes = [
            f"ISSUER is the embedded identity provider, {issuer}; {', '.join(list(overrides)[1:])} are its own."
        ]
        if extension.integration is not REDIRECT:
            settings = prove_script.settings_of(embedded.metadata(), EMBEDDED_CLIENT_ID, secret)
            try:
                overrides = dict(
                    own.configuration(settings) if own else prove_script.configuration_of(extension, settings)
                )
            except prove_script.ProveScriptError as error:
                raise Q2mfaError(
                    f"{extension.name}/tests/prove.py cannot be used: {error}.",
                    "Correct configuration(provider). It must return values of the extension's configuration.",
                    "prove_script",
                ) from error
            notes = [f"{', '.join(overrides)} are those of the embedded identity provider, {issuer}."]
        super().__init__(extension, issuer, overrides)
        self.embedded = embedded
        self.embedded.slow_seconds = SLOW_SECONDS
        self.frames = [issuer]
        self.notes = [*notes, f"OUTBOUND_WHITELIST also contains {self.host}."]


class RealProvider(Provider):
    """Any other provider, with the client of ``configuration/<Name>.py``.

    :raises Q2mfaError: the client is not configured.
    """

    def __init__(self, extension: Extension, issuer: str, redirect_uri: str) -> None:
        super().__init__(extension, issuer, {"ISSUER": issuer})
        for setting in ("CLIENT_ID", "CLIENT_SECRET"):
            if not getattr(extension.configuration, setting, ""):
                raise Q2mfaError(
                    f"{setting} is empty in configuration/{extension.name}.py, and {shown(issuer)} needs it.",
                    f"Set it; the secret comes from the environment variable {extension.name.upper()}_CLIENT_SECRET.",
                    "not_configured",
                )
        # A real provider may redirect between several origins, on HTTPS or on this machine.
        self.frames = ["https:", "http://127.0.0.1:*", "http://localhost:*"]
        self.notes = [
            f"ISSUER is {issuer}.",
            f"Register this redirect URI there: {redirect_uri}",
            f"OUTBOUND_WHITELIST also contains {self.host}.",
        ]
