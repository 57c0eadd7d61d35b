# Made by q2mfa {{ cookiecutter._q2mfa_version }}; `q2mfa update` brings fixes.

"""OpenID Connect: send the user to the identity provider, and prove who came back.

The checks are in `protocol.py`; here are the requests, the caches and the log around them.
"""

import asyncio
import time
from contextlib import asynccontextmanager, closing, suppress
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError

from . import protocol
from .protocol import FLOW_SECONDS, PAR_ENDPOINT, Denied, current, denying, usable

CACHE_SECONDS = 3600
REFETCH_SECONDS = 60
TIMEOUT_SECONDS = 10
MAX_BYTES = 100_000  # of an answer of the provider


class OidcClient:
    """One request's client. What outlives it: the provider's metadata and keys, and the flow."""

    def __init__(self, handler):
        self.handler, self.cache, self.session_cache = handler, handler.cache, handler.session_cache

    async def start(self, redirect_uri):
        """Begin a flow: `{"authorization_url": …, "expires_in": seconds}`."""
        async with self._provider() as (settings, metadata):
            par = settings.PAR != "off" and metadata.get(PAR_ENDPOINT)
            usable(par or settings.PAR != "required", "PAR is required, and the provider has none")
            flow = protocol.new_flow(redirect_uri, settings)
            request, seconds = protocol.authorization_request(settings, flow), FLOW_SECONDS
            if par:
                pushed = await self._post(par, request)
                request, seconds = protocol.pushed_request(settings, pushed)
            self._use(self.session_cache, "set", self._key("flow"), flow, FLOW_SECONDS)
            endpoint = metadata["authorization_endpoint"]
            url = endpoint + ("&" if "?" in endpoint else "?") + urlencode(request)
            return {"authorization_url": url, "expires_in": seconds}

    async def finish(self, callback):
        """Return if `callback`, which the browser brought back, proves that the user logged in."""
        async with self._provider() as (settings, metadata):
            flow = protocol.check_flow(self._use(self.session_cache, "get", self._key("flow")))
            # One flow, one answer, in any number of workers: the first to add this key has it.
            first = self._is_first(self.session_cache, FLOW_SECONDS, "taken", flow["state"])
            current(first, "the flow was answered before")
            self._use(self.session_cache, "delete", self._key("flow"))
            code = protocol.check_callback(callback, flow, metadata, settings)
            grant = {name: flow[name] for name in ("redirect_uri", "code_verifier")}
            grant |= {"grant_type": "authorization_code", "code": code}
            answer = await self._post(metadata["token_endpoint"], grant)
            claims = await self._claims(settings, metadata["jwks_uri"], answer.get("id_token"))
            protocol.check_claims(claims, flow, settings)

    @asynccontextmanager
    async def _provider(self):
        """The settings and the provider's metadata, checked. A denial inside goes to the log."""
        try:
            settings = protocol.check_settings(self.handler.config, self.handler.mfa_info)
            url = settings.ISSUER.rstrip("/") + "/.well-known/openid-configuration"  # Discovery, 4
            metadata = await self._published(url, protocol.check_metadata, settings.ISSUER)
            with denying("not_configured", "the client's secret or key cannot be used"):
                secret = await self.handler.client_secret()
                self.fields, self.headers = protocol.authenticate_client(settings, metadata, secret)
            yield settings, metadata
        except Denied as denied:
            self.handler.logger.warning("External MFA denied: %s: %s", *denied.args)
            raise TectonError(denied.args[0], {"code": denied.args[0]}) from None

    async def _claims(self, settings, url, id_token):
        """The claims of the ID token. If no cached key signed it, keys are fetched again."""
        keys = await self._published(url, protocol.check_keys)
        with suppress(Denied):
            return protocol.check_signature(id_token, keys["keys"], settings)
        header = str(id_token).partition(".")[0]
        fresh = self._is_first(self.cache, REFETCH_SECONDS, "refetch", url, header)
        keys = await self._published(url, protocol.check_keys, fresh=fresh)
        return protocol.check_signature(id_token, keys["keys"], settings)

    async def _published(self, url, check, *args, fresh=False):
        """What the provider publishes, checked; kept for an hour, and checked again then."""
        key = self._key("published", url)
        with suppress(Exception):  # the cache has it, and it passes again
            if not fresh:
                return check(self._use(self.cache, "get", key), *args)
        answer = check(await self._fetch(q2_requests.get, url), *args)
        self._use(self.cache, "set", key, answer, CACHE_SECONDS)
        return answer

    async def _post(self, url, form):
        options = {"data": {**form, **self.fields}, "headers": self.headers}
        return await self._fetch(q2_requests.post, url, **options)

    async def _fetch(self, request, url, **options):
        """The JSON object that the provider answers, in time and of a sane size."""
        host, logger = urlsplit(url).hostname, self.handler.logger
        options |= {"timeout": TIMEOUT_SECONDS, "allow_redirects": False}

        async def ask():
            try:
                response = await request(logger, url, stream=True, **options)
            except TypeError:  # this q2_requests does not stream
                response = await request(logger, url, **options)
            return response.status_code, await asyncio.to_thread(_read, response)

        with denying("provider_unavailable", f"{host} gave no usable answer"):
            status, body = await asyncio.wait_for(ask(), TIMEOUT_SECONDS)
        return protocol.check_answer(body, status, host)

    def _is_first(self, cache, seconds, *of):
        """Whether no worker has asked this before. `add` is all that is ever done with its key."""
        return self._use(cache, "add", self._key(*of), "1", expire=seconds, noreply=False) is True

    def _use(self, cache, name, *args, **options):
        with denying("failed", f"the cache cannot {name}"):
            return getattr(cache, name)(*args, **options)

    def _key(self, *of):
        """A key of this extension. Recent keys are on show: none says what it is for."""
        return "oidc2_" + sha256(repr([self.handler.CONFIG_FILE_NAME, *of]).encode()).hexdigest()


def _read(response):
    """The body, as far as it is of a sane size: it may be compressed, or never end."""
    with closing(response):
        body, until = b"", time.monotonic() + TIMEOUT_SECONDS
        for chunk in response.iter_content(64):
            body += chunk
            if len(body) > MAX_BYTES or time.monotonic() > until:
                raise ValueError
        return body
