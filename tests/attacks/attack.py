"""What one attack is: the extension and the provider, the change, and the steps of the login."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.user_agent import UserAgent

from attacks.denials import Denial
from attacks.served_extension import Answer, Extension, Login
from q2mfa_cli.platform.verify.hostile import EMAIL, HONEST, USER, HostileProvider, Lie
from q2mfa_cli.platform.verify.hostile.changes import Change, honest


@dataclass(frozen=True)
class Setting:
    """A served extension, the provider that it trusts, and a provider that it does not know."""

    extension: Extension
    provider: HostileProvider
    other_provider: HostileProvider

    def visit(self, url: str) -> dict[str, Any]:
        return UserAgent(USER).visit(url, self.extension.redirect_uri)

    def log_in_at_provider(self, login: Login) -> dict[str, Any]:
        """Start a login and log in at the provider. Returns the parameters of the callback."""
        start = login.start()
        assert start.status == 200, start
        return self.visit(start.body["data"]["authorization_url"])


def usual_login(setting: Setting, attack: Attack, user: Login) -> Answer:
    """Log in until the first denial, or to the end."""
    setting.provider.lie = attack.lie
    start = user.start()
    if start.status != 200:
        return start
    return user.finish(attack.callback(setting.visit(start.body["data"]["authorization_url"])))


@dataclass(frozen=True)
class Attack:
    """A login that would succeed, with one change that has to be denied; or one that conforms and has to pass.

    :param name: the test's id, and the row in docs/explanation/redirect-attacks.md. :param wrong: the change in words.
    :param denial: the check that denies it. None: a conforming provider may do this.
    :param lie: what the provider changes. :param callback: changes the parameters of the callback.
    :param user: what HQ knows of the user. None: what the provider knows too.
    :param settings: of the extension's configuration.
    :param code: what the page is told, if it is not the denial's code.
    :param reason: how the reason in the log begins, if it is not the denial's reason.
    :param asked: the server's requests to the provider, if they matter.
    :param fresh: the extension has no metadata and keys of the provider in its cache.
    :param kept: the extension caches the lie for an hour, so no honest login can pass afterwards.
    :param steps: the steps of the login, if they are not the usual ones.
    """

    name: str
    wrong: str
    denial: Denial | None
    lie: Lie = HONEST
    callback: Change = honest
    user: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    reason: str = ""
    asked: list[str] | None = None
    fresh: bool = False
    kept: bool = False
    steps: Callable[[Setting, Attack, Login], Answer] = usual_login


def right_user(settings: Mapping[str, Any]) -> dict[str, str]:
    """What HQ knows of the user who logs in at the providers."""
    attribute = str(settings.get("IDENTITY_ATTRIBUTE", "sso_identifier"))
    return {attribute: {"sub": USER, "email": EMAIL}[settings.get("IDENTITY_CLAIM", "sub")]}
