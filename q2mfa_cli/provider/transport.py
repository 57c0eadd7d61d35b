"""Checks of the connection: TLS, the clock and CORS."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timezone
from email.utils import parsedate_to_datetime

from q2mfa_cli.provider.observation import Observation, Response
from q2mfa_cli.provider.outcome import Outcome, found, passed, skipped, unknown

LEEWAY_SECONDS = 60
"""How far the clocks of the provider and the extension may differ. The template's protocol.py has the same limit."""
CERTIFICATE_DAYS = 21


def tls(seen: Observation) -> Iterable[Outcome]:
    if seen.on_loopback:
        yield skipped("The issuer is an http URL.")
        return
    if not seen.connections:
        yield skipped("No connection was made.")
        return
    problems = []
    for each in seen.connections:
        if each.error and each.trusted:
            yield unknown(f"The TLS connection to {each.host} could not be checked: {each.error}.")
        elif each.error:
            problems.append(found(f"The TLS connection to {each.host} cannot be trusted: {each.error}."))
        elif each.days_left < CERTIFICATE_DAYS:
            days = f"{each.days_left} day{'' if each.days_left == 1 else 's'}"
            problems.append(found(f"The certificate of {each.host} expires in {days}.", "medium"))
    if isinstance(seen.discovery, Response) and not seen.discovery.first("Strict-Transport-Security"):
        problems.append(found("The provider does not send Strict-Transport-Security.", "low"))
    yield from problems
    good = [each for each in seen.connections if not each.error]
    if good and not problems:
        yield passed(f"{', '.join(sorted({each.version for each in good}))} with trusted certificates.")


def clock(seen: Observation) -> Iterable[Outcome]:
    responses = [each for each in (seen.discovery, seen.jwks) if isinstance(each, Response)]
    skews = [skew for response in responses if (skew := _skew(response)) is not None]
    if not skews:
        yield unknown("No response has a Date header.")
        return
    # A cache can only make the Date older, so the smallest difference is the one of the clocks.
    skew = min(skews, key=abs)
    size, direction = round(abs(skew)), "ahead of" if skew > 0 else "behind"
    if abs(skew) > LEEWAY_SECONDS:
        yield found(f"The provider's clock is {size} seconds {direction} this machine's.", "high")
    elif abs(skew) > LEEWAY_SECONDS / 2:
        yield found(f"The provider's clock is {size} seconds {direction} this machine's.")
    else:
        yield passed(f"The clocks differ by {size} second{'' if size == 1 else 's'}.")


def _skew(response: Response) -> float | None:
    """Return how many seconds the provider's clock is ahead of this machine's; ``None`` if the response has no date."""
    try:
        date = parsedate_to_datetime(response.first("Date"))
    except (TypeError, ValueError):
        return None
    age = response.first("Age")
    made = date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp()
    return made + (int(age) if age.isascii() and age.isdigit() and len(age) < 9 else 0) - response.received


def cors(seen: Observation) -> Iterable[Outcome]:
    response = seen.cross_origin
    if not isinstance(response, Response):
        yield skipped("The authorization endpoint was not queried.")
    elif allowed := response.first("Access-Control-Allow-Origin"):
        shown = "any origin" if allowed == "*" else "other origins"
        yield found(
            f"The authorization endpoint allows CORS requests from {shown}.",
            seen_at=response.url.partition("?")[0],
        )
    else:
        yield passed("The authorization endpoint does not allow CORS requests.")
