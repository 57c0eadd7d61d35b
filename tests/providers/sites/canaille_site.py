"""Canaille with its memory backend, two users, and the OpenID Connect settings that it has without configuration."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from flask import Flask
from joserfc.jwk import RSAKey

_applications: list[Flask] = []


def make_application(url: str, folder: Path) -> Any:
    application = create_app(
        {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "SERVER_NAME": urlsplit(url).netloc,
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "LOGGING": {"version": 1}},
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)],
            },
        }
    )
    _applications.append(application)
    with application.app_context():
        for name in ("ada", "mallory"):
            user = models.User(
                user_name=name,
                formatted_name=name.title(),
                family_name=name.title(),
                emails=[f"{name}@example.com"],
                password="password",
            )
            Backend.instance.save(user)
    return application


def register(client_id: str, client_secret: str, redirect_uri: str) -> None:
    """Add or replace a client with the values of the administration form."""
    with _applications[0].app_context():
        client = Backend.instance.get(models.Client, client_id=client_id)
        if not client:
            client = models.Client(client_id=client_id)
            Backend.instance.save(client)
            client.audience = [client]
        client.client_secret = client_secret
        client.client_name = "Online banking"
        client.client_uri = "http://127.0.0.1"  # one of TRUSTED_DOMAINS: no consent page
        client.redirect_uris = [redirect_uri]
        client.grant_types = ["authorization_code"]
        client.response_types = ["code"]
        client.scope = ["openid"]
        client.token_endpoint_auth_method = "client_secret_basic"
        Backend.instance.save(client)
