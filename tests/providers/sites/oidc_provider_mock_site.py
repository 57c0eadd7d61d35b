"""oidc-provider-mock with two users. It accepts every client without registration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # as its own command does

import oidc_provider_mock  # it reads the variable above


def make_application(url: str, folder: Path) -> Any:
    return oidc_provider_mock.app()


def register(client_id: str, client_secret: str, redirect_uri: str) -> None:
    """Register nothing: without `--require-registration`, every client is accepted."""
