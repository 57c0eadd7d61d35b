"""The extension's routes: what the page gets, and when HQ is given a token. What proves a login is in test_oidc.py."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError
from q2_sdk.tools.testing.mock_handler_mixin import MockHandlerMixin
from q2_sdk.tools.testing.models import RequestMock
from tornado.web import Application

from .. import extension
from .provider import CLIENT_ID, CLIENT_SECRET, ISSUER, USER, Provider
from .test_oidc import Cache

PUBLIC = Path(extension.__file__).parent / "frontend" / "public"


class MockHandler(extension.MyExternalMFAHandler, MockHandlerMixin):
    # Set here, these are the same whatever the SDK's own mocks provide.
    mfa_info = None
    cache = None
    session_cache = None
    base_assets_url = "https://assets.bank.example/MyExternalMFA"
    is_authenticated = False

    def __init__(self, **mfa_info):
        super().__init__(Application(), RequestMock(), logging_level="INFO")
        self.mock_online_user()
        self.mock_online_session()
        self.config.ISSUER, self.config.CLIENT_ID, self.config.CLIENT_SECRET = ISSUER, CLIENT_ID, CLIENT_SECRET
        self.mfa_info = SimpleNamespace(**mfa_info)
        self.cache, self.session_cache = Cache(), Cache()
        self.tokens = []

    async def set_external_mfa_token(self, token):
        self.tokens.append(token)
        return self.shape(token)

    @staticmethod
    def shape(token):
        """What HQ's answer looks like: Q2 does not document it."""
        return {"token": token}

    async def came_back(self, provider, **changes):
        start = await self.start()
        self.request_body = provider.callback(start["authorization_url"], **changes)
        return await self.token_handler()


@pytest.fixture
def provider(monkeypatch):
    provider = Provider()
    monkeypatch.setattr(q2_requests, "get", provider.get)
    monkeypatch.setattr(q2_requests, "post", provider.post)
    return provider


async def test_the_right_person_sets_a_token_and_answers_it(provider):
    handler = MockHandler(sso_identifier=USER)
    answer = await handler.came_back(provider)
    assert handler.tokens == [answer["token"]]
    assert provider.request["redirect_uri"] == f"{handler.base_assets_url}/verify.html"
    assert provider.request["login_hint"] == USER


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda token: {"token": token}, lambda token: {"token": token}),
        (lambda token: {"data": {"token": token}}, lambda token: {"data": {"token": token}}),
        (lambda token: token, lambda token: {"token": token}),
        (lambda token: None, lambda token: {"token": token}),
    ],
    ids=["dict", "nested", "text", "nothing"],
)
async def test_answer_has_token_whatever_hq_answers(answer, expected, provider):
    handler = MockHandler(sso_identifier=USER)
    handler.shape = answer
    assert await handler.came_back(provider) == expected(handler.tokens[0])


async def test_a_token_has_at_least_128_bits_and_is_a_new_one_each_time(provider):
    tokens = {(await MockHandler(sso_identifier=USER).came_back(provider))["token"] for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 22 and re.fullmatch("[A-Za-z0-9_-]+", token) for token in tokens)


@pytest.mark.parametrize("body", [{}, {"code": "the code"}, {"token": "x" * 32}, {"code": "the code", "state": None, "iss": ISSUER}])
async def test_without_a_login_no_token_is_set(body, provider):
    handler = MockHandler(sso_identifier=USER)
    handler.request_body = body
    for started in (False, True):
        if started:
            await handler.start()
        with pytest.raises(TectonError) as caught:
            await handler.token_handler()
        assert caught.value.data == {"code": "expired"}
    assert handler.tokens == []


async def test_a_denial_sets_no_token(provider):
    handler = MockHandler(sso_identifier=USER)
    with pytest.raises(TectonError) as caught:
        await handler.came_back(provider, error="access_denied")
    assert caught.value.data == {"code": "access_denied"}
    assert handler.tokens == []


@pytest.mark.parametrize(
    ("attribute", "mfa_info", "code"),
    [
        ("sso_identifier", {"sso_identifier": "bob"}, "wrong_user"),
        ("sso_identifier", {"sso_identifier": None}, "not_linked"),
        ("sso_identifier", {"registration_value": USER}, "not_linked"),
        ("registration_value", {"registration_value": "bob", "sso_identifier": USER}, "wrong_user"),
        ("registration_value", {"sso_identifier": USER}, "not_linked"),
    ],
)
async def test_another_person_sets_no_token(attribute, mfa_info, code, provider):
    handler = MockHandler(**mfa_info)
    handler.config.IDENTITY_ATTRIBUTE = attribute
    with pytest.raises(TectonError) as caught:
        await handler.came_back(provider)
    assert caught.value.data == {"code": code}
    assert handler.tokens == []


async def test_the_registration_value_can_say_who_it_is(provider):
    handler = MockHandler(registration_value=USER, sso_identifier="bob")
    handler.config.IDENTITY_ATTRIBUTE = "registration_value"
    await handler.came_back(provider)
    assert len(handler.tokens) == 1


async def test_without_a_secret_the_login_does_not_even_start(provider, caplog):
    handler = MockHandler(sso_identifier=USER)
    handler.config.CLIENT_SECRET = ""
    with pytest.raises(TectonError) as caught:
        await handler.start()
    assert caught.value.data == {"code": "not_configured"}
    assert "there is no client id or secret" in caplog.text


async def test_the_secret_can_come_from_elsewhere(provider):
    class FromElsewhere(MockHandler):
        async def client_secret(self):
            return "from elsewhere"

    await FromElsewhere(sso_identifier=USER).came_back(provider)
    assert provider.requests[-2].path == "/token"
    assert "Basic cTItbWZhOmZyb20rZWxzZXdoZXJl" == provider.requests[-2].headers["Authorization"]


async def test_the_log_says_what_happened_and_no_secret(provider, caplog):
    caplog.set_level("INFO")
    handler = MockHandler(sso_identifier=USER)
    await handler.came_back(provider)
    assert "the identity provider confirmed the user" in caplog.text
    for secret in ("the code", "an access token", CLIENT_SECRET, handler.tokens[0]):
        assert secret not in caplog.text


def test_secrets_are_filtered_from_the_log_where_the_sdk_can():
    filters = extension.MyExternalMFAHandler.LOGGING_FILTERS
    assert len(filters) == (extension.StringSecretsFilter is not None)
    assert all(isinstance(key, str) and key for key in extension.SECRETS)


def test_the_routes():
    handler = MockHandler()
    for route in ("default", "start", "token_handler"):
        assert handler.router[route] == getattr(handler, route)


@pytest.mark.parametrize("name", extension.MyExternalMFAHandler.REQUIRED_CONFIGURATIONS)
def test_the_configuration_has_every_value(name):
    from configuration import MyExternalMFA as configuration

    expected = extension.MyExternalMFAHandler.REQUIRED_CONFIGURATIONS[name]
    assert type(getattr(configuration, name)) is type(expected)


def test_the_page_may_move_on_to_the_provider():
    from configuration import MyExternalMFA as configuration

    (origin,) = configuration.FEATURE["additionalDomains"]
    assert configuration.ISSUER.startswith(origin) and origin.count("/") == 2


NOTHING = dict.fromkeys(["mfa_context", "transaction_ids", "audit_action_id", "audit_action_name"])


@pytest.mark.parametrize("mfa_info", [{}, NOTHING], ids=["absent", "None"])
def test_purpose_is_signing_in_without_other_attributes(mfa_info):
    handler = MockHandler(**mfa_info)
    assert handler.purpose() == {"signing_in": True, "transactions": [], "action": None}
    handler.is_authenticated = True
    assert handler.purpose() == {"signing_in": False, "transactions": [], "action": None}


def test_purpose_names_transactions_or_action():
    assert MockHandler(transaction_ids=[7, "8"]).purpose()["transactions"] == ["7", "8"]
    assert MockHandler(audit_action_id=5, audit_action_name="ChangeEmail").purpose()["action"] == "ChangeEmail"


async def test_the_page_is_told_what_for_and_where_to():
    handler = MockHandler(audit_action_name="ChangeEmail")
    assert await handler.default() == {"purpose": handler.purpose(), "provider": "login.bank.example"}


@pytest.mark.parametrize("page", ["index.html", "verify.html"])
def test_a_page_loads_the_tecton_version_of_the_handler_and_tells_nobody_its_address(page):
    text = (PUBLIC / page).read_text("utf-8")
    tecton = f'<script src="{extension.MyExternalMFAHandler.TECTON_URL}" defer></script>'
    assert tecton in text
    assert '<meta name="referrer" content="no-referrer">' in text.partition("<script")[0]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:", text)


def test_the_answer_leaves_the_address_bar_before_any_other_script_runs():
    text = (PUBLIC / "verify.html").read_text("utf-8")
    assert re.search(r"<script[^>]*>", text)[0] == '<script src="./verify.js">'
