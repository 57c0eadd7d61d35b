"""The static checks, by ID. Each reads the source of one extension."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from q2mfa_cli.platform.verify.check import NotApplicable, Problem
from q2mfa_cli.platform.verify.static import (
    browser,
    credentials,
    handler,
    outbound,
    page,
    protocol,
    record,
    token,
)
from q2mfa_cli.platform.verify.static.source import Source

Run = Callable[[Source], Iterable[Problem]]


def rp_state(source: Source) -> Iterator[Problem]:
    yield from protocol.rp_state(source)
    yield from browser.callback_without_state(source)


def _of_relying_party(run: Run) -> Run:
    """Return *run*, limited to extensions that use OpenID Connect."""

    def of_relying_party(source: Source) -> Iterable[Problem]:
        if not protocol.is_relying_party(source):
            raise NotApplicable("The source contains no OpenID Connect request.")
        return run(source)

    return of_relying_party


STATIC: dict[str, Run] = {
    "token-without-proof": token.token_without_proof,
    "fail-open": token.fail_open,
    "token-guessable": token.token_guessable,
    "token-reused": token.token_reused,
    "token-leak": token.token_leak,
    "process-state": handler.process_state,
    "cache-key": handler.cache_key,
    "otp-made-here": handler.otp_made_here,
    "otp-unicode": handler.otp_unicode,
    "rp-state": _of_relying_party(rp_state),
    "rp-pkce": _of_relying_party(protocol.rp_pkce),
    "rp-nonce": _of_relying_party(protocol.rp_nonce),
    "rp-signature": _of_relying_party(protocol.rp_signature),
    "rp-right-user": _of_relying_party(protocol.rp_right_user),
    "rp-flow": _of_relying_party(protocol.rp_flow),
    "rp-bounds": protocol.rp_bounds,
    "third-party-script": page.third_party_script,
    "dom-xss": page.dom_xss,
    "post-message": browser.post_message,
    "open-redirect": browser.open_redirect,
    "landing-leak": browser.landing_leak,
    "framing-broken": page.framing_broken,
    "verify-ignored": browser.verify_ignored,
    "no-exit": browser.no_exit,
    "input-hints": page.input_hints,
    "secret-in-source": credentials.secret_in_source,
    "compare-timing": handler.compare_timing,
    "outbound": outbound.outbound,
    "tls": outbound.tls,
    "whitelist": outbound.whitelist,
    "unauthenticated": handler.unauthenticated,
    "pre-auth-api": handler.pre_auth_api,
    "txn-from-page": handler.txn_from_page,
    "identity-from-page": handler.identity_from_page,
    "weak-channel": handler.weak_channel,
    "template-behind": record.template_behind,
}
