"""The extension's routes: what the page gets, and when HQ gets a token."""

{% if cookiecutter.rendering == "ssr" -%}
import json
import re
from html import unescape
from pathlib import Path
{%- else -%}
import re
from pathlib import Path
{%- endif %}
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from q2_sdk.core import q2_requests
from q2_sdk.core.exceptions import TectonError
from q2_sdk.tools.testing.mock_handler_mixin import MockHandlerMixin
from q2_sdk.tools.testing.models import RequestMock
from tornado.web import Application

from .. import extension, protocol
from .provider import CLIENT_ID, CLIENT_SECRET, ISSUER, KEYS, USER, Cache, Provider

PUBLIC = Path(extension.__file__).parent / "frontend" / "public"


class MockHandler(extension.{{ cookiecutter.__handler }}, MockHandlerMixin):
    # Set here, these do not depend on what the SDK's own mocks provide.
    mfa_info = None
    cache = None
    session_cache = None
    base_assets_url = "https://assets.bank.example/{{ cookiecutter.extension_name }}"
    is_authenticated = False

    def __init__(self, **mfa_info):
        super().__init__(Application(), RequestMock(), logging_level="INFO")
        self.mock_online_user()
        self.mock_online_session()
        self.config.ISSUER, self.config.CLIENT_ID = ISSUER, CLIENT_ID
        self.config.CLIENT_SECRET = CLIENT_SECRET
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


async def test_right_user_sets_token_and_gets_it(provider):
    handler = MockHandler(sso_identifier=USER)
    answer = await handler.came_back(provider)
    assert handler.tokens == [answer["token"]]
    assert provider.request["redirect_uri"] == f"{handler.base_assets_url}/verify.html"
    assert "login_hint" not in provider.request


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
async def test_response_contains_the_token_for_any_response_of_hq(answer, expected, provider):
    handler = MockHandler(sso_identifier=USER)
    handler.shape = answer
    assert await handler.came_back(provider) == expected(handler.tokens[0])


async def test_token_is_new_each_time_and_has_128_bits(provider):
    handlers = [MockHandler(sso_identifier=USER) for _ in range(20)]
    tokens = {(await handler.came_back(provider))["token"] for handler in handlers}
    assert len(tokens) == 20
    assert all(len(token) >= 22 and re.fullmatch("[A-Za-z0-9_-]+", token) for token in tokens)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "the code"},
        {"token": "x" * 32},
        {"code": "the code", "state": None, "iss": ISSUER},
    ],
)
async def test_request_without_login_sets_no_token(body, provider):
    handler = MockHandler(sso_identifier=USER)
    handler.request_body = body
    for started in (False, True):
        if started:
            await handler.start()
        with pytest.raises(TectonError) as caught:
            await handler.token_handler()
        assert caught.value.data == {"code": "expired"}
    assert handler.tokens == []


async def test_denial_sets_no_token(provider):
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
async def test_another_user_sets_no_token(attribute, mfa_info, code, provider):
    handler = MockHandler(**mfa_info)
    handler.config.IDENTITY_ATTRIBUTE = attribute
    with pytest.raises(TectonError) as caught:
        await handler.came_back(provider)
    assert caught.value.data == {"code": code}
    assert handler.tokens == []


async def test_registration_value_can_be_the_identifier(provider):
    handler = MockHandler(registration_value=USER, sso_identifier="bob")
    handler.config.IDENTITY_ATTRIBUTE = "registration_value"
    await handler.came_back(provider)
    assert len(handler.tokens) == 1


async def test_flow_for_another_transaction_sets_no_token(provider):
    handler = MockHandler(sso_identifier=USER, transaction_ids=[1])
    start = await handler.start()
    handler.mfa_info.transaction_ids = [2]
    handler.request_body = provider.callback(start["authorization_url"])
    with pytest.raises(TectonError) as caught:
        await handler.token_handler()
    assert caught.value.data == {"code": "expired"}
    assert handler.tokens == []


async def test_login_without_secret_does_not_start(provider, caplog):
    handler = MockHandler(sso_identifier=USER)
    handler.config.CLIENT_SECRET = ""
    with pytest.raises(TectonError) as caught:
        await handler.start()
    assert caught.value.data == {"code": "not_configured"}
    assert "not_configured: there is no client secret" in caplog.text


async def test_cache_that_is_down_is_denied(provider):
    handler = MockHandler(sso_identifier=USER)
    handler.session_cache = None
    with pytest.raises(TectonError) as caught:
        await handler.start()
    assert caught.value.data == {"code": "failed"}


async def test_another_extension_has_another_flow(provider):
    handler = MockHandler(sso_identifier=USER)
    start = await handler.start()
    handler.request_body = provider.callback(start["authorization_url"])
    handler.CONFIG_FILE_NAME = "Another"
    with pytest.raises(TectonError) as caught:
        await handler.token_handler()
    assert caught.value.data == {"code": "expired"}


async def test_secret_can_be_read_elsewhere(provider):
    class FromElsewhere(MockHandler):
        async def client_secret(self):
            return "from elsewhere"

    await FromElsewhere(sso_identifier=USER).came_back(provider)
    assert provider.requests[-2].path == "/token"
    headers = {"Authorization": "Basic cTItbWZhOmZyb20rZWxzZXdoZXJl"}
    assert provider.requests[-2].headers == headers


async def test_readme_shows_how_to_read_a_private_key_from_the_vault(provider, tmp_path):
    readme = (Path(extension.__file__).parent / "README.md").read_text("utf-8")
    names = {}
    sample = re.search(r"```python\n(.*?async def client_secret.*?)```", readme, re.DOTALL)[1]
    exec(compile(sample, "README.md", "exec"), names)  # noqa: S102
    kinds = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    private = KEYS["RS256"].private_bytes(*kinds).decode()
    certificate = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
    file = tmp_path / "certificate.pem"
    file.write_text(certificate + private)

    class FromVault(MockHandler):
        vault = SimpleNamespace(get_certificate=lambda name, credentials: str(file))
        hq_credentials = None
        client_secret = names["client_secret"]

    handler = FromVault(sso_identifier=USER)
    handler.config.CLIENT_AUTH_METHOD = "private_key_jwt"
    await handler.came_back(provider)
    assertion = provider.requests[-2].data["client_assertion"]
    assert jwt.get_unverified_header(assertion)["alg"] == "PS256"


async def test_log_of_a_login_has_no_secret(provider, caplog):
    caplog.set_level("INFO")
    handler = MockHandler(sso_identifier=USER)
    await handler.came_back(provider)
    assert "the identity provider confirmed the user" in caplog.text
    for secret in ("the code", "an access token", CLIENT_SECRET, handler.tokens[0]):
        assert secret not in caplog.text


def test_secrets_are_filtered_from_the_log_where_the_sdk_can():
    filters = extension.{{ cookiecutter.__handler }}.LOGGING_FILTERS
    assert len(filters) == (extension.StringSecretsFilter is not None)
    assert all(isinstance(key, str) and key for key in extension.SECRETS)


def test_routes_are_those_of_the_page():
    handler = MockHandler()
    for route in ("default", "start", "token_handler"):
        assert handler.router[route] == getattr(handler, route)


def test_generated_configuration_is_valid():
    from configuration import {{ cookiecutter.extension_name }} as configuration

    required = extension.{{ cookiecutter.__handler }}.REQUIRED_CONFIGURATIONS
    assert set(required) == {*protocol.SETTINGS, "CLIENT_SECRET"}
    values = {name: getattr(configuration, name) for name in required}
    config = SimpleNamespace(**{**values, "CLIENT_ID": CLIENT_ID})
    protocol.check_settings(config, SimpleNamespace(sso_identifier=USER))


def test_page_may_go_to_the_provider():
    from configuration import {{ cookiecutter.extension_name }} as configuration

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
    handler = MockHandler(audit_action_id=5, audit_action_name="ChangeEmail")
    assert handler.purpose()["action"] == "ChangeEmail"


{% if cookiecutter.rendering == "ssr" -%}
async def test_page_has_the_purpose_the_provider_and_the_address(provider):
    action = """<script>alert('1') & "2"</script>"""
    handler = MockHandler(sso_identifier=USER, audit_action_name=action)
    form = await handler.default()
    assert form.hide_submit_button is True
    page = form.custom_template
    assert "<script>alert" not in page
    assert json.loads(unescape(re.search('data-purpose="([^"]*)"', page)[1])) == handler.purpose()
    assert 'data-provider="login.bank.example"' in page
    assert f'data-url="{ISSUER}/authorize?client_id={CLIENT_ID}&amp;' in page
    assert 'data-seconds="600" data-error=""' in page
    scripts = [f"{handler.base_assets_url}/{name}" for name in ("mfa.js", "index.js")]
    assert re.findall(r'<script src="(.*)" defer></script>', page) == scripts


async def test_page_has_the_code_of_a_denial(provider):
    provider.metadata["issuer"] = "https://evil.example"
    form = await MockHandler(sso_identifier=USER).default()
    assert 'data-url="" data-seconds="0" data-error="provider_unavailable"' in form.custom_template
    assert form.title == extension.{{ cookiecutter.__handler }}.FRIENDLY_NAME


@pytest.mark.parametrize("page", ["verify.html"])
{%- else -%}
async def test_page_gets_the_purpose_and_the_provider():
    handler = MockHandler(audit_action_name="ChangeEmail")
    expected = {"purpose": handler.purpose(), "provider": "login.bank.example"}
    assert await handler.default() == expected


@pytest.mark.parametrize("page", ["index.html", "verify.html"])
{%- endif %}
def test_page_loads_the_tecton_version_of_the_handler_and_sends_no_referrer(page):
    text = (PUBLIC / page).read_text("utf-8")
    tecton = f'<script src="{extension.{{ cookiecutter.__handler }}.TECTON_URL}" defer></script>'
    assert tecton in text
    assert '<meta name="referrer" content="no-referrer">' in text.partition("<script")[0]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|javascript:", text)


def test_address_bar_is_cleared_before_any_other_script_runs():
    text = (PUBLIC / "verify.html").read_text("utf-8")
    assert re.search(r"<script[^>]*>", text)[0] == '<script src="./verify.js">'
