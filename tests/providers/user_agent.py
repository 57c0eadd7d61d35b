"""A user with a browser: logs in at a provider, and brings back what it answers."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

TIMEOUT = 45  # seconds; longer is a hang
# A button of a consent page, by its value or text.
ACCEPT = {"accept", "allow", "authorize", "continue"}


class _Form:
    """A form: its fields, which of them the user types into, and its buttons with their texts."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}
        self.names: list[str] = []
        self.passwords: list[str] = []
        self.buttons: list[tuple[str, str, str]] = []

    def add(self, tag: str, given: dict[str, str]) -> None:
        name, value, kind = given.get("name", ""), given.get("value", ""), given.get("type", "text")
        if tag == "button" or kind == "submit":
            self.buttons.append((name, value, value))
        elif kind == "checkbox" and "checked" not in given:
            return
        elif name:
            self.fields[name] = value
            if kind == "password":
                self.passwords.append(name)
            elif kind in ("text", "email") and "tabindex" not in given:
                self.names.append(name)

    @property
    def is_login(self) -> bool:
        return bool(self.names or self.passwords)


class _Page(HTMLParser):
    """The forms of a page, and its links by their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: dict[str, str] = {}
        self._href = ""
        self._in_button = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(given.get("action", "")))
        elif tag in ("input", "button") and self.forms:
            self.forms[-1].add(tag, given)
            self._in_button = tag == "button"
        elif tag == "a":
            self._href = given.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        self._in_button = self._in_button and tag != "button"

    def handle_data(self, data: str) -> None:
        if self._href:
            self.links[data.strip(" []\n")] = self._href
            self._href = ""
        if self._in_button and data.strip():
            name, value, _ = self.forms[-1].buttons[-1]
            self.forms[-1].buttons[-1] = name, value, data.strip()


class UserAgent:
    """A user at a provider's pages, with a browser that keeps cookies.

    :param name: what they type into the login form; None presses Cancel there.
    :param consents: False presses Cancel on the consent page.
    :ivar shown: the pages they met, `login` or `consent`, in turn.
    """

    password = "password"

    def __init__(self, name: str | None, *, consents: bool = True) -> None:
        self.name, self.consents = name, consents
        self.shown: list[str] = []
        self._cookies = requests.Session()
        self._cookies.trust_env = False

    def visit(self, url: str, redirect_uri: str) -> dict[str, Any]:
        """Follow the authorization request *url* through the provider's pages. Returns what comes back to *redirect_uri*.

        :raises LookupError: the user is asked again and again.
        """
        answer = self._get(url)
        for _ in range(20):
            if answer.is_redirect:
                there = urljoin(answer.url, answer.headers["Location"])
                if there.partition("?")[0] == redirect_uri:
                    return callback(urlsplit(there).query)
                answer = self._get(there)
            else:
                assert answer.ok, f"{answer.url}: {answer.status_code} {answer.text}"
                answer = self._act(answer)
        raise LookupError(f"the user never comes back, and met these pages: {', '.join(self.shown)}")

    def _act(self, answer: requests.Response) -> requests.Response:
        """Do what the page asks for."""
        here, page = answer.url, _Page(answer.text)
        form = page.forms[0]
        self.shown.append("login" if form.is_login else "consent")
        if self.name is None if form.is_login else not self.consents:
            return self._get(urljoin(here, page.links["Cancel"]))
        if form.is_login:
            typed = {**dict.fromkeys(form.names, self.name), **dict.fromkeys(form.passwords, self.password)}
        else:
            typed = {
                name: value
                for name, value, text in form.buttons
                if name and {value.lower(), text.lower()} & ACCEPT
            }
        # Always application/x-www-form-urlencoded: every provider accepts that.
        return self._cookies.post(
            urljoin(here, form.action),
            data={**form.fields, **typed},
            allow_redirects=False,
            timeout=TIMEOUT,
        )

    def _get(self, url: str) -> requests.Response:
        return self._cookies.get(url, allow_redirects=False, timeout=TIMEOUT)


def callback(query: str) -> dict[str, Any]:
    """What verify.js keeps of an address's *query*; test_hostile_provider.py compares this with the script."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in ("code", "state", "iss", "error"):
            given.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in given.items()}
