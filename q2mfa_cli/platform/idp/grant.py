"""The authorization code grant with PKCE and the OpenID Connect rules."""

from __future__ import annotations

from typing import Any, cast

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidGrantError, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9101.errors import RequestNotSupportedError

from q2mfa_cli.platform.idp.authorization_server import CODE_SECONDS, AuthorizationServer
from q2mfa_cli.platform.idp.claims import user_claims
from q2mfa_cli.platform.idp.client import Client
from q2mfa_cli.platform.idp.client_authentication import authenticate
from q2mfa_cli.platform.idp.codes import AuthorizationCode
from q2mfa_cli.platform.idp.id_token import IdToken
from q2mfa_cli.platform.idp.messages import Request


def register_grant(server: AuthorizationServer) -> None:
    """Make *server* support the authorization code grant."""
    server.register_grant(CodeGrant, [S256(), IdToken(server), _check_openid_rules])


class CodeGrant(AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 4.1), with the storage of :class:`AuthorizationServer`."""

    server: AuthorizationServer

    @classmethod
    def check_authorization_endpoint(cls, request: OAuth2Request) -> bool:
        return True  # this is the only grant, and the response type must be checked after the client and redirect URI

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: ClientMixin) -> str:
        """Return the redirect URI of *request*. It must equal the registered one as a string (RFC 9700 2.1)."""
        redirect_uri = request.form.get("redirect_uri", "")
        if not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The 'redirect_uri' is not the registered one.")
        return redirect_uri

    def authenticate_token_endpoint_client(self) -> Client:
        return authenticate(self.server, self.request)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        assert isinstance(request, Request)
        now = self.server.clock()
        self.server.codes[code] = AuthorizationCode(
            request.parameters, request.scope, request.user or "", int(now), now + CODE_SECONDS
        )
        self.server.nonces[request.parameters["nonce"]] = True

    def query_authorization_code(self, code: str, client: ClientMixin) -> AuthorizationCode | None:
        """Return the stored code. Any use of a code spends it, even if the rest of the request is not valid."""
        found = self.server.codes.get(code)
        if found is None:
            return None
        if found.spent:
            # RFC 6749 4.1.2: a replayed code revokes the tokens that were issued for it.
            self.server.access_tokens.pop(found.access_token, None)
            raise InvalidGrantError("The 'code' was already used; its tokens are revoked.")
        found.spent = True
        if self.server.clock() >= found.expires:
            raise InvalidGrantError("The 'code' has expired.")
        return found

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Do nothing: a spent code is kept, so that a replay is recognized."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> str:
        return authorization_code.user

    def save_token(self, token: dict[str, Any]) -> None:
        code = cast(AuthorizationCode, self.request.authorization_code)
        code.access_token = token["access_token"]
        self.server.access_tokens[code.access_token] = user_claims(code.user, code.scope)


class S256(CodeChallenge):
    """PKCE with S256 only. It is required, and ``plain`` is refused (RFC 7636; RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: Any) -> None:
        if "code_challenge_method" not in grant.request.parameters:
            raise InvalidRequestError("Missing 'code_challenge_method', which defaults to plain.")
        super().validate_code_challenge(grant, redirect_uri)


def _check_openid_rules(grant: Any) -> None:
    grant.register_hook("after_validate_authorization_request_payload", _refuse_unsupported)


def _refuse_unsupported(grant: Any, _: Any) -> None:
    """Refuse requests that OpenID Connect Core forbids and Authlib accepts."""
    parameters: dict[str, str] = grant.request.parameters
    if "response_type" not in parameters:
        raise InvalidRequestError("Missing 'response_type'.")
    if parameters["response_type"] != "code":
        # Authlib's own error is not used, because it quotes the value, which may have characters that OAuth forbids.
        raise OAuth2Error("The 'response_type' must be code.", error="unsupported_response_type")
    if "request" in parameters:
        raise RequestNotSupportedError()
    if "openid" not in parameters.get("scope", "").split():
        raise InvalidScopeError("The 'scope' must contain openid.")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The 'response_mode' must be query.")
    max_age = parameters.get("max_age", "0")
    if not (max_age.isascii() and max_age.isdigit()):
        raise InvalidRequestError("The 'max_age' must be a number of seconds.")
