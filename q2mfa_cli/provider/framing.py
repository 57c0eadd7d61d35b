"""Checks of the login page in a frame of online banking: framing, cookies, passkeys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from q2mfa_cli.provider.frame_headers import rule_of
from q2mfa_cli.provider.observation import Answer, NoAnswer, Observation, Trouble, origin_of
from q2mfa_cli.provider.outcome import Outcome, found, passed, printable, skipped, unknown
from q2mfa_cli.provider.page import Page

BLOCKED = "net::ERR_BLOCKED_BY_RESPONSE"
"""How Chromium reports X-Frame-Options and frame-ancestors."""


def login_page(seen: Observation) -> Page | None:
    """The first page that the customer sees; ``None`` if it was not reached, or is something else."""
    if seen.pages_end or not seen.pages:
        return None
    page = Page(seen.pages[-1])
    return page if page.is_login else None


def framing(seen: Observation) -> Iterable[Outcome]:
    if isinstance(seen.pages_end, NoAnswer):
        if seen.pages_end.trouble is Trouble.TLS:
            yield unknown("The login page was not reached: its TLS connection cannot be trusted.")
        else:
            yield unknown(f"The login page was not reached: it {seen.pages_end.trouble.value}.")
        return
    if seen.pages_end:
        yield (unknown if seen.pages else skipped)(seen.pages_end)
        return
    if not seen.pages:
        yield skipped("The login page was not looked at.")
        return
    answer = seen.pages[-1]
    page = Page(answer)
    if page.is_error:
        yield unknown(
            f"The provider shows an error page ({answer.status}), whose headers say nothing about the login page.",
            "Register the client with this redirect URI, and run again.",
        )
    elif not page.is_login:
        yield unknown("The first page goes on by a script, or is no login page. Look at it in a browser.")
    else:
        yield _judged(answer, seen.embedder)


def _judged(answer: Answer, embedder: str) -> Outcome:
    rule, page_url = rule_of(answer), answer.url.partition("?")[0]
    who = embedder or "another origin"
    if rule.allows_everybody:
        return passed("The login page lets every origin frame it, and should let online banking only.")
    if embedder and rule.allows(embedder, answer.url):
        return passed(f"The login page lets {embedder} frame it.")
    if embedder or rule.allows_own_origin_at_most:
        return found(f"The login page does not let {who} frame it: {rule.header}.", seen_at=page_url)
    return unknown(f"The login page lets some origins frame it: {rule.header}.", "Give --embedder.")


def browser(seen: Observation) -> Iterable[Outcome]:
    framed, who = seen.framed, seen.embedder or "another origin"
    if isinstance(framed, str):
        yield skipped(f"Not tried: {framed}" if framed else "Not tried in a browser (--browser).")
    elif framed.failure == BLOCKED and not seen.embedder:
        yield unknown(
            "Chromium does not show the login page in a frame of another origin.", "Give --embedder."
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
            f"The page shows no field in a frame of {who}, and does outside a frame.", seen_at=framed.url
        )
    else:
        yield unknown("Chromium shows a page without a field to fill in.", "Look at it in a browser.")


def frame_cookies(seen: Observation) -> Iterable[Outcome]:
    if login_page(seen) is None:
        yield skipped("The login page was not seen.")
        return
    kept, lost, partitioned = False, dict[str, None](), True
    for answer in seen.pages:
        if seen.embedder and is_same_site(seen.embedder, answer.url):
            continue
        for cookie in answer.all("Set-Cookie"):
            name, attributes = _cookie(cookie)
            if attributes.get("samesite") == "none" and "secure" in attributes:
                kept, partitioned = True, partitioned and "partitioned" in attributes
            else:
                lost[name] = None
    if lost:
        names, are = ", ".join(list(lost)[:5]), "is" if len(lost) == 1 else "are"
        # Some providers set a second cookie for old browsers: where another one is kept, losing it may be harmless.
        yield found(
            f"Browsers drop cookies of the provider in a frame of another site: {names} {are} not SameSite=None and "
            "Secure.",
            "medium" if kept else "high",
        )
    elif not kept:
        yield unknown("No cookie of another site was set before the login. Look at those that come with it.")
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
        yield skipped("The login page was not seen.")
    elif page.names_passkeys:
        yield found("The login page uses passkeys, which browsers turn off in a frame of another origin.")
    else:
        yield passed("The login page does not mention passkeys.")


def _cookie(header: str) -> tuple[str, dict[str, str]]:
    """A cookie's name, and its attributes by their names in lower case."""
    first, *rest = header.split(";")
    attributes = dict(part.strip().lower().partition("=")[::2] for part in rest)
    return printable(first.partition("=")[0].strip(), 40), {
        key.strip(): value.strip() for key, value in attributes.items()
    }


def is_same_site(one: str, other: str) -> bool:
    """Whether two URLs are of one site: the same scheme and registrable domain, as browsers see it."""
    sites = {_site(url) for url in (one, other)}
    return len(sites) == 1


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(origin_of(url))
    host = parts.hostname or ""
    return parts.scheme, _suffixes().privatesuffix(host) or host


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
