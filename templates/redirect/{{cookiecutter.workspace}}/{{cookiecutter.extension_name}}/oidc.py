# Made by q2mfa {{ cookiecutter._q2mfa_version }}; `q2mfa update` brings fixes.

"""OpenID Connect: send the user to the identity provider, and prove who came back.

The checks are in `protocol.py`; here are the requests, the caches and the log around them.
"""

import asyncio
import hashlib
import json
import time
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlencode, urlsplit

from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError

from . import protocol
from .protocol import FLOW_SECONDS, PAR_ENDPOINT, Denied, available, denying, require, usable

CACHE_SECONDS = 3600
REFETCH_SECONDS = 60
TIMEOUT_SECONDS = 10
MAX_BYTES = 100_000  # of an answer of the provider


class OidcClient:
    """One request's client. What outlives it: the provider's metadata and keys, and the flow."""

    def __init__(self, extension, config, client_secret, cache, session_cache, logger):
        self.extension, self.config, self.client_secret = extension, config, client_secret
        self.cache, self.session_cache, self.logger = cache, session_cache, logger

    async def start(self, redirect_uri, mfa_info):
        """Begin a flow: `{"authorization_url": …, "expires_in": seconds}`."""
        with self._logged():
            settings = protocol.check_settings(self.config)
            protocol.check_identity(settings, mfa_info)
            metadata = await self._metadata(settings)
            await self._credentials(settings, metadata)  # said now, not after the login
            flow = protocol.new_flow(redirect_uri, mfa_info)
            request = protocol.authorization_request(settings, flow, mfa_info)
            expires_in, par = FLOW_SECONDS, settings.PAR != "off" and metadata[PAR_ENDPOINT]
            usable(par or settings.PAR != "required", "PAR is required, and the provider has none")
            if par:  # RFC 9126, 2
                pushed = await self._post(settings, metadata, par, request)
                reference, seconds = pushed.get("request_uri"), pushed.get("expires_in")
                available(protocol.is_text(reference), "the pushed request has no request_uri")
                request = {"client_id": settings.CLIENT_ID, "request_uri": reference}
                expires_in = seconds if protocol.is_between(1, seconds, FLOW_SECONDS) else 0
            self._use(self.session_cache, "set", self._key("flow"), flow, FLOW_SECONDS)
            endpoint = metadata["authorization_endpoint"]
            url = endpoint + ("&" if "?" in endpoint else "?") + urlencode(request)
            return {"authorization_url": url, "expires_in": expires_in}

    async def finish(self, callback, mfa_info):
        """Return if `callback`, which the browser brought back, proves that the user logged in."""
        with self._logged():
            settings = protocol.check_settings(self.config)
            identity = protocol.check_identity(settings, mfa_info)
            flow = protocol.check_flow(self._use(self.session_cache, "get", self._key("flow")))
            # One flow, one answer, in any number of workers: the first to add this key has it.
            first = self._is_first(self.session_cache, FLOW_SECONDS, "taken", flow["state"])
            require("expired", first, "the flow was answered before")
            self._use(self.session_cache, "delete", self._key("flow"))
            metadata = await self._metadata(settings)
            grant = {
                "grant_type": "authorization_code",
                "code": protocol.check_callback(callback, flow, mfa_info, metadata, settings),
                "redirect_uri": flow["redirect_uri"],
                "code_verifier": flow["code_verifier"],  # RFC 7636, 4.5
            }
            answer = await self._post(settings, metadata, metadata["token_endpoint"], grant)
            claims = await self._claims(settings, metadata, answer.get("id_token"))
            protocol.check_claims(claims, flow, settings, identity)

    async def _claims(self, settings, metadata, id_token):
        """The claims of the ID token. Cached keys that do not fit are fetched again."""
        url = metadata["jwks_uri"]
        for fresh in (False, True):
            keys = await self._published(url, protocol.check_keys, fresh)
            try:
                return protocol.check_signature(id_token, keys["keys"], metadata, settings)
            except protocol.WrongKey as wrong:
                kid = wrong.args[2] or ""
                if fresh or not self._is_first(self.cache, REFETCH_SECONDS, "refetch", url, kid):
                    raise

    async def _metadata(self, settings):
        issuer = settings.ISSUER
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"  # Discovery, 4
        return await self._published(url, lambda answer: protocol.check_metadata(answer, issuer))

    async def _published(self, url, check, fresh=False):
        """What the provider publishes, checked; kept for an hour, and checked again then."""
        key = self._key("published", url)
        with suppress(Denied):
            if not fresh:
                return check(self._use(self.cache, "get", key))
        answer = check(await self._fetch(q2_requests.get, url))
        self._use(self.cache, "set", key, answer, CACHE_SECONDS)
        return answer

    async def _post(self, settings, metadata, url, form):
        fields, headers = await self._credentials(settings, metadata)
        return await self._fetch(q2_requests.post, url, data={**form, **fields}, headers=headers)

    async def _fetch(self, request, url, **options):
        """The JSON object that the provider answers, in time and of a sane size."""
        host = urlsplit(url).hostname
        options |= {"timeout": TIMEOUT_SECONDS, "allow_redirects": False}
        with denying("provider_unavailable", f"{host} gave no usable answer"):
            try:
                asked = request(self.logger, url, stream=True, **options)
                response = await asyncio.wait_for(asked, TIMEOUT_SECONDS)
            except TypeError:  # this q2_requests does not stream
                asked = request(self.logger, url, **options)
                response = await asyncio.wait_for(asked, TIMEOUT_SECONDS)
            body = await asyncio.wait_for(asyncio.to_thread(_read, response), TIMEOUT_SECONDS)
        status = response.status_code
        with denying("provider_unavailable", f"{host} answered {status} and no JSON"):
            return protocol.check_answer(json.loads(body), status, host)

    async def _credentials(self, settings, metadata):
        with denying("not_configured", "the client's secret or key cannot be used"):
            secret = await self.client_secret()
            return protocol.authenticate_client(settings, metadata, secret)

    def _is_first(self, cache, seconds, *of):
        """Whether no worker has asked this before. `add` is all that is ever done with its key."""
        key = self._key(*of)
        return self._use(cache, "add", key, "1", expire=seconds, noreply=False) is True

    def _use(self, cache, name, *args, **options):
        with denying("failed", f"the cache cannot {name}"):
            return getattr(cache, name)(*args, **options)

    def _key(self, *of):
        """A key of this extension. Recent keys are on show: none says what it is for."""
        return "oidc2_" + hashlib.sha256("\n".join([self.extension, *of]).encode()).hexdigest()

    @contextmanager
    def _logged(self):
        try:
            yield
        except Denied as denied:
            code, reason = denied.args[:2]
            self.logger.warning("External MFA denied: %s: %s", code, reason)
            raise TectonError(code, {"code": code}) from None


def _read(response):
    """The body, as far as it is of a sane size: it may be compressed, or never end."""
    with closing(response):
        body, until = b"", time.monotonic() + TIMEOUT_SECONDS
        for chunk in response.iter_content(64):
            body += chunk
            if len(body) > MAX_BYTES or time.monotonic() > until:
                raise ValueError
        return body
