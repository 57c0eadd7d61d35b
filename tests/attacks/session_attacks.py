"""Attacks that take more than one session, login or provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from attacks.attack import Attack, Setting, right_user
from attacks.denials import CONFIRMS, FLOW, ISS, KEY, NONCE, PKCE, REFUSED, STATE, Denial
from attacks.served_extension import Answer, Login
from q2mfa_cli.platform.verify.hostile import Lie
from q2mfa_cli.platform.verify.hostile.changes import changed, without
from q2mfa_cli.platform.verify.hostile.keys import another_key


def again(setting: Setting, attack: Attack, user: Login) -> Answer:
    callback = setting.log_in_at_provider(user)
    assert user.finish(callback).status == 200
    return user.finish(callback)


def at_once(setting: Setting, attack: Attack, user: Login) -> Answer:
    callback = setting.log_in_at_provider(user)
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(user.finish, [callback, callback]))
    assert sorted(answer.status for answer in both) == [200, 400]
    return max(both, key=lambda answer: answer.status)


def after_a_denial(setting: Setting, attack: Attack, user: Login) -> Answer:
    callback = setting.log_in_at_provider(user)
    assert user.finish({**callback, "state": "x" * 43}).code == "expired"
    return user.finish(callback)


def after_another_start(setting: Setting, attack: Attack, user: Login) -> Answer:
    callback = setting.log_in_at_provider(user)
    user.start()
    return user.finish(callback)


def for_another_request(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Callable[[Setting, Attack, Login], Answer]:
    def steps(setting: Setting, attack: Attack, user: Login) -> Answer:
        user.request_mfa({**right_user(attack.settings), **before})
        callback = setting.log_in_at_provider(user)
        user.request_mfa({**right_user(attack.settings), **after})
        return user.finish(callback)

    return steps


def without_a_start(setting: Setting, attack: Attack, user: Login) -> Answer:
    return user.finish(setting.log_in_at_provider(setting.extension.login(**right_user(attack.settings))))


def in_another_session(setting: Setting, attack: Attack, user: Login) -> Answer:
    setting.log_in_at_provider(user)
    return without_a_start(setting, attack, user)


def with_the_code_of_another_session(setting: Setting, attack: Attack, user: Login) -> Answer:
    setting.provider.lie = attack.lie
    theirs = setting.log_in_at_provider(setting.extension.login(**right_user(attack.settings)))
    return user.finish({**setting.log_in_at_provider(user), "code": theirs["code"]})


def with_the_code_of_the_last_login(setting: Setting, attack: Attack, user: Login) -> Answer:
    setting.provider.lie = attack.lie
    before = setting.log_in_at_provider(user)
    assert user.finish(before).status == 200
    return user.finish({**setting.log_in_at_provider(user), "code": before["code"]})


def with_the_id_token_of_the_last_login(setting: Setting, attack: Attack, user: Login) -> Answer:
    assert user.finish(setting.log_in_at_provider(user)).status == 200
    setting.provider.lie = Lie(token=changed(id_token=setting.provider.id_token))
    return user.finish(setting.log_in_at_provider(user))


def sent_to_another_provider(setting: Setting, attack: Attack, user: Login) -> Answer:
    """The user logs in at another provider, and the browser brings back that provider's answer (mix-up)."""
    setting.provider.lie = attack.lie
    url = user.start().body["data"]["authorization_url"]
    return user.finish(
        attack.callback(setting.visit(url.replace(setting.provider.issuer, setting.other_provider.issuer)))
    )


def with_the_id_token_of_another_provider(setting: Setting, attack: Attack, user: Login) -> Answer:
    setting.provider.lie = Lie(
        sign=lambda provider, claims: another_key().sign({**claims, "iss": setting.other_provider.issuer})
    )
    return user.finish(setting.log_in_at_provider(user))


def flow(
    name: str, wrong: str, denial: Denial, steps: Callable[[Setting, Attack, Login], Answer], **options: Any
) -> Attack:
    return Attack(f"flow-{name}", wrong, denial, steps=steps, **options)


NO_PAR = without("pushed_authorization_request_endpoint")

SESSIONS = [
    flow("again", "the same answer a second time", FLOW, again),
    flow("at-once", "the same answer twice at once: one of the two", FLOW, at_once),
    flow("after-denial", "the right answer, after a wrong one was denied", FLOW, after_a_denial),
    flow("superseded", "the answer to a login that was begun before this one", STATE, after_another_start),
    flow(
        "another-transaction",
        "the answer to a login for transaction 1, for transaction 2",
        CONFIRMS,
        for_another_request({"transaction_ids": [1]}, {"transaction_ids": [2]}),
    ),
    flow(
        "more-transactions",
        "the answer to a login for transaction 1, for transactions 1 and 2",
        CONFIRMS,
        for_another_request({"transaction_ids": [1]}, {"transaction_ids": [1, 2]}),
    ),
    flow(
        "another-action",
        "the answer to a login for a Patrol event, for another one",
        CONFIRMS,
        for_another_request({"audit_action_id": 1}, {"audit_action_id": 2}),
    ),
    flow(
        "another-context",
        "the answer to a login for one workflow, for another one",
        CONFIRMS,
        for_another_request({"mfa_context": "login"}, {"mfa_context": "transaction"}),
    ),
    flow("no-start", "the answer to another session's login, where none was begun", FLOW, without_a_start),
    flow("other-session", "the answer to another session's login (login CSRF)", STATE, in_another_session),
    flow(
        "code-injected",
        "the unused code of another session",
        PKCE,
        with_the_code_of_another_session,
        reason="127.0.0.1 answered 400 invalid_grant",
    ),
    flow(
        "code-injected-lax",
        "the same, where the provider does not check PKCE",
        NONCE,
        with_the_code_of_another_session,
        lie=Lie(lax=True),
    ),
    flow(
        "code-replayed",
        "the code of the last login",
        REFUSED,
        with_the_code_of_the_last_login,
        reason="127.0.0.1 answered 400 invalid_grant",
    ),
    flow(
        "code-replayed-lax",
        "the same, where the provider takes a code twice",
        NONCE,
        with_the_code_of_the_last_login,
        lie=Lie(lax=True),
    ),
    flow("id-token-replayed", "the ID token of the last login", NONCE, with_the_id_token_of_the_last_login),
    flow(
        "id-token-other-provider",
        "the ID token that another provider signed",
        KEY,
        with_the_id_token_of_another_provider,
    ),
    flow(
        "mix-up",
        "another provider's code, with its `iss`",
        ISS,
        sent_to_another_provider,
        lie=Lie(metadata=NO_PAR),
        asked=["GET /.well-known/openid-configuration"],
        fresh=True,
    ),
    flow(
        "mix-up-no-iss",
        "another provider's code, without `iss`",
        ISS,
        sent_to_another_provider,
        callback=without("iss"),
        lie=Lie(metadata=NO_PAR),
        asked=["GET /.well-known/openid-configuration"],
        fresh=True,
    ),
    flow(
        "mix-up-unannounced",
        "another provider's code, where no `iss` is announced",
        REFUSED,
        sent_to_another_provider,
        callback=without("iss"),
        lie=Lie(
            metadata=without(
                "pushed_authorization_request_endpoint", "authorization_response_iss_parameter_supported"
            )
        ),
        reason="127.0.0.1 answered 400 invalid_grant",
        fresh=True,
    ),
]
