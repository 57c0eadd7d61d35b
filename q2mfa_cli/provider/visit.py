"""Query a provider as a generated extension and its customer do. The checks judge the responses later."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, quote_plus, urlencode, urljoin, urlsplit

import jwt

from q2mfa_cli.provider.capabilities import ALGORITHMS, KEY_METHOD, SECRET_METHODS, authentication_methods
from q2mfa_cli.provider.discovery import (
    BACKEND_ENDPOINTS,
    PAR_ENDPOINT,
    REQUIRED_ENDPOINTS,
    issuer_problem,
    metadata_url,
)
from q2mfa_cli.provider.fetching import SECONDS, Client, connect
from q2mfa_cli.provider.observation import (
    ClientProbe,
    Failure,
    FramedPage,
    NoResponse,
    Observation,
    Response,
    is_safe_url,
    origin_of,
)

REDIRECTS = 5
OTHER_ORIGIN = "https://other.example"
FLOW_SECONDS = 600


@dataclass(frozen=True)
class Target:
    """The provider and the client to check.

    :param embedder: The origin of online banking; empty if unknown.
    :param secret: The client's secret, or its private key as a JWK. ``repr`` does not show it.
    :param requires_par: Whether the extension requires pushed authorization requests.
    :param profile: The extension's PROFILE: ``fapi2``, or empty.
    :param in_browser: Whether to load the login page in a frame in Chromium.
    :param seconds: The time limit of one request.
    """

    issuer: str
    client_id: str = ""
    redirect_uri: str = ""
    embedder: str = ""
    scopes: Sequence[str] = ("openid",)
    acr_values: Sequence[str] = ()
    secret: str = ""
    requires_par: bool = False
    profile: str = ""
    in_browser: bool = False
    seconds: float = SECONDS

    def __repr__(self) -> str:
        return f"Target({self.issuer!r})"


class UnusableKey(ValueError):
    """The secret looks like a private key as a JWK, but cannot be used."""


def visit(target: Target) -> Observation:
    """Query the provider, and return everything that the checks need.

    The secret is sent only to the token or PAR endpoint, and only if the issuer in the metadata matches.

    :raises UnusableKey: The secret is a JWK that cannot sign.
    """
    seen = Observation(
        issuer=target.issuer,
        discovery=NoResponse(metadata_url(target.issuer), Failure.CONNECTION),
        embedder=target.embedder,
        client_id=target.client_id,
        redirect_uri=target.redirect_uri,
        acr_values=target.acr_values,
        requires_par=target.requires_par,
        profile=target.profile,
    )
    if issuer_problem(target.issuer):
        return replace(seen, client_unseen="The issuer is not valid.", pages_end="The issuer is not valid.")
    seen = replace(seen, discovery=Client(target.seconds).get(metadata_url(target.issuer)))
    keys_url = seen.metadata.get("jwks_uri")
    if seen.is_safe(keys_url):
        seen = replace(seen, jwks=Client(target.seconds).get(str(keys_url)))
    seen = _try_client(seen, target)
    seen = _go_to_login(seen, target)
    if target.in_browser:
        seen = replace(seen, framed=_frame(seen, target))
    return replace(seen, connections=tuple(connect(url, target.seconds) for url in _https_origins(seen)))


def _https_origins(seen: Observation) -> list[str]:
    names = (*REQUIRED_ENDPOINTS, *BACKEND_ENDPOINTS)
    urls = [seen.issuer, *(seen.metadata.get(name) for name in names), *(page.url for page in seen.pages)]
    origins = dict.fromkeys(origin_of(str(url)) for url in urls if seen.is_safe(url))
    return [origin for origin in origins if origin.startswith("https:")]


def _authorization_request(target: Target) -> dict[str, str]:
    """Return the request of a generated extension. Its code verifier is discarded, because no code is ever exchanged."""
    challenge = hashlib.sha256(secrets.token_urlsafe(32).encode()).digest()
    request = {
        "client_id": target.client_id,
        "response_type": "code",
        "scope": " ".join(target.scopes),
        "redirect_uri": target.redirect_uri,
        "state": secrets.token_urlsafe(32),
        "nonce": secrets.token_urlsafe(32),
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "prompt": "login",
        "max_age": str(FLOW_SECONDS),
        "acr_values": " ".join(target.acr_values),
    }
    return {name: value for name, value in request.items() if value}


def _try_client(seen: Observation, target: Target) -> Observation:
    """Send the client's credentials: with a pushed authorization request if possible, otherwise to the token endpoint."""
    if not (target.client_id and target.secret):
        return seen
    if seen.metadata.get("issuer") != target.issuer:
        return replace(
            seen, client_unseen="The secret was not sent, because the metadata belongs to a different issuer."
        )
    pushes = bool(target.redirect_uri) and seen.metadata.get(PAR_ENDPOINT) is not None
    endpoint = seen.metadata.get(PAR_ENDPOINT if pushes else "token_endpoint")
    if not seen.is_safe(endpoint):
        return replace(seen, client_unseen="The secret was not sent, because the endpoint has no https URL.")
    methods = authentication_methods(seen)
    method = KEY_METHOD if _is_key(target.secret) else next((m for m in SECRET_METHODS if m in methods), "")
    if not method:
        return replace(
            seen,
            client_unseen="The secret was not sent, because the provider does not accept client secrets.",
        )
    if pushes:
        response = _authenticated_post(target, str(endpoint), method, _authorization_request(target))
        return replace(seen, probe=ClientProbe.PAR, client=response)
    made_up = {
        "grant_type": "authorization_code",
        "code": secrets.token_urlsafe(32),
        "redirect_uri": target.redirect_uri or f"{OTHER_ORIGIN}/verify.html",
        "code_verifier": secrets.token_urlsafe(32),
    }
    response = _authenticated_post(target, str(endpoint), method, made_up)
    return replace(seen, probe=ClientProbe.TOKEN, client=response)


def _authenticated_post(
    target: Target, endpoint: str, method: str, form: Mapping[str, str]
) -> Response | NoResponse:
    proof, headers = _credentials(target, method)
    return Client(target.seconds).post(endpoint, {**form, **proof}, headers)


def _is_key(secret: str) -> bool:
    return secret.lstrip().startswith("{")


def _credentials(target: Target, method: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form fields and headers that authenticate the client, as in the template's oidc.py (Core, 9)."""
    if method == "client_secret_post":
        return {"client_id": target.client_id, "client_secret": target.secret}, {}
    if method == KEY_METHOD:
        return {
            "client_id": target.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(target),
        }, {}
    pair = f"{quote_plus(target.client_id)}:{quote_plus(target.secret)}"
    return {}, {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def _assertion(target: Target) -> str:
    now = int(time.time())
    claims: dict[str, str | int] = {
        "iss": target.client_id,
        "sub": target.client_id,
        "aud": target.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
    }
    try:
        key = jwt.PyJWK(json.loads(target.secret))
        if key.algorithm_name not in ALGORITHMS:
            raise UnusableKey
        return jwt.encode(claims, key.key, key.algorithm_name, {"kid": key.key_id})
    except Exception:  # noqa: BLE001
        # A library's message about a private key must not reach the terminal.
        raise UnusableKey from None


def _reference(seen: Observation) -> str:
    """Return the ``request_uri`` of the pushed request; empty if the provider accepted none."""
    response = seen.client
    if (
        seen.probe is not ClientProbe.PAR
        or not isinstance(response, Response)
        or response.status not in (200, 201)
    ):
        return ""
    reference = response.json.get("request_uri") if isinstance(response.json, dict) else ""
    return reference if isinstance(reference, str) else ""


def _authorization_url(seen: Observation, target: Target, reference: str) -> str:
    pushed = {"client_id": target.client_id, "request_uri": reference}
    endpoint = str(seen.metadata["authorization_endpoint"])
    separator = "&" if "?" in endpoint else "?"
    return f"{endpoint}{separator}{urlencode(pushed if reference else _authorization_request(target))}"


def _go_to_login(seen: Observation, target: Target) -> Observation:
    """Request the login page as the customer's browser does: with cookies, and through at most five redirects."""
    if not seen.is_safe(seen.metadata.get("authorization_endpoint")):
        return replace(seen, pages_end="There is no usable authorization endpoint.")
    reference = _reference(seen)
    # This request does not use the request_uri, which a provider may accept only once.
    other = Client(target.seconds).get(_authorization_url(seen, target, ""), {"Origin": OTHER_ORIGIN})
    seen = replace(seen, cross_origin=other)
    if not (target.client_id and target.redirect_uri):
        return replace(
            seen,
            pages_end="The login page was not checked. Add --client-id and --redirect-uri.",
        )
    if seen.metadata.get("require_pushed_authorization_requests") is True and not reference:
        return replace(
            seen,
            pages_end="The login page was not checked, because the provider requires pushed requests. "
            "Add --client-secret-env.",
        )
    browser, pages = Client(target.seconds), list[Response]()
    url = _authorization_url(seen, target, reference)
    for _ in range(REDIRECTS + 1):
        response = browser.get(url)
        if isinstance(response, NoResponse):
            return replace(seen, pages=pages, pages_end=response)
        pages.append(response)
        location = response.first("Location")
        if not 300 <= response.status < 400 or not location:
            return replace(seen, pages=pages)
        url = urljoin(response.url, location)
        if _is_callback(url, target.redirect_uri):
            return replace(seen, pages=pages, pages_end=_callback(url))
        if not is_safe_url(url.partition("#")[0], target.issuer):
            return replace(
                seen, pages=pages, pages_end="A redirect to the login page leads to a URL without https."
            )
        url = url.partition("#")[0]
    return replace(seen, pages=pages, pages_end=f"The login page is behind more than {REDIRECTS} redirects.")


def _frame(seen: Observation, target: Target) -> FramedPage | str:
    """Load the login page in a frame of the embedder in Chromium, and return the result, or why it was not loaded."""
    if seen.pages_end or not seen.pages:
        return "The login page was not reached."
    from q2mfa_cli.provider.chromium import frame  # needs Playwright

    def url() -> str:
        again = _try_client(seen, target) if _reference(seen) else seen
        return _authorization_url(again, target, _reference(again))

    return frame(url, seen.embedder or OTHER_ORIGIN, seen.on_loopback, target.seconds)


def _is_callback(url: str, redirect_uri: str) -> bool:
    return url.partition("?")[0].partition("#")[0] == redirect_uri.partition("?")[0]


def _callback(url: str) -> str:
    """Return a sentence about a redirect to the client in place of a login page."""
    error = (parse_qs(urlsplit(url).query).get("error") or [""])[0]
    if re.fullmatch(r"[a-z_]{1,40}", error):
        return f"The provider responds with {error} and shows no page."
    return "The provider redirects back at once and shows no page."
