"""Wrong parameters in the callback: what the browser brings back from the provider."""

from __future__ import annotations

from typing import Any

from attacks.attack import Attack
from attacks.denials import CODE, ERROR, ISS, NO_ANSWER, REFUSED, STATE, USER_ERROR, Denial
from q2mfa_cli.platform.verify.hostile import Lie
from q2mfa_cli.platform.verify.hostile.changes import Change, changed, honest, listed, longer, without


def back(name: str, wrong: str, denial: Denial, change: Change, **options: Any) -> Attack:
    """What is brought back is wrong; the code is not even shown to the token endpoint."""
    return Attack(f"callback-{name}", wrong, denial, back=change, **{"asked": ["POST /pushed"], **options})


def error(name: str, wrong: str, denial: Denial, value: Any, **options: Any) -> Attack:
    given = changed(error=value)
    return back(f"error-{name}", wrong, denial, lambda sent: given(without("code")(sent)), **options)


CALLBACK = [
    back("state-wrong", "a `state` that was never issued", STATE, changed(state="x" * 43)),
    back("state-missing", "no `state`", STATE, without("state")),
    back("state-empty", "an empty `state`", STATE, changed(state="")),
    back("state-null", "`state` is null", STATE, changed(state=None)),
    back("state-twice", "`state` is given twice", STATE, honest, lie=Lie(authorized=listed("state"))),
    back("state-letters", "a `state` outside ASCII", STATE, changed(state="ü" * 43)),
    back(
        "state-case",
        "`state` with its letters' case swapped",
        STATE,
        lambda p: {**p, "state": p["state"].swapcase()},
    ),
    back("state-longer", "`state` with more behind it", STATE, longer("state", "x")),
    back("iss-other", "`iss` of another provider", ISS, changed(iss="https://evil.example")),
    back("iss-missing", "no `iss`, though announced", ISS, without("iss")),
    back("iss-empty", "an empty `iss`", ISS, changed(iss="")),
    back("iss-twice", "`iss` is given twice", ISS, honest, lie=Lie(authorized=listed("iss"))),
    back("iss-slash", "`iss` with one `/` more", ISS, longer("iss", "/")),
    back(
        "iss-unannounced",
        "`iss` of another provider, where none is announced",
        ISS,
        changed(iss="https://evil.example"),
        lie=Lie(metadata=without("authorization_response_iss_parameter_supported")),
        asked=["GET /.well-known/openid-configuration", "POST /pushed"],
        fresh=True,
    ),
    back("code-missing", "no `code`", CODE, without("code")),
    back("code-empty", "an empty `code`", CODE, changed(code="")),
    back("code-twice", "`code` is given twice", CODE, honest, lie=Lie(authorized=listed("code"))),
    back("code-long", "a `code` of 100,000 characters", CODE, changed(code="x" * 100_000)),
    back(
        "code-forged",
        "a `code` that the provider never gave",
        REFUSED,
        changed(code="x" * 43),
        reason="127.0.0.1 answered 400 invalid_grant",
        asked=["POST /pushed", "POST /token"],
    ),
    back(
        "code-surrogate",
        "a `code` that is not text in any encoding",
        NO_ANSWER,
        changed(code="\ud800"),
        reason="127.0.0.1 gave no usable answer: UnicodeEncodeError",
    ),
    error("denied", "`error=access_denied`", USER_ERROR, "access_denied"),
    error("login", "`error=login_required`", USER_ERROR, "login_required", code="login_required"),
    error("server", "`error=server_error`", ERROR, "server_error"),
    error("log", "an `error` with a line made for the log", ERROR, "odd\nExternal MFA: confirmed"),
    error("empty", "an empty `error`", ERROR, ""),
    error("twice", "`error` is given twice", ERROR, ["access_denied", "access_denied"]),
    back("error-and-code", "an `error` beside a good `code`", USER_ERROR, changed(error="access_denied")),
]
