"""OpenID Connect: send the user to the identity provider, and prove who came back.

Each check is one line, with the section it answers: Core and Discovery are those of OpenID Connect 1.0. A check that
does not hold ends in a TectonError for the page and one line in the log, with no secret, code or token in either.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import math
import secrets
import time
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError

# Asymmetric ones only: what the provider publishes, or shares with this client, must not sign (RFC 8725, 3.1).
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
DECODER = jwt.PyJWT({"enforce_minimum_key_length": True})  # RFC 7518, 3.3
LEEWAY_SECONDS = 60  # clocks differ (Core, 3.1.3.7)
FLOW_SECONDS = 600  # from leaving to coming back
CACHE_SECONDS = 3600
TIMEOUT_SECONDS = 10
MAX_CHARACTERS = 100_000  # of an answer of the provider
FLOW_KEY = "mfa_flow"

ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", "pushed_authorization_request_endpoint"]
# What a customer can do something about; every other error of a provider is one (RFC 6749, 4.1.2.1; Core, 3.1.2.6).
USER_ERRORS = ["access_denied", "login_required", "interaction_required", "consent_required", "temporarily_unavailable"]


class OidcClient:
    """One request's client. What outlives it: the provider's metadata and keys, and the session's pending flow."""

    def __init__(self, config, client_secret, redirect_uri, cache, session_cache, logger):
        self.config = config
        self.client_secret = client_secret
        self.redirect_uri = redirect_uri
        self.cache = cache
        self.session_cache = session_cache
        self.logger = logger

    async def start(self, login_hint):
        """Begin a flow: `{"authorization_url": …, "expires_in": seconds}`."""
        self._require(self.config.CLIENT_ID and await self.client_secret(), "not_configured", "there is no client id or secret")
        metadata = await self._metadata()
        flow = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "code_verifier")}
        flow["started"] = int(time.time())
        request = {
            "client_id": self.config.CLIENT_ID,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": self.config.SCOPES,
            "state": flow["state"],
            "nonce": flow["nonce"],
            "code_challenge": _base64url(hashlib.sha256(flow["code_verifier"].encode()).digest()),  # RFC 7636, 4.2
            "code_challenge_method": "S256",
            "max_age": self.config.MAX_AGE,
        }
        if self.config.MAX_AGE == 0:
            request["prompt"] = "login"
        if self.config.ACR_VALUES:
            request["acr_values"] = self.config.ACR_VALUES
        if login_hint:
            request["login_hint"] = login_hint
        expires_in = FLOW_SECONDS
        par_endpoint = metadata["pushed_authorization_request_endpoint"]
        if par_endpoint:  # RFC 9126, 2
            pushed = await self._post(metadata, par_endpoint, request)
            self._require(_is_text(pushed.get("request_uri")), "provider_unavailable", "the pushed request has no request_uri")
            request = {"client_id": self.config.CLIENT_ID, "request_uri": pushed["request_uri"]}
            expires_in = pushed.get("expires_in") if _between(1, pushed.get("expires_in"), FLOW_SECONDS) else 0
        else:
            self._require(not self.config.REQUIRE_PAR, "not_configured", "PAR is required, and the provider has none")
        self.session_cache.set(FLOW_KEY, flow, FLOW_SECONDS)
        separator = "&" if "?" in metadata["authorization_endpoint"] else "?"
        return {
            "authorization_url": metadata["authorization_endpoint"] + separator + urlencode(request),
            "expires_in": expires_in,
        }

    async def finish(self, callback, q2_identity):
        """Return if `callback`, what the provider sent back through the browser, proves that `q2_identity` was there."""
        flow = self.session_cache.get(FLOW_KEY)
        self.session_cache.delete(FLOW_KEY)  # before anything else: one flow, one answer
        self._require(flow, "expired", "the session has no pending flow")
        self._require(_same(callback.get("state"), flow["state"]), "expired", "the state is another one")  # RFC 6749, 10.12

        metadata = await self._metadata()
        if callback.get("iss") is not None or metadata["announces_iss"]:
            self._require(callback.get("iss") == metadata["issuer"], "not_trusted", "iss is another issuer")  # RFC 9207, 2.4
        error = callback.get("error")
        if error in USER_ERRORS:
            raise self._denied(error, f"the provider answered {error}")
        self._require(error is None, "provider_error", "the provider answered another error")  # RFC 6749, 4.1.2.1
        self._require(_is_text(callback.get("code")), "provider_error", "there is no code, or more than one")  # RFC 6749, 3.1

        grant = {
            "grant_type": "authorization_code",
            "code": callback["code"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": flow["code_verifier"],  # RFC 7636, 4.5
        }
        answer = await self._post(metadata, metadata["token_endpoint"], grant)
        claims = await self._claims(metadata, answer.get("id_token"))

        now, earliest = time.time(), flow["started"] - LEEWAY_SECONDS
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        azp = claims.get("azp", None if several else self.config.CLIENT_ID)
        self._require(azp == self.config.CLIENT_ID, "not_trusted", "azp is another client")  # Core, 3.1.3.7 (4), (5)
        self._require(_between(earliest, claims["iat"], math.inf), "not_trusted", "iat is before the flow")  # (10)
        self._require(_same(claims.get("nonce"), flow["nonce"]), "not_trusted", "the nonce is another one")  # (11)
        if self.config.ACR_VALUES:
            accepted = self.config.ACR_VALUES.split()
            self._require(claims.get("acr") in accepted, "too_weak", "acr is none of those asked for")  # (12)
        recent = _between(earliest - self.config.MAX_AGE, claims.get("auth_time"), now + LEEWAY_SECONDS)
        self._require(recent, "too_old", "auth_time is missing or too old")  # (13)

        self._require(_is_text(q2_identity), "not_linked", f"the user has no {self.config.IDENTITY_ATTRIBUTE}")
        if self.config.IDENTITY_CLAIM == "email":
            self._require(claims.get("email_verified") is True, "wrong_user", "the e-mail is not verified")  # Core, 5.1
        self._require(claims.get(self.config.IDENTITY_CLAIM) == q2_identity, "wrong_user", "somebody else logged in")

    async def _claims(self, metadata, id_token):
        """The claims of an ID token that the provider signed, for this client, and that is valid now."""
        try:
            header = jwt.get_unverified_header(id_token)
            key = await self._key(metadata, header)
            self._require(key, "not_trusted", "no key of the provider is that of the ID token")
            return DECODER.decode(
                id_token,
                jwt.PyJWK(key, header["alg"]),
                algorithms=ALGORITHMS,  # Core, 3.1.3.7 (6), (7)
                issuer=metadata["issuer"],  # (2)
                audience=self.config.CLIENT_ID,  # (3)
                leeway=LEEWAY_SECONDS,  # (9), (10): exp and iat; RFC 7519, 4.1.5: nbf
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except TectonError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a token makes the library raise, it is not valid
            raise self._denied("not_trusted", f"the ID token is not valid: {type(error).__name__}") from None

    async def _key(self, metadata, header):
        """The one key that `header` can mean; fetched again where it is not known, for a provider changes its keys."""
        for fresh in (False, True):
            fitting = [
                key
                for key in await self._keys(metadata, fresh)
                if header.get("kid") in (None, key.get("kid"))  # Core, 10.1
                and key.get("use", "sig") == "sig"
                and key.get("alg", header["alg"]) == header["alg"]
            ]
            if len(fitting) == 1:
                return fitting[0]
        return None

    async def _keys(self, metadata, fresh):
        cache_key = _cache_key("keys", metadata["issuer"])
        keys = None if fresh else self.cache.get(cache_key)
        if keys is None:
            answer = await self._fetch(q2_requests.get, metadata["jwks_uri"])
            # What a key is made of is text (RFC 7517, 4; RFC 7518, 6); the rest is not used here.
            keys = [{name: key[name] for name in key if _is_text(key[name])} for key in _of_type(dict, answer.get("keys"))]
            self.cache.set(cache_key, keys, CACHE_SECONDS)
        return keys

    async def _metadata(self):
        """What of the provider's metadata is used here, checked."""
        issuer = self.config.ISSUER
        self._require(_is_safe_url(issuer), "not_configured", "the issuer is no https URL")  # Discovery, 3
        cache_key = _cache_key("metadata", issuer)
        metadata = self.cache.get(cache_key)
        if metadata is None:
            answer = await self._fetch(q2_requests.get, issuer.rstrip("/") + "/.well-known/openid-configuration")  # Discovery, 4
            self._require(answer.get("issuer") == issuer, "provider_unavailable", "the metadata are another issuer's")  # (4.3)
            metadata = {
                "issuer": issuer,
                **{name: answer.get(name) for name in ENDPOINTS},
                "announces_iss": bool(answer.get("authorization_response_iss_parameter_supported")),  # RFC 9207, 3
                "auth_methods": _of_type(str, answer.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])),
            }
            for name in ENDPOINTS:
                optional = name == "pushed_authorization_request_endpoint" and metadata[name] is None
                self._require(optional or _is_safe_url(metadata[name]), "provider_unavailable", f"{name} is no https URL")
            self.cache.set(cache_key, metadata, CACHE_SECONDS)
        return metadata

    async def _post(self, metadata, url, form):
        """POST `form` as the client, by the configured or the first announced method (RFC 6749, 2.3; Core, 9)."""
        configured = self.config.CLIENT_AUTH_METHOD
        wanted = [configured] if configured else ["client_secret_basic", "client_secret_post"]
        method = next((name for name in wanted if name in metadata["auth_methods"]), None)
        self._require(method, "not_configured", f"the provider takes none of {', '.join(wanted)}")
        client_id, secret = self.config.CLIENT_ID, await self.client_secret()
        self._require(secret, "not_configured", "there is no client secret")
        form, headers = {**form, "client_id": client_id}, {}
        if method == "client_secret_basic":
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1: encoded, each
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif method == "client_secret_post":
            form["client_secret"] = secret
        else:
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2
            form["client_assertion"] = self._assertion(secret, metadata["issuer"])
        return await self._fetch(q2_requests.post, url, data=form, headers=headers)

    def _assertion(self, private_key, audience):
        """A JWT by which the client says who it is, to this issuer alone (RFC 7523, 3)."""
        try:
            key = jwt.PyJWK.from_json(private_key)
            now, client_id = int(time.time()), self.config.CLIENT_ID
            claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 60}
            claims["jti"] = secrets.token_urlsafe(16)
            return jwt.encode(claims, key.key, key.algorithm_name, {"kid": key.key_id})
        except Exception as error:  # noqa: BLE001 - its own text may hold the key
            raise self._denied("not_configured", f"the client's private key cannot be used: {type(error).__name__}") from None

    async def _fetch(self, request, url, **options):
        """The JSON object that the provider answers, in time and of a bounded size."""
        host = urlsplit(url).hostname
        try:
            # q2_requests wraps the requests library and takes its options.
            answering = request(self.logger, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)
            response = await asyncio.wait_for(answering, TIMEOUT_SECONDS)
            text = response.text
            answer = json.loads(text) if len(text) <= MAX_CHARACTERS else None
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no answer, and so no MFA
            raise self._denied("provider_unavailable", f"{host} gave no usable answer: {type(error).__name__}") from None
        self._require(isinstance(answer, dict), "provider_unavailable", f"{host} gave no JSON object of a sane size")
        # The client's own mistakes are worth their name in the log; another text of a stranger is not (RFC 6749, 5.2).
        mistake = answer.get("error") if answer.get("error") in ("invalid_client", "invalid_grant", "invalid_request") else ""
        self._require(response.status_code in (200, 201), "provider_unavailable", f"{host} answered {response.status_code} {mistake}")
        return answer

    def _require(self, holds, code, reason):
        if not holds:
            raise self._denied(code, reason)

    def _denied(self, code, reason):
        self.logger.warning("External MFA denied: %s", reason)
        return TectonError(code, {"code": code})  # the page finds the code in either


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _between(earliest, moment, latest):
    return type(moment) in (int, float) and earliest <= moment <= latest


def _cache_key(kind, issuer):
    return f"oidc_{kind}_{hashlib.sha256(issuer.encode()).hexdigest()}"


def _is_safe_url(url):
    try:
        parts = urlsplit(url)
        loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
    except (AttributeError, TypeError, ValueError):
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and loopback))


def _is_text(value):
    return isinstance(value, str) and value != ""


def _of_type(kind, value):
    return [item for item in value if isinstance(item, kind)] if isinstance(value, list) else []


def _same(given, expected):
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())
