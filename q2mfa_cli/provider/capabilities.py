"""Checks of the metadata: the flow, PKCE, PAR, algorithms, client authentication and claims."""

from __future__ import annotations

from collections.abc import Iterable

from q2mfa_cli.provider.discovery import PAR_ENDPOINT
from q2mfa_cli.provider.observation import Observation
from q2mfa_cli.provider.outcome import Outcome, found, info, listed, passed, skipped, unknown

# The algorithms that the template's oidc.py accepts: asymmetric ones only, so that a shared secret cannot sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
FAPI2_ALGORITHMS = ("PS256", "ES256", "EdDSA")
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
KEY_METHOD = "private_key_jwt"

NO_METADATA = skipped("There is no metadata.")


def response_type(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    types = seen.texts("response_types_supported")
    if types is None:
        yield found("The metadata does not list response types.", "low")
    elif "code" not in types:
        yield found(f"The response type code is missing. Announced: {listed(types)}.")
    else:
        yield passed("The response type code is announced.")
    modes = seen.texts("response_modes_supported")
    if modes is not None and "query" not in modes:
        yield found(f"The response mode query is missing. Announced: {listed(modes)}.")
    grants = seen.texts("grant_types_supported")
    if grants is not None and "authorization_code" not in grants:
        yield found(f"The authorization code grant is missing. Announced: {listed(grants)}.")


def pkce(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    methods = seen.texts("code_challenge_methods_supported")
    if methods is None:
        yield unknown("The metadata does not announce PKCE. The extension always uses S256.")
    elif "S256" not in methods:
        yield found(f"The code challenge method S256 is missing. Announced: {listed(methods)}.")
    elif "plain" in methods:
        yield found("The code challenge method plain is announced in addition to S256.", "low")
    else:
        yield passed("S256 is announced, and plain is not.")


def par(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    required = seen.metadata.get("require_pushed_authorization_requests") is True
    if seen.metadata.get(PAR_ENDPOINT) is None:
        if required:
            yield found(
                "The provider requires pushed authorization requests, but announces no endpoint.", "high"
            )
        elif seen.requires_par or seen.profile:
            yield found(
                "The extension requires pushed authorization requests, but the provider does not announce them.",
                "high",
            )
        else:
            yield found("The provider does not announce pushed authorization requests.")
    elif required:
        yield passed("Pushed authorization requests are required.")
    else:
        yield passed("Pushed authorization requests are announced, and the extension uses them.")


def iss(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
    elif seen.metadata.get("authorization_response_iss_parameter_supported") is True:
        yield passed("The provider announces iss in the authorization response.")
    else:
        # With PROFILE = "fapi2", the extension denies a response without iss.
        yield found(
            "The provider does not announce iss in the authorization response.",
            "high" if seen.profile else "",
        )


def id_token_alg(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    algorithms = seen.texts("id_token_signing_alg_values_supported")
    if algorithms is None:
        yield unknown("The metadata does not list signing algorithms for ID tokens.")
        return
    usable = [each for each in algorithms if each in ALGORITHMS]
    if not usable:
        yield found(
            f"The extension accepts none of the algorithms for ID tokens. Announced: {listed(algorithms)}."
        )
        return
    fapi2 = [each for each in usable if each in FAPI2_ALGORITHMS]
    if seen.profile and not fapi2:
        yield found(f"FAPI 2.0 allows none of the algorithms for ID tokens. Announced: {listed(algorithms)}.")
        return
    yield passed(
        f"ID tokens can be signed with {listed(usable)}; "
        f"of these, FAPI 2.0 allows {listed(fapi2) if fapi2 else 'none'}."
    )
    if "none" in algorithms:
        yield found("ID tokens without a signature are announced (none).", "low")


def authentication_methods(seen: Observation) -> list[str]:
    """Return the client authentication methods of the token endpoint.

    If the metadata lists none, the only one is client_secret_basic (Discovery, 3).
    """
    return seen.texts("token_endpoint_auth_methods_supported") or [SECRET_METHODS[0]]


def client_auth(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    methods = authentication_methods(seen)
    accepted = (KEY_METHOD,) if seen.profile else (*SECRET_METHODS, KEY_METHOD)
    usable = [each for each in accepted if each in methods]
    if not usable:
        yield found(f"None of the client authentication methods can be used. Announced: {listed(methods)}.")
        return
    algorithms = seen.texts("token_endpoint_auth_signing_alg_values_supported")
    signing = FAPI2_ALGORITHMS if seen.profile else ALGORITHMS
    if usable == [KEY_METHOD] and algorithms is not None and not set(algorithms) & set(signing):
        yield found(f"No algorithm for {KEY_METHOD} can be used. Announced: {listed(algorithms)}.")
    elif usable == [KEY_METHOD]:
        yield passed(f"The client can authenticate with {KEY_METHOD} only.")
    else:
        yield passed(f"The client can authenticate with {listed(usable)}.")


def acr(seen: Observation) -> Iterable[Outcome]:
    announced = seen.texts("acr_values_supported")
    if not seen.metadata:
        yield NO_METADATA
    elif not seen.acr_values:
        supported = f" The provider announces {listed(announced)}." if announced else ""
        yield skipped(f"No ACR values were given (--acr-values).{supported}")
    elif announced is None:
        yield unknown("The metadata does not list ACR values.")
    elif missing := [each for each in seen.acr_values if each not in announced]:
        yield found(f"{listed(missing)} is not an announced ACR value. Announced: {listed(announced)}.")
    else:
        yield passed("The ACR values are announced.")


def claims(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    announced = seen.texts("claims_supported")
    if announced is None:
        yield unknown("The metadata does not list claims.")
    elif "auth_time" not in announced:
        yield unknown(
            "auth_time is not an announced claim. Many providers send it anyway.",
            "Try a login. If the extension denies it with too_old, configure the provider to add auth_time to the ID token.",
        )
    else:
        yield passed("The claim auth_time is announced.")
    if announced is not None and "email" in announced and "email_verified" not in announced:
        yield info("email is announced without email_verified: do not identify customers by email.")


def subject(seen: Observation) -> Iterable[Outcome]:
    if not seen.metadata:
        yield NO_METADATA
        return
    types = seen.texts("subject_types_supported")
    if types is None:
        yield unknown("The metadata does not say whether sub is the same for all clients.")
    elif "pairwise" in types:
        yield info(
            "sub can differ for each client (pairwise): link customers by the sub that this client gets."
        )
    else:
        yield passed("sub is the same for all clients.")
