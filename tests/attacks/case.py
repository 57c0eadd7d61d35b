"""What a case is made of: who serves whom, what is changed, and how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from attacks.checks import Check
from attacks.hostile import EMAIL, HONEST, USER, Change, HostileProvider, Lie, honest
from attacks.person import Person
from attacks.served import Answer, Extension, Login


@dataclass(frozen=True)
class Setting:
    """An extension served, and the provider that it trusts."""

    extension: Extension
    provider: HostileProvider
    stranger: HostileProvider

    def visit(self, url: str) -> dict[str, Any]:
        return Person(USER).visit(url, self.extension.redirect_uri)

    def leave(self, login: Login) -> dict[str, Any]:
        """Start, and log in at the provider: what the browser brings back."""
        start = login.start()
        assert start.status == 200, start
        return self.visit(start.body["data"]["authorization_url"])


def usual(setting: Setting, case: Case, user: Login) -> Answer:
    """A login from its start to the first denial, or to its end."""
    setting.provider.lie = case.lie
    start = user.start()
    if start.status != 200:
        return start
    return user.finish(case.back(setting.visit(start.body["data"]["authorization_url"])))


@dataclass(frozen=True)
class Case:
    """One thing that is wrong, and what has to come of it.

    :param name: the test's id, and the row in docs/. :param wrong: the same in words.
    :param check: the line that denies it; None: it is nothing wrong, and passes.
    :param lie: what the provider does. :param back: what becomes of what the browser brings back.
    :param user: who HQ says it is; None: who the provider says it is.
    :param settings: of the extension's configuration. :param code: told to the page, where it is not the check's.
    :param reason: how the line in the log begins, where it is not as the check's.
    :param asked: what the provider is asked by the server in the end, where that matters.
    :param fresh: the extension may know nothing of the provider yet.
    :param kept: it keeps what it has learnt from the lie, for an hour, so that no honest login can pass.
    :param play: how it goes, where that is not the usual way.
    """

    name: str
    wrong: str
    check: Check | None
    lie: Lie = HONEST
    back: Change = honest
    user: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    reason: str = ""
    asked: list[str] | None = None
    fresh: bool = False
    kept: bool = False
    play: Callable[[Setting, Case, Login], Answer] = usual


def right_user(settings: Mapping[str, Any]) -> dict[str, str]:
    """What HQ knows of the user whom the providers log in."""
    attribute = str(settings.get("IDENTITY_ATTRIBUTE", "sso_identifier"))
    return {attribute: {"sub": USER, "email": EMAIL}[settings.get("IDENTITY_CLAIM", "sub")]}


def without(*names: str) -> Change:
    return lambda given: {name: value for name, value in given.items() if name not in names}


def changed(**values: Any) -> Change:
    return lambda given: {**given, **values}


def listed(name: str) -> Change:
    """Its value twice: in a query, a parameter given twice."""
    return lambda given: {**given, name: [given[name], given[name]]}


def longer(name: str, by: str) -> Change:
    return lambda given: {**given, name: given[name] + by}


def after(**seconds: int) -> Change:
    """Claims: so many seconds after now."""
    return lambda given: {**given, **{name: int(time.time()) + value for name, value in seconds.items()}}
