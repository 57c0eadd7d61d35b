"""Callbacks with wrong parameters."""

from __future__ import annotations

from typing import Any

from attacks.attack import Attack
from attacks.denials import CODE, ERROR, ISS, NO_ANSWER, REFUSED, STATE, USER_ERROR, Denial
from q2mfa_cli.platform.verify.hostile import Lie
from q2mfa_cli.platform.verify.hostile.changes import Change, changed, honest, listed, longer, without


def callback_attack(name: str, wrong: str, denial: Denial, change: Change, **options: Any) -> Attack:
    """A callback with wrong parameters. The extension does not send its code to the token endpoint."""
    return Attack(
        f"callback-{name}", wrong, denial, callback=change, **{"asked": ["POST /pushed"], **options}
    )


def error_attack(name: str, wrong: str, denial: Denial, value: Any, **options: Any) -> Attack:
    given = changed(error=value)
    return callback_attack(
        f"error-{name}", wrong, denial, lambda sent: given(without("code")(sent)), **options
    )


CALLBACK = [
    callback_attack("state-wrong", "a `state` that was never issued", STATE, changed(state="x" * 43)),
    callback_attack("state-missing", "no `state`", STATE, without("state")),
    callback_attack("state-empty", "an empty `state`", STATE, changed(state="")),
    callback_attack("state-null", "`state` is null", STATE, changed(state=None)),
    callback_attack(
        "state-twice", "`state` is given twice", STATE, honest, lie=Lie(authorized=listed("state"))
    ),
    callback_attack("state-letters", "a `state` outside ASCII", STATE, changed(state="ü" * 43)),
    callback_attack(
        "state-case",
        "`state` with its letters' case swapped",
        STATE,
        lambda p: {**p, "state": p["state"].swapcase()},
    ),
    callback_attack("state-longer", "`state` with more behind it", STATE, longer("state", "x")),
    callback_attack("iss-other", "`iss` of another provider", ISS, changed(iss="https://evil.example")),
    callback_attack("iss-missing", "no `iss`, though announced", ISS, without("iss")),
    callback_attack("iss-empty", "an empty `iss`", ISS, changed(iss="")),
    callback_attack("iss-twice", "`iss` is given twice", ISS, honest, lie=Lie(authorized=listed("iss"))),
    callback_attack("iss-slash", "`iss` with one `/` more", ISS, longer("iss", "/")),
    callback_attack(
        "iss-unannounced",
        "`iss` of another provider, where none is announced",
        ISS,
        changed(iss="https://evil.example"),
        lie=Lie(metadata=without("authorization_response_iss_parameter_supported")),
        asked=["GET /.well-known/openid-configuration", "POST /pushed"],
        fresh=True,
    ),
    callback_attack("code-missing", "no `code`", CODE, without("code")),
    callback_attack("code-empty", "an empty `code`", CODE, changed(code="")),
    callback_attack("code-twice", "`code` is given twice", CODE, honest, lie=Lie(authorized=listed("code"))),
    callback_attack("code-long", "a `code` of 100,000 characters", CODE, changed(code="x" * 100_000)),
    callback_attack(
        "code-forged",
        "a `code` that the provider never gave",
        REFUSED,
        changed(code="x" * 43),
        reason="127.0.0.1 answered 400 invalid_grant",
        asked=["POST /pushed", "POST /token"],
    ),
    callback_attack(
        "code-surrogate",
        "a `code` that is not text in any encoding",
        NO_ANSWER,
        changed(code="\ud800"),
        reason="127.0.0.1 gave no usable answer: UnicodeEncodeError",
    ),
    error_attack("denied", "`error=access_denied`", USER_ERROR, "access_denied"),
    error_attack("login", "`error=login_required`", USER_ERROR, "login_required", code="login_required"),
    error_attack("server", "`error=server_error`", ERROR, "server_error"),
    error_attack("log", "an `error` with a line made for the log", ERROR, "odd\nExternal MFA: confirmed"),
    error_attack("empty", "an empty `error`", ERROR, ""),
    error_attack("twice", "`error` is given twice", ERROR, ["access_denied", "access_denied"]),
    callback_attack(
        "error-and-code", "an `error` beside a good `code`", USER_ERROR, changed(error="access_denied")
    ),
]
