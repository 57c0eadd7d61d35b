"""Which settings of a hand-written extension are the identity provider's, by their names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from q2mfa_cli.platform.preview.extension import Extension
from q2mfa_cli.platform.preview.own_provider import OwnProvider, own_provider_of
from q2mfa_cli.platform.preview.prove_script import ProviderSettings

PROVIDER = ProviderSettings(
    "https://idp", "https://idp/a", "https://idp/t", "https://idp/k", "client", "secret"
)


def found(
    root: Path, settings: dict[str, Any], pages: tuple[str, ...] = ("back.html",), code: str = ""
) -> OwnProvider | None:
    assets = root / "frontend" / "public"
    for page in ("index.html", *pages):
        assets.mkdir(parents=True, exist_ok=True)
        (assets / page).touch()
    (root / "extension.py").write_text(code)
    extension = SimpleNamespace(
        folder=root, assets=assets, page="{BASE_URL}/index.html", configuration=SimpleNamespace(**settings)
    )
    return own_provider_of(cast(Extension, extension))


@pytest.mark.parametrize(
    ("settings", "meanings"),
    [
        (
            {"OIDC_URL": "https://x", "OIDC_CLIENT": "y", "OIDC_SECRET": None, "TIMEOUT": 3},
            {"OIDC_URL": "issuer", "OIDC_CLIENT": "client_id", "OIDC_SECRET": "client_secret"},
        ),
        (
            {
                "CLIENT_ID": "y",
                "CLIENT_SECRET": "",
                "AUTHORIZE_URL": "https://x/a",
                "TOKEN_ENDPOINT": "https://x/t",
                "JWKS_URI": "https://x/k",
                "ISSUER": "https://x",
                "REDIRECT_URI": "https://z",
            },
            {
                "CLIENT_ID": "client_id",
                "CLIENT_SECRET": "client_secret",
                "AUTHORIZE_URL": "authorization_endpoint",
                "TOKEN_ENDPOINT": "token_endpoint",
                "JWKS_URI": "jwks_uri",
                "ISSUER": "issuer",
            },
        ),
        (
            {"IDP_METADATA_URL": "https://x/m", "IDP_CLIENT_ID": "y"},
            {"IDP_METADATA_URL": "metadata", "IDP_CLIENT_ID": "client_id"},
        ),
    ],
)
def test_settings_are_known_by_their_names(
    settings: dict[str, Any], meanings: dict[str, str], tmp_path: Path
) -> None:
    assert found(tmp_path, settings) == OwnProvider(meanings, "back.html")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"PEPPER": "x", "DIGITS": 8},
        {"CLIENT_ID": "x"},
        {"ISSUER": "https://x"},
        {"CLIENT_ID": "x", "OTHER_CLIENT_ID": "y", "ISSUER": "https://x"},
    ],
)
def test_settings_that_do_not_say_it_are_no_provider(settings: dict[str, Any], tmp_path: Path) -> None:
    assert found(tmp_path, settings) is None


def test_callback_is_the_page_that_the_code_names(tmp_path: Path) -> None:
    settings = {"CLIENT_ID": "x", "ISSUER": "https://x"}
    provider = found(
        tmp_path, settings, ("help.html", "verify.html"), 'f"{self.base_assets_url}/verify.html"'
    )
    assert provider is not None and provider.callback == "verify.html"
    assert found(tmp_path, settings, ("help.html", "verify.html"), "") is None


def test_configuration_and_its_code_have_the_same_values() -> None:
    names = {"A": "issuer", "B": "metadata", "C": "client_secret", "D": "token_endpoint"}
    provider = OwnProvider(names)
    written = {name: eval(code, {"provider": PROVIDER}) for name, code in provider.codes().items()}
    assert written == provider.configuration(PROVIDER)
    assert written["B"] == "https://idp/.well-known/openid-configuration"
