"""The generated pages in a browser, with a double of Tecton that follows a script, and no server at all.

A page is what the template generates: a client-side rendered one as it is, a server-side rendered one through
Jinja and in a document as the SDK makes it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import node
from jinja2 import DictLoader, Environment
from playwright.sync_api import Browser, Locator, Page, Route

from q2mfa_cli.integrations import REDIRECT, STANDARD
from q2mfa_cli.rendering import render
from q2mfa_cli.request import make_request

VARIANTS: list[tuple[str, str]] = [
    ("standard", "ssr"),
    ("standard", "csr"),
    ("redirect", "ssr"),
    ("redirect", "csr"),
]
# A standard extension whose factor sends a code.
MESSAGE = "standard-message"
MESSAGE_VARIANTS = [(MESSAGE, "ssr"), (MESSAGE, "csr")]
LANGUAGES = ["en-US", "es-MX", "zh-CN", "zh-HK", "zh-TW", "pt-BR"]
OUTLET = "https://outlet.bank.example"
ASSETS = "https://assets.bank.example/Foo"
PROVIDER = "https://login.bank.example"
AUTHORIZE = f"{PROVIDER}/authorize?client_id=foo&state=abc"
DOUBLE = Path(__file__).with_name("tecton_double.js")
EXTENSION = "Foo/"

SIGNING_IN = {"signing_in": True, "transactions": [], "action": None}
TOKEN = {"data": {"token": "the token"}, "status": 200, "statusText": "OK"}

# The document of the SDK around a server-side rendered page, with its form and without.
DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Foo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="{tecton}"></script></head>
<body data-tecton-module>
{page}
</body></html>"""
FORM = """<form class="sdk-form form-container pad(3)" role="form" method="post" enctype="multipart/form-data" id="1">
<input type="hidden" name="q2token" value="0123456789">
{page}
</form>"""


@cache
def generated(mfa: str, rendering: str) -> Mapping[str, bytes]:
    """The files of an extension named Foo."""
    answers = {"name": "Foo", "rendering": rendering, "mfa": mfa}
    if mfa == REDIRECT.id:
        answers["issuer"] = PROVIDER
    if mfa == MESSAGE:
        answers |= {"mfa": STANDARD.id, "factor": "message"}
    return render(make_request(answers))


def public(mfa: str, rendering: str) -> dict[str, str]:
    """Its `frontend/public`, by relative path."""
    prefix = EXTENSION + "frontend/public/"
    tree = generated(mfa, rendering)
    return {path.removeprefix(prefix): tree[path].decode() for path in tree if path.startswith(prefix)}


def texts(mfa: str) -> dict[str, dict[str, str]]:
    files = public(mfa, "ssr")
    return {tag: json.loads(files[f"assets/languages/{tag}.json"]) for tag in LANGUAGES}


def tecton_url() -> str:
    (line,) = [
        line
        for line in generated("standard", "csr")["Foo/extension.py"].decode().splitlines()
        if "TECTON_URL" in line
    ]
    return line.split('"')[1]


def server_side_page(
    mfa: str,
    purpose: Mapping[str, Any] = SIGNING_IN,
    start: Mapping[str, Any] | None = None,
    *,
    escaped: bool = True,
) -> str:
    """What `get_template` answers. :param escaped: Jinja escapes by itself."""
    prefix = EXTENSION + "templates/"
    tree = generated(mfa, "ssr")
    templates = {path.removeprefix(prefix): tree[path].decode() for path in tree if path.startswith(prefix)}
    environment = Environment(loader=DictLoader(templates), autoescape=escaped)
    start = {"authorization_url": AUTHORIZE, "expires_in": 600} if start is None else start
    return environment.get_template("index.html.jinja2").render(
        this={"base_assets_url": ASSETS}, purpose=purpose, provider="login.bank.example", start=start
    )


PAGES = itertools.count()
BEGIN = """if (sessionStorage.getItem("test") !== "PAGE") {
    sessionStorage.clear();
    sessionStorage.setItem("test", "PAGE");
}
"""


def new_tab(browser: Browser, **options: Any) -> Page:
    """A tab in a session of its own. Tests share one where they can: a session takes longer to begin than a page."""
    context = browser.new_context(**options)
    context.set_default_timeout(10_000)
    return context.new_page()


class ScriptedPage:
    """One page of one variant. Arguments of the constructor are what a test wants to be different.

    :param tab: the tab to show it in, which is empty again when this page is closed. None: a new one, in a session of its own;
        so is that of a page with *clock*, *context* or without *javascript*.
    :param verify_page: `verify.html`, as the identity provider sends the customer to it.
    :param broken: by a part of the address of a request: "blocked", "hangs" or a status.
    :param wrapper: the SDK's own form around a server-side rendered page.
    :param init: a script that runs before every other one. :param replace: a text of the page, and another.
    :param plan: how the double of Tecton behaves (see `tecton_double.js`).
    """

    def __init__(
        self,
        browser: Browser,
        mfa: str,
        rendering: str,
        *,
        tab: Page | None = None,
        verify_page: bool = False,
        query: Mapping[str, str] | None = None,
        purpose: Mapping[str, Any] = SIGNING_IN,
        start: Mapping[str, Any] | None = None,
        wrapper: bool = True,
        broken: Mapping[str, str | int] | None = None,
        clock: bool = False,
        javascript: bool = True,
        answers: Mapping[str, list[dict[str, Any]]] | None = None,
        init: str = "",
        replace: tuple[str, str] = ("", ""),
        context: Mapping[str, Any] | None = None,
        **plan: Any,
    ) -> None:
        self.mfa, self.rendering = mfa, rendering
        self.broken = dict(broken or {})
        self.requests: list[tuple[str, str]] = []
        self._public = public(mfa, rendering)
        self._public["index.html"] = self._public.get("index.html", "").replace(*replace)
        self._page = "" if verify_page or rendering == "csr" else server_side_page(mfa, purpose, start)
        self._page = self._page.replace(*replace)
        if wrapper and self._page:
            self._page = FORM.format(page=self._page)
        default = {"purpose": purpose, "provider": "login.bank.example"}
        usual: dict[str, list[dict[str, Any]]] = {
            "default": [{"resolve": {"data": default}}],
            "start": [{"resolve": {"data": {"authorization_url": AUTHORIZE, "expires_in": 600}}}],
            "submit": [{"resolve": TOKEN}],
            "token_handler": [{"resolve": TOKEN}],
            "verifyMFA": [{"resolve": None}],
            "exit": [{"never": True}],
        }
        plan = {"texts": texts(mfa), **plan, "answers": {**usual, **(answers or {})}}
        # In the document, because a tab keeps its init scripts. It keeps its session storage too.
        text = json.dumps(plan).replace("</", r"<\/")
        begin = BEGIN.replace("PAGE", f"{next(PAGES)}")
        self._first_script = f"<head><script>{begin}window.plan = {text};{init}</script>"
        self._own = tab is None or clock or context is not None or not javascript
        self.page = new_tab(browser, java_script_enabled=javascript, **(context or {})) if self._own else tab
        if clock:
            self.page.clock.install(time=0)
            self.page.clock.pause_at(1000)
        self.page.route("**/*", self._serve)
        at = f"{ASSETS}/{'verify' if verify_page else 'index'}.html"
        if rendering == "ssr" and not verify_page:
            at = f"{OUTLET}/Foo"
        query = {"code": "the code", "state": "abc"} if verify_page and query is None else query
        self.url = at + (f"?{urlencode(query)}" if query else "")
        self.page.goto(self.url, wait_until="commit")

    def close(self) -> None:
        self.page.unroute_all(behavior="ignoreErrors")
        if self._own:
            self.page.context.close()
        else:
            self.page.goto("about:blank")

    def _serve(self, route: Route) -> None:
        request = route.request
        url = request.url
        self.requests.append((request.method, url))
        for part, how in self.broken.items():
            if part in url:
                if how == "blocked":
                    route.abort("blockedbyclient")
                elif how != "hangs":
                    route.fulfill(status=int(how), body="broken")
                return
        path = urlsplit(url).path
        if url.endswith("q2-tecton-sdk.js"):
            messages = node.WEB / "node_modules" / "intl-messageformat" / "intl-messageformat.iife.js"
            route.fulfill(
                content_type="text/javascript", body=messages.read_text("utf-8") + DOUBLE.read_text("utf-8")
            )
        elif url.startswith(OUTLET):
            document = DOCUMENT.format(tecton=tecton_url(), page=self._page)
            route.fulfill(content_type="text/html; charset=utf-8", body=self._with_plan(document))
        elif url.startswith(ASSETS) and path.removeprefix("/Foo/") in self._public:
            kinds = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
            kind = kinds.get(path.rpartition(".")[2], "application/json")
            content = self._public[path.removeprefix("/Foo/")]
            body = self._with_plan(content) if kind == "text/html" else content
            route.fulfill(content_type=f"{kind}; charset=utf-8", body=body)
        elif url.startswith(PROVIDER):
            route.fulfill(content_type="text/html", body="<h1>Sign in</h1>")
        else:
            route.fulfill(status=404, body="")

    def _with_plan(self, document: str) -> str:
        assert document.count("<head>") == 1
        return document.replace("<head>", self._first_script)

    # ---- what the customer sees and does

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def main(self) -> Locator:
        return self.page.locator('[data-part="main"]')

    @property
    def cancel(self) -> Locator:
        return self.page.locator('[data-part="cancel"]')

    @property
    def again(self) -> Locator:
        return self.page.locator('[data-part="again"]')

    @property
    def message(self) -> Locator:
        return self.page.get_by_role("alert")

    @property
    def field(self) -> Locator:
        return self.page.locator("#passcode")

    @property
    def purpose(self) -> Locator:
        return self.page.locator('[data-part="purpose"]')

    @property
    def calls(self) -> list[list[Any]]:
        """What the page asked Tecton for."""
        calls: list[list[Any]] = self.page.evaluate("window.calls")
        return calls

    def type(self, code: str) -> None:
        self.field.fill(code)
        self.main.click()
