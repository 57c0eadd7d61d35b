"""Checks of the login page in a frame of online banking: framing, cookies and passkeys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from q2mfa_cli.provider.frame_headers import rule_of
from q2mfa_cli.provider.observation import Failure, NoResponse, Observation, Response, origin_of
from q2mfa_cli.provider.outcome import Outcome, found, passed, printable, skipped, unknown
from q2mfa_cli.provider.page import Page

BLOCKED = "net::ERR_BLOCKED_BY_RESPONSE"
"""How Chromium reports X-Frame-Options and frame-ancestors."""


def login_page(seen: Observation) -> Page | None:
    """Return the login page, which the customer sees first; ``None`` if it was not reached."""
    if seen.pages_end or not seen.pages:
        return None
    page = Page(seen.pages[-1])
    return page if page.is_login else None


def framing(seen: Observation) -> Iterable[Outcome]:
    if isinstance(seen.pages_end, NoResponse):
        if seen.pages_end.failure is Failure.TLS:
            yield unknown("The login page was not reached: its TLS connection is not trusted.")
        else:
            yield unknown(f"The login page was not reached: it {seen.pages_end.failure.value}.")
        return
    if seen.pages_end:
        yield (unknown if seen.pages else skipped)(seen.pages_end)
        return
    if not seen.pages:
        yield skipped("The login page was not checked.")
        return
    response = seen.pages[-1]
    page = Page(response)
    if page.is_error:
        yield unknown(
            f"The provider shows an error page ({response.status}), so the login page could not be checked.",
            "Register the client with this redirect URI, then run the command again.",
        )
    elif not page.is_login:
        yield unknown(
            "The first page needs a script to continue, or is not a login page. Add --browser, or check it in a browser."
        )
    else:
        yield _judged(response, seen.embedder)


def _judged(response: Response, embedder: str) -> Outcome:
    rule, page_url = rule_of(response), response.url.partition("?")[0]
    who = embedder or "another origin"
    if rule.allows_any_origin:
        return passed("The login page lets any origin frame it. Only online banking should be allowed.")
    if embedder and rule.allows(embedder, response.url):
        return passed(f"The login page lets {embedder} frame it.")
    if embedder or rule.allows_only_own_origin:
        return found(f"The login page does not let {who} frame it: {rule.header}.", seen_at=page_url)
    return unknown(f"The login page lets some origins frame it: {rule.header}.", "Add --embedder.")


def browser(seen: Observation) -> Iterable[Outcome]:
    framed, who = seen.framed, seen.embedder or "another origin"
    if isinstance(framed, str):
        yield skipped(f"Not tested: {framed}" if framed else "Not tested in a browser. Add --browser.")
    elif framed.failure == BLOCKED and not seen.embedder:
        yield unknown(
            "Chromium does not show the login page in a frame of another origin.", "Add --embedder."
        )
    elif framed.failure == BLOCKED:
        yield found(f"Chromium does not show the login page in a frame of {who}.")
    elif framed.failure:
        yield unknown(f"Chromium could not load the login page in a frame: {framed.failure}.")
    elif framed.fields:
        fields = f"{framed.fields} field{'' if framed.fields == 1 else 's'}"
        yield passed(f"Chromium shows the login page in a frame of {who}, with {fields} to fill in.")
    elif framed.fields_in_tab:
        yield found(
            f"The login page shows its fields outside a frame, but none in a frame of {who}.",
            seen_at=framed.url,
        )
    else:
        yield unknown("Chromium shows a page without fields to fill in.", "Check it in a browser.")


def frame_cookies(seen: Observation) -> Iterable[Outcome]:
    if login_page(seen) is None:
        yield skipped("The login page was not reached.")
        return
    kept, lost, partitioned = False, dict[str, None](), True
    for response in seen.pages:
        if seen.embedder and is_same_site(seen.embedder, response.url):
            continue
        for cookie in response.all("Set-Cookie"):
            name, attributes = _cookie(cookie)
            if attributes.get("samesite") == "none" and "secure" in attributes:
                kept, partitioned = True, partitioned and "partitioned" in attributes
            else:
                lost[name] = None
    if lost:
        names = ", ".join(list(lost)[:5])
        # Some providers set a second cookie for old browsers. If browsers keep another one, this loss may be harmless.
        yield found(
            "In a frame of another site, browsers drop the provider's cookies that are not SameSite=None and Secure: "
            f"{names}.",
            "medium" if kept else "high",
        )
    elif not kept:
        yield unknown(
            "No cross-site cookie was set before the login. Check the cookies that are set during the login."
        )
    elif not partitioned:
        yield found(
            "The provider's cookies are not Partitioned: Safari and Firefox drop or separate them in a frame.",
            "low",
        )
    else:
        yield passed("The provider's cookies are SameSite=None, Secure and Partitioned.")


def passkeys(seen: Observation) -> Iterable[Outcome]:
    page = login_page(seen)
    if page is None:
        yield skipped("The login page was not reached.")
    elif page.names_passkeys:
        yield found("The login page mentions passkeys, which browsers disable in a cross-origin frame.")
    else:
        yield passed("The login page does not mention passkeys.")


def _cookie(header: str) -> tuple[str, dict[str, str]]:
    """Return a cookie's name, and its attributes by lowercase name."""
    first, *rest = header.split(";")
    attributes = dict(part.strip().lower().partition("=")[::2] for part in rest)
    return printable(first.partition("=")[0].strip(), 40), {
        key.strip(): value.strip() for key, value in attributes.items()
    }


def is_same_site(one: str, other: str) -> bool:
    """Return whether two URLs are same-site for a browser: they have the same scheme and registrable domain."""
    sites = {_site(url) for url in (one, other)}
    return len(sites) == 1


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(origin_of(url))
    host = parts.hostname or ""
    return parts.scheme, _suffixes().privatesuffix(host) or host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
