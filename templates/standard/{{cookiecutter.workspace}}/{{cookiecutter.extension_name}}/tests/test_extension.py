"""The extension's routes: what the page gets, and when HQ is given a token."""

{% if cookiecutter.rendering == "ssr" -%}
import json
import re
import time
from html import unescape
from types import SimpleNamespace
{%- else -%}
import re
import time
from pathlib import Path
from types import SimpleNamespace
{%- endif %}

import pyotp
import pytest
from q2_sdk.core.exceptions import TectonError
from q2_sdk.tools.testing.mock_handler_mixin import MockHandlerMixin
from q2_sdk.tools.testing.models import RequestMock
from tornado.web import Application

from .. import extension

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class SessionCache(dict):
    """As much of a session's cache as the extension uses, without the time limit."""

    def set(self, key, value, seconds):
        assert type(seconds) is int and seconds > 0
        self[key] = value

    def delete(self, key):
        self.pop(key, None)


class MockHandler(extension.{{ cookiecutter.__handler }}, MockHandlerMixin):
    # Set here, these are the same whatever the SDK's own mocks provide.
    mfa_info = None
    session_cache = None
    is_authenticated = False

    def __init__(self, **mfa_info):
        super().__init__(Application(), RequestMock(), logging_level="INFO")
        self.mock_online_user()
        self.mock_online_session()
        self.mfa_info = SimpleNamespace(**mfa_info)
        self.session_cache = SessionCache()
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


def registered():
    return MockHandler(registration_value=SECRET)


async def test_the_right_code_sets_a_token_and_answers_it():
    handler = registered()
    answer = await handler.submitted(passcode=pyotp.TOTP(SECRET).now())
    assert handler.tokens == [answer["token"]]


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
async def test_answer_has_token_whatever_hq_answers(answer, expected):
    handler = registered()
    handler.shape = answer
    assert await handler.submitted(passcode=pyotp.TOTP(SECRET).now()) == expected(handler.tokens[0])


async def test_a_token_has_at_least_128_bits_and_is_a_new_one_each_time():
    tokens = set()
    for _ in range(20):
        handler = registered()
        tokens.add((await handler.submitted(passcode=pyotp.TOTP(SECRET).now()))["token"])
    assert len(tokens) == 20
    assert all(len(token) >= 22 and re.fullmatch("[A-Za-z0-9_-]+", token) for token in tokens)


@pytest.mark.parametrize("body", [{}, {"passcode": "000000"}, {"passcode": None}, {"passcode": ""}, {"token": "x" * 32}])
async def test_without_proof_no_token_is_set(body, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    handler = registered()
    with pytest.raises(TectonError) as caught:
        await handler.submitted(**body)
    assert handler.tokens == []
    assert caught.value.data == {"code": caught.value.message} == {"code": "wrong_passcode"}


async def test_without_a_registration_no_token_is_set():
    handler = MockHandler()
    with pytest.raises(TectonError) as caught:
        await handler.submitted(passcode="123456")
    assert handler.tokens == []
    assert caught.value.data == {"code": "not_registered"}


async def test_a_code_is_good_once():
    handler = registered()
    passcode = pyotp.TOTP(SECRET).now()
    await handler.submitted(passcode=passcode)
    with pytest.raises(TectonError):
        await handler.submitted(passcode=passcode)
    assert len(handler.tokens) == 1


async def test_wrong_tries_lock_across_requests():
    handler = registered()
    for _ in range(5):
        with pytest.raises(TectonError):
            await handler.submitted(passcode="wrong!")
    with pytest.raises(TectonError) as caught:
        await handler.submitted(passcode=pyotp.TOTP(SECRET).now())
    assert caught.value.data == {"code": "locked"}
    assert handler.tokens == []


async def test_the_log_says_what_happened_and_no_secret(caplog):
    caplog.set_level("INFO")
    handler = registered()
    passcode = pyotp.TOTP(SECRET).now()
    await handler.submitted(passcode=passcode)
    assert "the passcode was right" in caplog.text
    for secret in (passcode, SECRET, handler.tokens[0]):
        assert secret not in caplog.text


def test_secrets_are_filtered_from_the_log_where_the_sdk_can():
    filters = extension.{{ cookiecutter.__handler }}.LOGGING_FILTERS
    assert len(filters) == (extension.StringSecretsFilter is not None)
    assert all(isinstance(key, str) and key for key in extension.SECRETS)


def test_the_routes():
    handler = registered()
    assert handler.router["default"] == handler.default
    assert handler.router["submit"] == handler.submit


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


{% if cookiecutter.rendering == "ssr" -%}
async def test_the_page_asks_for_the_passcode_and_says_what_for():
    handler = MockHandler(audit_action_name="""<script>alert('1') & "2"</script>""")
    form = await handler.default()
    assert form.hide_submit_button is True
    page = form.custom_template
    assert "<script>alert" not in page
    assert json.loads(unescape(re.search('data-purpose="([^"]*)"', page)[1])) == handler.purpose()
    assert re.search('<input id="passcode"[^>]* disabled ', page)
    scripts = [f"{handler.base_assets_url}/{name}" for name in ("mfa.js", "index.js")]
    assert re.findall(r'<script src="(.*)" defer></script>', page) == scripts


async def test_the_page_is_shown_with_nothing_known():
    form = await MockHandler().default()
    assert "data-purpose=" in form.custom_template
    assert form.title == extension.{{ cookiecutter.__handler }}.FRIENDLY_NAME
{%- else -%}
async def test_the_page_is_told_what_for():
    handler = MockHandler(audit_action_name="ChangeEmail")
    assert await handler.default() == {"purpose": handler.purpose()}


def test_the_page_loads_the_tecton_version_of_the_handler_and_is_no_form_before():
    page = (Path(extension.__file__).parent / "frontend" / "public" / "index.html").read_text("utf-8")
    assert re.search('<input id="passcode"[^>]* disabled ', page)
    assert f'<script src="{extension.{{ cookiecutter.__handler }}.TECTON_URL}" defer></script>' in page
{%- endif %}
