"""Tokens, sessions, faults and configuration: what any External MFA extension has to get right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from q2mfa_cli.platform.verify.check import Problem
from q2mfa_cli.platform.verify.dynamic import faults, requests, sessions, tokens
from q2mfa_cli.platform.verify.dynamic.bench import Bench

# These need only the routes, so they run even if the right user cannot complete MFA.
WITHOUT_RIGHT_USER = frozenset(
    {"right-user", "token-without-proof", "no-session", "body-abuse", "error-detail", "native-submit"}
)

CHECKS: dict[str, Callable[[Bench], Awaitable[Iterable[Problem]]]] = {
    "right-user": tokens.right_user,
    "token-without-proof": tokens.token_without_proof,
    "fail-open": faults.fail_open,
    "token-guessable": tokens.token_guessable,
    "token-reused": tokens.token_reused,
    "proof-reused": tokens.proof_reused,
    "token-leak": requests.token_leak,
    "no-session": sessions.no_session,
    "cross-session": sessions.cross_session,
    "process-state": sessions.process_state,
    "missing-mfa-info": requests.missing_mfa_info,
    "error-detail": requests.error_detail,
    "token-not-kept": tokens.token_not_kept,
    "config-fail-open": faults.config_fail_open,
    "txn-bound": sessions.txn_bound,
    "audit-trail": requests.audit_trail,
    "body-abuse": requests.body_abuse,
    "cache-key": requests.cache_key,
}
