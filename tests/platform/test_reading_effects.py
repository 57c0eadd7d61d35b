"""Each reading changes what an extension or its page gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from preview_process import PreviewProcess

from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.readings import Readings


def make_handler(readings: Readings) -> Any:
    """An SSR handler in an authenticated session."""
    from q2_sdk.core.http_handlers.tecton_server_handler import Q2TectonServerRequestHandler
    from q2_sdk.tools.testing.mock_handler_mixin import MockHandlerMixin
    from q2_sdk.tools.testing.models import RequestMock
    from tornado.web import Application

    class Handler(Q2TectonServerRequestHandler, MockHandlerMixin):
        pass

    handler = Handler(Application(platform=Platform(readings=readings)), RequestMock())
    handler.mock_online_session()
    return handler


@pytest.mark.usefixtures("fake_sdk")
@pytest.mark.parametrize(
    ("reading", "result"), [("dict", {"token": "t"}), ("text", "t"), ("nested", {"data": {"token": "t"}})]
)
def test_token_result_reading_decides_the_result(reading: Any, result: Any) -> None:
    handler = make_handler(Readings(token_result=reading))
    assert asyncio.run(handler.set_external_mfa_token("t")) == result


@pytest.mark.usefixtures("fake_sdk")
def test_missing_attribute_of_mfa_info_is_absent_or_none() -> None:
    assert not hasattr(make_handler(Readings()).mfa_info, "transaction_ids")
    assert make_handler(Readings(missing_mfa_info="none")).mfa_info.transaction_ids is None


@pytest.mark.usefixtures("fake_sdk")
@pytest.mark.parametrize(("autoescape", "text"), [(False, "<b> &lt;b&gt;"), (True, "&lt;b&gt; &lt;b&gt;")])
def test_autoescape_reading_decides_whether_templates_escape(
    autoescape: bool, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = make_handler(Readings(autoescape=autoescape))
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html.jinja2").write_text("{{ value }} {{ value|e }}")
    monkeypatch.setattr("test_reading_effects.__file__", str(tmp_path / "extension.py"))
    assert handler.get_template("page.html.jinja2", {"value": "<b>"}) == text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reading", "rejection"),
    [
        ("data", {"data": {"code": "incomplete"}}),
        ("nested", {"data": {"message": "incomplete", "data": {"code": "incomplete"}}}),
        ("message", {"data": {}, "message": "incomplete"}),
    ],
)
def test_error_data_reading_decides_where_a_rejection_has_its_data(
    reading: str, rejection: dict[str, Any], preview_of: Callable[[str], PreviewProcess]
) -> None:
    preview = preview_of("StandardCsr")
    challenge = preview.challenge(registration_value="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert preview.call("readings", {"error_data": reading}, "PUT").ok
    body = {"route": "submit", "body": {"passcode": "1"}}
    answer = preview.call(f"challenges/{challenge}/extension", body).json()
    assert preview.call("readings", {}, "PUT").ok
    code = answer.pop("error")
    assert answer == {
        "status": 400,
        "statusText": "Bad Request",
        **replace_code(rejection, code),
    }


def replace_code(value: Any, code: str) -> Any:
    """*value* with the extension's own code in place of the example."""
    if isinstance(value, dict):
        return {key: replace_code(item, code) for key, item in value.items()}
    return code


@pytest.mark.slow
def test_page_readings_reach_the_served_sdk(preview_of: Callable[[str], PreviewProcess]) -> None:
    preview = preview_of("StandardCsr")
    url = f"{preview.platform()['extension_origin']}/_cdn/q2-tecton-sdk.js"
    assert preview.call("readings", {"loc": "key", "verify_mfa": "sources"}, "PUT").ok
    script = requests.get(url, timeout=10).text
    assert '"verify_mfa": "sources", "loc": "key"' in script
    assert preview.call("readings", {}, "PUT").ok
    assert '"verify_mfa": "actions", "loc": "present"' in requests.get(url, timeout=10).text


@pytest.mark.slow
def test_unknown_reading_is_refused_by_the_preview(preview_of: Callable[[str], PreviewProcess]) -> None:
    answer = preview_of("StandardCsr").call("readings", {"pizza": 1}, "PUT")
    assert answer.status_code == 400 and "the readings are token_result" in answer.json()["error"]
