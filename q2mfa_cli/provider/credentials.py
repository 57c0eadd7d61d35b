"""The check of the client: whether the provider accepts its credentials and its redirect URI."""

from __future__ import annotations

from collections.abc import Iterable

from q2mfa_cli.provider.observation import ClientProbe, NoResponse, Observation
from q2mfa_cli.provider.outcome import Outcome, found, passed, skipped, unknown

# Only these error codes are ever shown, because other parts of an error may repeat the credentials (RFC 6749, 5.2; RFC 9126, 2.3).
ERRORS = (
    "invalid_client",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
)


def client(seen: Observation) -> Iterable[Outcome]:
    response, probe = seen.client, seen.probe
    if response is None or probe is None:
        yield skipped(
            seen.client_unseen or "No client credentials were given (--client-id, --client-secret-env)."
        )
        return
    if isinstance(response, NoResponse):
        yield unknown(f"The endpoint {response.failure.value}.")
        return
    body = response.json if isinstance(response.json, dict) else {}
    error = body.get("error") if body.get("error") in ERRORS else ""
    said = f"{response.status} {error}".strip()
    if error in ("invalid_client", "unauthorized_client") or response.status == 401:
        yield found(f"The provider rejects the client's credentials ({said}).", seen_at=response.url)
    elif (
        response.status == 403 and not error
    ):  # Glewlwyd responds so to a wrong secret, and a firewall to this machine
        yield found(
            "The provider rejects the client's credentials or this machine (403).", seen_at=response.url
        )
    elif probe is ClientProbe.TOKEN:
        if error == "invalid_grant":
            yield passed("The provider accepts the client's credentials. The redirect URI was not tested.")
        else:
            yield unknown(f"The token endpoint's response to a made-up code is inconclusive ({said}).")
    elif response.status in (200, 201) and isinstance(body.get("request_uri"), str):
        yield passed("The provider accepts the client's credentials and the redirect URI.")
    elif error:
        yield found(
            f"The provider accepts the credentials but rejects the authorization request ({said}).",
            remedy="Register the redirect URI, the scope openid and the authorization code grant for this client.",
            seen_at=response.url,
        )
    else:
        yield unknown(f"The response to the pushed authorization request is inconclusive ({said}).")
