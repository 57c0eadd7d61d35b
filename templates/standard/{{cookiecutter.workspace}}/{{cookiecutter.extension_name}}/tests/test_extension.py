"""The extension's routes: what the page gets, and when HQ is given a token."""

import re
import time
from pathlib import Path
from types import SimpleNamespace

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


class MockHandler(extension.{{ cookiecutter.extension_name }}Handler, MockHandlerMixin):
    # [guess] How the SDK's own mocks provide these; set here, they are the same on every SDK.
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
    assert caught.value.data == {"code": "wrong_passcode"}


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


def test_the_routes():
    handler = registered()
    assert handler.router["default"] == handler.default
    assert handler.router["submit"] == handler.submit


def test_nothing_is_known_of_the_request_without_attributes():
    assert MockHandler().purpose() == []
    nothing = dict.fromkeys(["mfa_context", "transaction_ids", "audit_action_id", "audit_action_name"])
    assert MockHandler(**nothing).purpose() == []


def test_the_user_is_told_what_is_asked_for():
    handler = MockHandler(mfa_context="transaction", transaction_ids=[7, 8])
    assert handler.purpose() == ["Request: transaction", "Transaction: 7, 8"]
    assert MockHandler(audit_action_id=5, audit_action_name="ChangeEmail").purpose() == ["Action: ChangeEmail"]
    assert MockHandler(audit_action_id=5).purpose() == ["Action: 5"]


{% if cookiecutter.rendering == "ssr" -%}
async def test_the_page_asks_for_the_passcode_and_says_what_for():
    handler = MockHandler(mfa_context="Patrol", audit_action_name="<script>alert(1)</script>")
    form = await handler.default()
    assert form.hide_submit_button is True
    page = form.custom_template
    assert "<li>Request: Patrol</li>" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert re.search('<input id="passcode"[^>]* disabled ', page)
    assert f'<script src="{handler.base_assets_url}/index.js" defer></script>' in page


async def test_the_page_is_shown_with_nothing_known():
    form = await MockHandler().default()
    assert "<li>" not in form.custom_template
    assert form.title == extension.{{ cookiecutter.extension_name }}Handler.FRIENDLY_NAME
{%- else -%}
async def test_the_page_is_told_what_for():
    assert await MockHandler(mfa_context="Patrol").default() == {"purpose": ["Request: Patrol"]}
    assert await MockHandler().default() == {"purpose": []}


def test_the_page_loads_the_tecton_version_of_the_handler_and_is_no_form_before():
    page = (Path(extension.__file__).parent / "frontend" / "public" / "index.html").read_text("utf-8")
    assert re.search('<input id="passcode"[^>]* disabled ', page)
    assert f'<script src="{extension.{{ cookiecutter.extension_name }}Handler.TECTON_URL}"></script>' in page
{%- endif %}


@pytest.mark.parametrize("authenticated", [True, False])
async def test_the_readme_shows_how_to_call_hq_in_either_state(authenticated):
    readme = (Path(extension.__file__).parent / "README.md").read_text("utf-8")
    snippet = re.search(r"```python\n(.*?)```", readme, re.DOTALL)[1]
    calls = []

    def api(name):
        async def execute(params_obj):
            calls.append((name, params_obj["of"]))

        return SimpleNamespace(ParamsObj=lambda *_, **__: {"of": name}, execute=execute)

    names = {}
    exec(compile(snippet, "README.md", "exec"), names)  # noqa: S102 - it is this extension's own README
    names["AcceptDisclaimer"] = api("AcceptDisclaimer")
    names["DisclaimerFormMarkAsAccepted"] = api("DisclaimerFormMarkAsAccepted")
    handler = MockHandler()
    handler.is_authenticated = authenticated
    await names["disclaimer_example_method"](handler)
    expected = "AcceptDisclaimer" if authenticated else "DisclaimerFormMarkAsAccepted"
    assert calls == [(expected, expected)]
