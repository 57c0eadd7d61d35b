"""OAuth 2.0 and OpenID Connect. Each check logs in at a hostile provider, or inspects the requests to it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from math import log2
from typing import Any

from q2mfa_cli.platform.events import OutboundRequest
from q2mfa_cli.platform.verify.check import NotApplicable, Problem, Severity
from q2mfa_cli.platform.verify.dynamic.bench import Bench, until_first
from q2mfa_cli.platform.verify.dynamic.logins import (
    ANOTHER_PERSON,
    ATTRIBUTES,
    CLIENT_ID,
    PERSON,
    REFUSALS,
    Case,
    Login,
    Logins,
    logins,
)
from q2mfa_cli.platform.verify.hostile import ELSEWHERE, HONEST, HostileProvider, Lie
from q2mfa_cli.platform.verify.hostile.answers import big, bomb, redirect, silence, slow
from q2mfa_cli.platform.verify.hostile.changes import (
    Change,
    after,
    after_each,
    changed,
    each_key,
    in_place_of,
    listed,
    longer,
    without,
)
from q2mfa_cli.platform.verify.hostile.keys import another_key, base64url, weak_key
from q2mfa_cli.platform.verify.hostile.provider import AuthorizationRequest, claims_of
from q2mfa_cli.platform.verify.hostile.signatures import (
    Sign,
    by_another_key,
    by_weak_key,
    hs256,
    reused,
    tampered,
    unsigned,
    with_own_key,
)

MIN_BITS = 128  # of a state and a nonce: ASVS 11.5.1
FEW_BITS = 64
UUID = re.compile(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}", re.IGNORECASE)
UUID_BITS = 122
OTHER = "https://evil.example"
NOT_HTTPS = "http://idp.invalid"
DISCOVERY = "GET /.well-known/openid-configuration"
HOUR = 3600

ReadLogins = Callable[[Logins], Awaitable[list[Problem]]]


def _check(run: ReadLogins) -> Callable[[Bench], Awaitable[Iterable[Problem]]]:
    async def check(bench: Bench) -> Iterable[Problem]:
        async with logins(bench) as made:
            return await run(made)

    return check


def _cases(*groups: tuple[Case, ...]) -> ReadLogins:
    async def run(made: Logins) -> list[Problem]:
        return await made.accepted(*groups)

    return run


async def _log_in_again(made: Logins) -> tuple[Login, list[AuthorizationRequest]]:
    """Log in twice more. Return the last login, and the last three authorization requests."""
    await made.expect_honest_login("a second time")
    login = await made.expect_honest_login("a third time")
    return login, made.provider.authorizations[-3:]


def _sent(made: Logins, login: Login, message: str, severity: Severity | None = None) -> Problem:
    """Return a problem in the request to the provider, located at the route that started the login."""
    return made.bench.problem(message, login.customer, made.start_route, severity)


def bits_of(values: Sequence[str]) -> float:
    """Return an upper limit of the random bits in each of *values*, by their length and alphabet."""
    if all(map(UUID.fullmatch, values)):
        return UUID_BITS
    alphabets = ((r"\d*", 10), (r"[\da-f]*|[\dA-F]*", 16), (r"[\da-z]*|[\dA-Z]*", 36))
    letters = "".join(values)
    size = next((size for pattern, size in alphabets if re.fullmatch(pattern, letters)), 64)
    return min(map(len, values)) * log2(size)


def _not_random(
    made: Logins, login: Login, name: str, requests: Sequence[AuthorizationRequest]
) -> list[Problem]:
    """Return what is wrong with the values of the parameter *name*."""
    values = [request.parameters.get(name, "") for request in requests]
    if not all(values):
        return [_sent(made, login, f'The authorization request has no "{name}".')]
    if len(set(values)) < len(values):
        return [_sent(made, login, f'Two authorization requests have the same "{name}".')]
    bits = bits_of(values)
    if bits >= MIN_BITS:
        return []
    severity = Severity.LOW if bits == UUID_BITS else Severity.MEDIUM if bits >= FEW_BITS else Severity.HIGH
    return [_sent(made, login, f'A "{name}" has fewer than {MIN_BITS} random bits.', severity)]


# ---- rp-state ----------------------------------------------------------------------------------------

STATES = (
    Case('a "state" that it did not send', back=changed(state="x" * 43)),
    Case('an authorization response without "state"', back=without("state")),
    Case('an empty "state"', back=changed(state="")),
)


async def rp_state(made: Logins) -> list[Problem]:
    login, requests = await _log_in_again(made)
    if found := _not_random(made, login, "state", requests):
        return found
    found = await _state_of_another_session(made)
    return found or [*await made.accepted(STATES), *await _used_state(made)]


async def _state_of_another_session(made: Logins) -> list[Problem]:
    """The provider accepts any verifier, and returns the other session's nonce. Only the state can refuse the login."""
    provider, customer = made.provider, made.bench.customer()
    mine, other = await made.open(customer), await made.open(customer)
    made.at_provider(customer)
    try:
        proof = await customer.proof(mine)
        await customer.proof(other)
        nonce = provider.authorizations[-1].parameters.get("nonce")
        provider.lie = Lie(lax=True, claims=changed(nonce=nonce))
        await customer.get_token(other, proof)
    except REFUSALS:
        pass
    finally:
        provider.lie = HONEST
    if not other.session.tokens:
        return []
    return [made.bench.problem("A session accepts the state of another session.", customer)]


async def _used_state(made: Logins) -> list[Problem]:
    login = await made.log_in(Case("", Lie(lax=True)))
    made.provider.lie = Lie(lax=True)
    try:
        await login.customer.get_token(login.challenge, login.body)
    except REFUSALS:
        pass
    finally:
        made.provider.lie = HONEST
    if len(login.challenge.session.tokens) < 2:
        return []
    return [made.bench.problem('A "state" completes MFA twice.', login.customer, severity=Severity.HIGH)]


# ---- rp-pkce -----------------------------------------------------------------------------------------


async def rp_pkce(made: Logins) -> list[Problem]:
    login, (*before, last) = await _log_in_again(made)
    challenge, method = (last.parameters.get(f"code_challenge{name}") for name in ("", "_method"))
    if not challenge:
        return [_sent(made, login, 'The authorization request has no "code_challenge".')]
    if method != "S256":
        return [_sent(made, login, 'The "code_challenge_method" is not "S256".')]
    if any(challenge == request.parameters.get("code_challenge") for request in before):
        return [_sent(made, login, 'Two authorization requests have the same "code_challenge".')]
    return []


# ---- rp-nonce ----------------------------------------------------------------------------------------

NONCES = (
    Case('an ID token with another "nonce"', Lie(claims=changed(nonce="x" * 43))),
    Case('an ID token without "nonce"', Lie(claims=without("nonce"))),
    Case('an ID token with an empty "nonce"', Lie(claims=changed(nonce=""))),
)


async def rp_nonce(made: Logins) -> list[Problem]:
    login, requests = await _log_in_again(made)
    if found := _not_random(made, login, "nonce", requests):
        return found
    used = Case("the ID token of an earlier login", Lie(token=changed(id_token=made.provider.id_token)))
    return await made.accepted([used, *NONCES])


# ---- what the provider answers -----------------------------------------------------------------------

OTHER_ISSUERS = (
    Case('an authorization response with "iss" of another provider', back=changed(iss=OTHER)),
    Case('an "iss" that is longer than the issuer', back=longer("iss", "/"), severity=Severity.LOW),
)
NO_ISSUER = (
    Case('an authorization response without "iss", which the provider announces', back=without("iss")),
)

# The browser changes these; the provider itself is honest and refuses the code.
CODES = (
    (Case("an authorization code that the provider did not issue", back=changed(code="x" * 43)),),
    (
        Case(
            "an authorization response that says that the login was denied",
            back=after_each(without("code"), changed(error="access_denied")),
        ),
    ),
)

NO_ALG = each_key(without("alg"))
SHARED = b"k" * 32
PUBLISHED_SECRET = in_place_of({"kty": "oct", "k": base64url(SHARED), "alg": "HS256"})


def _jwk(provider: HostileProvider) -> bytes:
    return json.dumps(provider.key.jwk).encode()


def _signed(what: str, sign: Sign, keys: Change | None = None, **options: Any) -> Case:
    lie = Lie(sign=sign) if keys is None else Lie(sign=sign, keys=keys)
    return Case(what, lie, fresh=keys is not None, **options)


CHANGED_SIGNATURE = _signed("an ID token with a changed signature", tampered)
UNSIGNED = (
    _signed('an ID token with "alg": "none"', unsigned("none")),
    _signed('an ID token with "alg": "None" where the key names no algorithm', unsigned("None"), NO_ALG),
    _signed("an ID token without a signature", lambda p, claims: unsigned(p.key.alg)(p, claims)),
)
BY_HS256 = (
    _signed(
        "an ID token signed by HS256 with the public key as PEM", hs256(lambda provider: provider.key.pem)
    ),
    _signed("an ID token signed by HS256 with the public key as JWK", hs256(_jwk)),
    _signed(
        "an ID token signed by HS256 where the public key names no algorithm",
        hs256(lambda provider: provider.key.pem),
        NO_ALG,
    ),
)
FOREIGN_SIGNATURES = (
    _signed("an ID token with the signature of other claims", reused),
    _signed("an ID token that another key signed", by_another_key),
)


async def rp_signature(made: Logins) -> list[Problem]:
    found = await made.accepted([CHANGED_SIGNATURE])
    return found or await made.accepted(UNSIGNED, BY_HS256, FOREIGN_SIGNATURES)


def _claims(what: str, change: Change, severity: Severity | None = None) -> Case:
    return Case(f"an ID token {what}", Lie(claims=change), severity=severity)


CLAIMS = (
    (_claims('with "iss" of another provider', changed(iss=OTHER)), _claims('without "iss"', without("iss"))),
    (
        _claims('with "aud" of another client', changed(aud="another-client")),
        _claims('with a list of other clients as "aud"', changed(aud=["another-client", "q2"])),
        _claims('without "aud"', without("aud")),
    ),
    (
        _claims(
            'for another audience too, with this client as "azp"',
            changed(aud=[CLIENT_ID, "other"], azp=CLIENT_ID),
            Severity.HIGH,
        ),
    ),
    (_claims('with another client as "azp"', changed(azp="other"), Severity.HIGH),),
    (_claims('that has expired ("exp")', after(exp=-600)), _claims('without "exp"', without("exp"))),
    (
        _claims('issued in the future ("iat")', after(iat=HOUR), Severity.MEDIUM),
        _claims('without "iat"', without("iat"), Severity.MEDIUM),
    ),
    (_claims('that is not valid yet ("nbf")', after(nbf=HOUR), Severity.MEDIUM),),
)

KEYS = (
    (
        _signed(
            'an ID token that brings its own key ("jwk")', with_own_key("jwk"), severity=Severity.CRITICAL
        ),
        _signed(
            'an ID token that says where its key is ("jku")', with_own_key("jku"), severity=Severity.CRITICAL
        ),
    ),
    (
        _signed(
            "a symmetric key that the provider publishes", hs256(lambda provider: SHARED), PUBLISHED_SECRET
        ),
    ),
)


async def rp_keys(made: Logins) -> list[Problem]:
    weak = [
        _signed("an RSA key of 1024 bits", by_weak_key, in_place_of(weak_key().jwk), severity=Severity.MEDIUM)
    ]
    encryption = Case(
        "a key that is for encryption",
        Lie(keys=each_key(changed(use="enc"))),
        fresh=True,
        severity=Severity.LOW,
    )
    found = await made.accepted(*KEYS, weak, [encryption])
    if not found and ELSEWHERE in made.provider.asked:
        login = await made.log_in()
        message = 'The extension asks the address in the "jku" of an ID token.'
        found.append(made.bench.problem(message, login.customer))
    made.provider.change_keys(replace(another_key(), kid="changed", alg=made.provider.key.alg))
    rotated = await made.log_in()
    if not rotated.is_accepted:
        message = "The extension refuses the right user after the provider has changed its key."
        found.append(made.bench.problem(message, rotated.customer, severity=Severity.MEDIUM))
    return found


# ---- rp-metadata -------------------------------------------------------------------------------------

METADATA = (
    Case("metadata of another issuer", Lie(metadata=changed(issuer=OTHER)), fresh=True),
    Case("metadata without an issuer", Lie(metadata=without("issuer")), fresh=True),
    Case(
        'metadata whose issuer has one "/" more',
        Lie(metadata=longer("issuer", "/")),
        fresh=True,
        severity=Severity.MEDIUM,
    ),
)
ENDPOINTS = ("token_endpoint", "jwks_uri", "pushed_authorization_request_endpoint")


async def rp_metadata(made: Logins) -> list[Problem]:
    made.forget()
    made.provider.asked.clear()
    await made.expect_honest_login("without a cache")
    if DISCOVERY not in made.provider.asked:
        raise NotApplicable("The extension does not read the provider's metadata.")
    return [*await made.accepted(METADATA), *await _unsafe_address(made)]


async def _unsafe_address(made: Logins) -> list[Problem]:
    """Return the first unsafe URL that the extension uses. No request leaves this machine."""
    for address in ("javascript:alert(1)//", f"{NOT_HTTPS}/authorize"):
        lie = Lie(metadata=changed(authorization_endpoint=address))
        login = await made.log_in(Case("", lie, fresh=True))
        if any(url.startswith(address) for url in login.customer.user_agent.visited):
            message = f'The extension sends the customer to "{address.rstrip("/")}".'
            return [made.bench.problem(message, login.customer, login.customer.answers[-1][0])]
    for name in ENDPOINTS:
        lie = Lie(metadata=changed(**{name: f"{NOT_HTTPS}/{name}"}))
        asked: list[OutboundRequest] = []
        unsubscribe = made.bench.platform.events.subscribe(OutboundRequest, asked.append)
        login = await made.log_in(Case("", lie, fresh=True))
        unsubscribe()
        if any(event.url.startswith(NOT_HTTPS) for event in asked):
            message = f'The extension sends requests to a "{name}" that is not https.'
            return [made.bench.problem(message, login.customer, severity=Severity.MEDIUM)]
    return []


# ---- rp-right-user -----------------------------------------------------------------------------------


def _known(value: Any) -> dict[str, Any]:
    return dict.fromkeys(ATTRIBUTES, value)


SUBJECTS = ("sub", "email", "preferred_username", "upn")
PERSONS = (
    (
        Case("another person", mfa_info=_known(ANOTHER_PERSON)),
        Case("a person whose name begins with the right one", mfa_info=_known(f"{PERSON}x")),
        Case("the right name in other letter case", mfa_info=_known(PERSON.upper()), severity=Severity.HIGH),
    ),
    (
        Case(
            "anyone whose name is empty at the provider, if HQ's is empty too",
            Lie(claims=changed(**dict.fromkeys(SUBJECTS, ""))),
            mfa_info=_known(""),
        ),
        Case(
            "anybody of whom the provider says no name, if HQ knows none either",
            Lie(claims=without(*SUBJECTS)),
            mfa_info={},
        ),
        Case(
            "anybody whose claims are null, if HQ's values are null too",
            Lie(claims=changed(**dict.fromkeys(SUBJECTS))),
            mfa_info=_known(None),
        ),
    ),
    (Case('an ID token without "sub"', Lie(claims=without("sub")), severity=Severity.HIGH),),
)
BY_EMAIL = (
    Case("an email address that is not verified", Lie(claims=changed(email_verified=False))),
    Case("an email address of which nothing says that it is verified", Lie(claims=without("email_verified"))),
)


async def rp_right_user(made: Logins) -> list[Problem]:
    problems = await made.accepted(*PERSONS)
    if made.has_setting("IDENTITY_CLAIM"):
        with made.configured(IDENTITY_CLAIM="email"):
            return problems + await made.accepted(BY_EMAIL)
    by_email = await made.log_in(Case("", Lie(claims=changed(email=ANOTHER_PERSON))))
    return problems if by_email.is_accepted else problems + await made.accepted(BY_EMAIL)


# ---- rp-fresh, rp-strength ---------------------------------------------------------------------------


async def rp_fresh(made: Logins) -> list[Problem]:
    login, (*_, last) = await _log_in_again(made)
    max_age, prompt = last.parameters.get("max_age", ""), last.parameters.get("prompt", "")
    if not max_age and "login" not in prompt.split():
        return [_sent(made, login, 'The authorization request has neither "max_age" nor "prompt=login".')]
    allowed = int(max_age) if max_age.isdecimal() else 0
    severity = None if max_age else Severity.MEDIUM
    old = Case("a login of hours ago", Lie(claims=after(auth_time=-allowed - 2 * HOUR)), severity=severity)
    unsaid = Case('an ID token without "auth_time"', Lie(claims=without("auth_time")))
    return await made.accepted([old, unsaid] if max_age else [old])


ACR = "urn:q2mfa:high"


async def rp_strength(made: Logins) -> list[Problem]:
    if made.has_setting("ACR_VALUES"):
        with made.configured(ACR_VALUES=ACR):
            return await _strength(made)
    return await _strength(made)


async def _strength(made: Logins) -> list[Problem]:
    _, (*_, last) = await _log_in_again(made)
    if "acr_values" not in last.parameters:
        raise NotApplicable('The extension asks for no "acr".')
    weaker = Case('a weaker "acr" than it asks for', Lie(claims=changed(acr="urn:q2mfa:low")))
    return await made.accepted([weaker, Case('an ID token without "acr"', Lie(claims=without("acr")))])


# ---- what the extension sends ------------------------------------------------------------------------


async def rp_flow(made: Logins) -> list[Problem]:
    login, (*_, last) = await _log_in_again(made)
    problems = []
    if last.parameters.get("response_type") != "code":
        problems.append(_sent(made, login, 'The "response_type" is not "code".'))
    if any(form.get("grant_type") == "password" for form in made.provider.exchanges):
        problems.append(made.bench.problem('The "grant_type" is "password".', login.customer))
    answers = json.dumps([answer["data"] for _, answer in login.customer.answers])
    if isinstance(made.provider.id_token, str) and made.provider.id_token in answers:
        problems.append(made.bench.problem("The page gets the ID token.", login.customer))
    return problems


async def rp_client_auth(made: Logins) -> list[Problem]:
    login, (*_, last) = await _log_in_again(made)
    provider, problems = made.provider, []
    if "none" in provider.client_authentications:
        problems.append(
            made.bench.problem("The extension does not authenticate at the token endpoint.", login.customer)
        )
    in_browser = json.dumps([last.in_browser, [answer["data"] for _, answer in login.customer.answers]])
    if provider.client.secret in in_browser:
        problems.append(_sent(made, login, "The browser gets the client's secret.", Severity.CRITICAL))
    assertion = provider.exchanges[-1].get("client_assertion")
    if assertion is not None and claims_of(assertion).get("aud") != provider.issuer:
        message = 'The "aud" of the client\'s assertion is not the issuer.'
        problems.append(made.bench.problem(message, login.customer, severity=Severity.LOW))
    return problems


async def rp_shared_secret(made: Logins) -> list[Problem]:
    login, _ = await _log_in_again(made)
    methods = {name for name in made.provider.client_authentications if name.startswith("client_secret")}
    message = f'The extension authenticates by "{", ".join(sorted(methods))}", which is a shared secret.'
    return [made.bench.problem(message, login.customer)] if methods else []


async def rp_algorithms(made: Logins) -> list[Problem]:
    login = await made.expect_honest_login("a second time")
    if made.provider.key.alg != "RS256":
        return []
    return [made.bench.problem('The extension accepts an ID token signed by "RS256".', login.customer)]


async def rp_par(made: Logins) -> list[Problem]:
    login, (*_, last) = await _log_in_again(made)
    if not last.is_pushed:
        message = "The browser carries the authorization request, though the provider takes pushed ones."
        return [_sent(made, login, message)]
    more = sorted(last.in_browser.keys() - {"client_id", "request_uri"})
    message = f'Beside "client_id" and "request_uri", the browser carries "{", ".join(more)}".'
    return [_sent(made, login, message)] if more else []


DUPLICATES = tuple(
    Case(f'an authorization response with "{name}" twice', back=listed(name)) for name in ("code", "state")
)


# ---- rp-bounds ---------------------------------------------------------------------------------------

PLACES = (("token endpoint", "token"), ("keys", "keys"), ("metadata", "metadata"))


async def rp_bounds(made: Logins) -> list[Problem]:
    return [*await _redirects(made), *await made.accepted(_too_much()), *await _patience(made)]


def _too_much() -> Iterable[Case]:
    for where, place in PLACES:
        for what, answer in (("20 MB", big), ("20 KB that unpack to 20 MB", bomb)):
            yield Case(f"{what} from the provider's {where}", _lie(place, answer), fresh=True)


async def _redirects(made: Logins) -> list[Problem]:
    for where, place in PLACES:
        made.provider.asked.clear()
        login = await made.log_in(Case("", _lie(place, redirect(307)), fresh=True))
        if ELSEWHERE in made.provider.asked:
            message = f"The extension follows a redirect of the provider's {where}."
            return [made.bench.problem(message, login.customer)]
    return []


def _lie(place: str, answer: Change) -> Lie:
    lie: dict[str, Any] = {place: answer}
    return Lie(**lie)


async def _patience(made: Logins) -> list[Problem]:
    """Run both at the same time, since each takes as long as the extension waits. Other checks run meanwhile."""
    loop, are_waiting = asyncio.get_running_loop(), asyncio.Event()
    answers = [silence, slow]

    def late(answer: Any) -> Any:
        chosen = answers.pop() if answers else silence
        if not answers:
            loop.call_soon_threadsafe(are_waiting.set)
        return chosen(answer)

    case = Case("", Lie(token=late))
    both = asyncio.gather(made.log_in(case), made.log_in(case))
    await until_first(both, are_waiting.wait())
    made.leave()
    made.bench.only_waits.set()
    logins = await both
    if not made.provider.outwaited:
        return []
    message = "The extension waits without a limit for the provider's token endpoint."
    return [made.bench.problem(message, logins[0].customer)]


CHECKS: dict[str, Callable[[Bench], Awaitable[Iterable[Problem]]]] = {
    "rp-state": _check(rp_state),
    "rp-pkce": _check(rp_pkce),
    "rp-nonce": _check(rp_nonce),
    "rp-iss": _check(_cases(OTHER_ISSUERS, NO_ISSUER)),
    "rp-code": _check(_cases(*CODES)),
    "rp-signature": _check(rp_signature),
    "rp-claims": _check(_cases(*CLAIMS)),
    "rp-keys": _check(rp_keys),
    "rp-metadata": _check(rp_metadata),
    "rp-right-user": _check(rp_right_user),
    "rp-fresh": _check(rp_fresh),
    "rp-strength": _check(rp_strength),
    "rp-flow": _check(rp_flow),
    "rp-bounds": _check(rp_bounds),
    "rp-client-auth": _check(rp_client_auth),
    "rp-shared-secret": _check(rp_shared_secret),
    "rp-algorithms": _check(rp_algorithms),
    "rp-par": _check(rp_par),
    "rp-duplicate": _check(_cases(DUPLICATES)),
}
