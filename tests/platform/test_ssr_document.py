"""The document that the SDK makes of a server-side rendered page, and of an error."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from q2mfa_cli.platform.events import FormPosted
from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.readings import Readings
from q2mfa_cli.platform.sessions import FORM_TOKEN_FIELD, SESSION_HEADER, TICKET_FIELD

pytestmark = pytest.mark.usefixtures("fake_sdk")

TEMPLATE = "<h1>The extension's template</h1>"


def post(platform: Platform, route: str, body: str, content_type: str, **headers: str) -> tuple[int, str]:
    """Post to an SSR extension with the routes `default`, `button` and `broken`."""
    from q2_sdk.core.http_handlers.tecton_server_handler import Q2TectonServerRequestHandler
    from tornado.httpclient import AsyncHTTPClient
    from tornado.httpserver import HTTPServer
    from tornado.netutil import bind_sockets
    from tornado.web import Application

    class Handler(Q2TectonServerRequestHandler):
        @property
        def router(self) -> Any:
            return {**super().router, "default": self.page, "button": self.button, "broken": self.broken}

        async def page(self) -> Any:
            return self.get_tecton_form("A <title>", custom_template=TEMPLATE, hide_submit_button=True)

        async def button(self) -> Any:
            return self.get_tecton_form("Title", custom_template=TEMPLATE)

        async def broken(self) -> Any:
            raise ValueError("a secret of the inside")

    async def fetch() -> tuple[int, str]:
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(Application([(r"/Foo/?(?P<routing_key>\w+)?", Handler)], platform=platform))
        server.add_sockets(sockets)
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/Foo/{route}"
        headers["Content-Type"] = content_type
        try:
            answer = await AsyncHTTPClient().fetch(
                url, method="POST", headers=headers, body=body, raise_error=False
            )
        finally:
            server.stop()
            await server.close_all_connections()
        return answer.code, answer.body.decode()

    return asyncio.run(fetch())


def open_outlet(platform: Platform, route: str = "") -> tuple[int, str]:
    ticket = platform.hq.issue_ticket(platform.hq.open_session())
    return post(platform, route, f"{TICKET_FIELD}={ticket}", "application/x-www-form-urlencoded")


def test_page_is_wrapped_in_the_form_of_the_sdk() -> None:
    platform = Platform()
    status, page = open_outlet(platform)
    assert status == 200
    [session] = platform.hq.sessions.values()
    assert "<title>A &lt;title&gt;</title>" in page
    assert re.search(
        r"<body data-tecton-module>\s*"
        r'<form class="sdk-form form-container pad\(3\)" role="form" method="post" enctype="multipart/form-data" id="1">\s*'
        rf'<input type="hidden" name="q2token" value="{session.form_token}">\s*'
        rf"{re.escape(TEMPLATE)}\s*</form>",
        page,
    )
    assert "function validate_input_fields()" in page and "function submitForm()" in page
    assert 'type="submit"' not in page


def test_page_with_the_default_submit_button_shows_the_button() -> None:
    assert '<button type="submit"' in open_outlet(Platform(), "button")[1]


def test_page_without_wrapper_is_the_template_alone() -> None:
    page = open_outlet(Platform(readings=Readings(form_wrapper=False)))[1]
    assert re.search(rf"<body>\s*{re.escape(TEMPLATE)}\s*</body>", page)
    assert "form" not in page


def test_native_post_of_the_form_gets_an_error_page_and_is_published() -> None:
    platform = Platform()
    session = platform.hq.open_session()
    posted: list[FormPosted] = []
    platform.events.subscribe(FormPosted, posted.append)
    body = f'--b\r\nContent-Disposition: form-data; name="{FORM_TOKEN_FIELD}"\r\n\r\n{session.form_token}\r\n--b--\r\n'
    status, page = post(platform, "", body, "multipart/form-data; boundary=b", **{SESSION_HEADER: session.id})
    assert (status, posted) == (400, [FormPosted(session.id)])
    assert "<main data-platform-error>" in page and TEMPLATE not in page


def test_route_that_raises_answers_the_outlet_with_a_page() -> None:
    status, page = open_outlet(Platform(), "broken")
    assert status == 500 and page.startswith("<!DOCTYPE html>")
    assert "Internal error" in page and "secret" not in page


def test_route_that_raises_answers_request_extension_data_with_json() -> None:
    platform = Platform()
    session = platform.hq.open_session()
    status, body = post(platform, "broken", "{}", "application/json", **{SESSION_HEADER: session.id})
    assert (status, json.loads(body)) == (500, {"error": "Internal error", "data": {}})


def test_outlet_without_session_gets_a_page() -> None:
    status, page = post(Platform(), "", "", "application/x-www-form-urlencoded")
    assert status == 400 and "There is no session." in page
