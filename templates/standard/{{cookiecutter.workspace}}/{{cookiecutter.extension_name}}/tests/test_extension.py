"""The extension's routes, with any factor: when HQ is given a token, and what the page gets.

These hold for any factor. The factor's own tests are in test_factor.py.
"""

{% if cookiecutter.rendering == "ssr" -%}
import json
import re
from html import unescape
from types import SimpleNamespace
{%- else -%}
import re
from pathlib import Path
from types import SimpleNamespace
{%- endif %}

import pytest
from q2_sdk.core.exceptions import TectonError
from q2_sdk.tools.testing.mock_handler_mixin import MockHandlerMixin
from q2_sdk.tools.testing.models import RequestMock
from tornado.web import Application

from .. import extension
from ..customer import Denied

SECRET = "the customer's own secret"


class MockHandler(extension.{{ cookiecutter.__handler }}, MockHandlerMixin):
    # Set here, these do not depend on what the SDK's own mocks provide.
    mfa_info = None
    is_authenticated = False

    def __init__(self, **mfa_info):
        super().__init__(Application(), RequestMock(), logging_level="INFO")
        self.mock_online_user()
        self.mock_online_session()
        self.mfa_info = SimpleNamespace(**mfa_info)
        self.tokens = []

    async def set_external_mfa_token(self, token):
        self.tokens.append(token)
        return self.shape(token)

    @staticmethod
    def shape(token):
        """What HQ's answer looks like: Q2 does not document it."""
        return {"token": token}

    async def submitted(self, **body):
        self.request_body = body
        return await self.submit()


class FakeFactor:
    """Answers as a test wants: what `verify` returns, or an exception that it raises."""

    answer = True
    seen = None

    def __init__(self, handler):
        self.handler = handler

    async def verify(self, body):
        type(self).seen = self.handler, body
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def factor(monkeypatch):
    class Factor(FakeFactor):
        pass

    monkeypatch.setattr(extension, "Factor", Factor)
    return Factor


async def test_proof_sets_one_token_and_answers_it(factor):
    handler = MockHandler()
    answer = await handler.submitted(proof=SECRET)
    assert handler.tokens == [answer["token"]]
    assert factor.seen == (handler, {"proof": SECRET})


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
async def test_response_contains_the_token_for_any_response_of_hq(answer, expected, factor):
    handler = MockHandler()
    handler.shape = answer
    assert await handler.submitted() == expected(handler.tokens[0])


async def test_token_has_at_least_128_bits_and_is_new_each_time(factor):
    tokens = {(await MockHandler().submitted())["token"] for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 22 and re.fullmatch("[A-Za-z0-9_-]+", token) for token in tokens)


async def test_denial_sets_no_token_and_its_code_reaches_the_page(factor, caplog):
    factor.answer = Denied("a_code", "a reason for the log")
    handler = MockHandler()
    with pytest.raises(TectonError) as caught:
        await handler.submitted(proof=SECRET)
    assert handler.tokens == []
    assert caught.value.data == {"code": caught.value.message} == {"code": "a_code"}
    assert caught.value.__cause__ is None
    assert "External MFA denied: a_code: a reason for the log" in caplog.text


async def test_step_that_proves_nothing_yet_returns_no_token(factor):
    factor.answer = {"pending": True}
    handler = MockHandler()
    assert await handler.submitted() == {"pending": True}
    assert handler.tokens == []


@pytest.mark.parametrize("answer", [None, False, 1, "yes", object(), RuntimeError(), Denied()])
async def test_check_that_returns_anything_but_true_sets_no_token(answer, factor):
    factor.answer = answer
    handler = MockHandler()
    with pytest.raises(Exception):  # noqa: B017
        await handler.submitted()
    assert handler.tokens == []


async def test_token_that_hq_refuses_is_no_success(factor):
    handler = MockHandler()

    def refuse(token):
        raise ValueError("refused")

    handler.shape = refuse
    with pytest.raises(ValueError, match="refused"):
        await handler.submitted()


async def test_log_has_the_events_and_no_secret(factor, caplog):
    caplog.set_level("DEBUG")
    handler = MockHandler(registration_value="the registration value")
    await handler.submitted(proof=SECRET)
    assert "the factor is proven" in caplog.text
    for secret in (SECRET, "the registration value", handler.tokens[0]):
        assert secret not in caplog.text


def test_secrets_are_filtered_from_the_log_where_the_sdk_can():
    filters = extension.{{ cookiecutter.__handler }}.LOGGING_FILTERS
    assert len(filters) == (extension.StringSecretsFilter is not None)
    assert {"token", *extension.Factor.SECRETS} == set(extension.SECRETS)


def test_server_does_not_start_without_the_settings_of_the_factor():
    settings = extension.{{ cookiecutter.__handler }}.REQUIRED_CONFIGURATIONS
    assert settings == extension.Factor.SETTINGS


def test_routes_are_default_and_submit():
    handler = MockHandler()
    assert handler.router["default"] == handler.default
    assert handler.router["submit"] == handler.submit


NAMES = ["mfa_context", "transaction_ids", "audit_action_id", "audit_action_name"]
NAMES += ["registration_value", "sso_identifier"]


@pytest.mark.parametrize("mfa_info", [{}, dict.fromkeys(NAMES)], ids=["absent", "None"])
async def test_customer_without_attributes_gets_no_token(mfa_info):
    """This is the real factor: it does not accept what anyone can send."""
    for body in ({}, {"passcode": None}, {"passcode": "000000"}, {"token": "x" * 32}):
        handler = MockHandler(**mfa_info)
        with pytest.raises(TectonError):
            await handler.submitted(**body)
        assert handler.tokens == []


@pytest.mark.parametrize("mfa_info", [{}, dict.fromkeys(NAMES)], ids=["absent", "None"])
async def test_missing_attributes_change_only_the_purpose(mfa_info, factor):
    handler = MockHandler(**mfa_info)
    assert handler.purpose() == {"signing_in": True, "transactions": [], "action": None}
    handler.is_authenticated = True
    assert handler.purpose() == {"signing_in": False, "transactions": [], "action": None}
    await handler.default()
    await handler.submitted()
    assert len(handler.tokens) == 1


def test_purpose_names_transactions_or_action():
    assert MockHandler(transaction_ids=[7, "8"]).purpose()["transactions"] == ["7", "8"]
    handler = MockHandler(audit_action_id=5, audit_action_name="ChangeEmail")
    assert handler.purpose()["action"] == "ChangeEmail"


{% if cookiecutter.rendering == "ssr" -%}
async def test_page_shows_the_escaped_purpose():
    handler = MockHandler(audit_action_name="""<script>alert('1') & "2"</script>""")
    form = await handler.default()
    assert form.hide_submit_button is True
    assert form.title == extension.{{ cookiecutter.__handler }}.FRIENDLY_NAME
    page = form.custom_template
    assert "<script>alert" not in page
    assert json.loads(unescape(re.search('data-purpose="([^"]*)"', page)[1])) == handler.purpose()
    scripts = [f"{handler.base_assets_url}/{name}" for name in ("mfa.js", "index.js")]
    assert re.findall(r'<script src="(.*)" defer></script>', page) == scripts
{%- else -%}
async def test_page_gets_the_purpose():
    handler = MockHandler(audit_action_name="ChangeEmail")
    assert await handler.default() == {"purpose": handler.purpose()}


def test_page_loads_the_tecton_version_of_the_handler():
    page = (Path(extension.__file__).parent / "frontend/public/index.html").read_text("utf-8")
    assert f'<script src="{extension.{{ cookiecutter.__handler }}.TECTON_URL}" defer></script>' in page
{%- endif %}
