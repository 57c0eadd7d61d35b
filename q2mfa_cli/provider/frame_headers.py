"""The headers that decide whether another origin may frame a response.

Sources: Content Security Policy Level 3, and the HTML Standard for X-Frame-Options.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from q2mfa_cli.provider.observation import Response, origin_of
from q2mfa_cli.provider.outcome import printable

SHOWN = 160
DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Rule:
    """The rule for framing a page.

    :param header: The deciding header, ready to show in a message; empty if no header limits framing.
    :param sources: The source lists of all policies. Each list must allow the embedder.
    """

    header: str
    sources: tuple[tuple[str, ...], ...]

    @property
    def allows_any_origin(self) -> bool:
        return all(set(each) & {"*", "https:"} for each in self.sources)

    @property
    def allows_only_own_origin(self) -> bool:
        """Whether at most the page's own origin may frame it."""
        return any(all(source in ("'self'", "'none'") for source in each) for each in self.sources)

    def allows(self, embedder: str, page: str) -> bool:
        """Return whether the origin *embedder* may frame the page at the URL *page*."""
        return all(any(_matches(source, embedder, page) for source in each) for each in self.sources)


def rule_of(response: Response) -> Rule:
    """Return the framing rule of a response. With ``frame-ancestors``, browsers ignore ``X-Frame-Options``."""
    policies = []
    for value in response.all("Content-Security-Policy"):
        for policy in value.split(","):
            for directive in policy.split(";"):
                name, *sources = directive.split()[:200] or [""]
                if name.lower() == "frame-ancestors":
                    policies.append(tuple(source.lower() for source in sources) or ("'none'",))
                    break  # browsers ignore a repeated directive
    if policies:
        shown = " and ".join(f"frame-ancestors {' '.join(each)}" for each in policies)
        return Rule(f"Content-Security-Policy: {printable(shown, SHOWN)}", tuple(policies))
    values = response.all("X-Frame-Options")
    options = {option.strip().lower() for value in values for option in value.split(",")}
    header = f"X-Frame-Options: {printable(', '.join(values), SHOWN)}"
    if len(options) > 1:
        forbids = options & {"deny", "sameorigin", "allowall"}
        return Rule(header, (("'none'",),)) if forbids else Rule("", ())
    if options == {"deny"}:
        return Rule(header, (("'none'",),))
    if options == {"sameorigin"}:
        return Rule(header, (("'self'",),))
    return Rule("", ())  # browsers ignore all other values, such as ALLOW-FROM


def _matches(source: str, embedder: str, page: str) -> bool:
    """Return whether one source expression matches the origin *embedder* (CSP Level 3, 6.7.2.8)."""
    origin = urlsplit(embedder)
    if source == "'self'":
        return origin_of(embedder) == origin_of(page)
    if source == "*":
        return origin.scheme in ("http", "https")
    if source.endswith(":") and "/" not in source:
        return _scheme_matches(source[:-1], origin.scheme)
    scheme, separator, rest = source.partition("://")
    if not separator:
        scheme, rest = urlsplit(page).scheme, source
    host, _, port = rest.partition("/")[0].partition(":")
    own_port = origin.port or DEFAULT_PORTS.get(origin.scheme)
    wanted_port = int(port) if port.isdigit() else DEFAULT_PORTS.get(scheme)
    # A source with http also allows https on the default port.
    upgraded = wanted_port == 80 and own_port == 443
    return (
        _scheme_matches(scheme, origin.scheme)
        and _host_matches(host, origin.hostname or "")
        and (port == "*" or own_port == wanted_port or upgraded)
    )


def _scheme_matches(wanted: str, scheme: str) -> bool:
    return scheme == wanted or (wanted == "http" and scheme == "https")


def _host_matches(wanted: str, host: str) -> bool:
    return host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted
