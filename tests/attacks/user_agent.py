"""A user with a browser: logs in at a provider, and brings back what it answers."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests


class _Page(HTMLParser):
    """The form of a page, and its links by their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self._href = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "a":
            self._href = given.get("href", "")

    def handle_data(self, data: str) -> None:
        if self._href:
            self.links[data.strip(" []\n")] = self._href
            self._href = ""


class UserAgent:
    """A user at a provider's pages, with a browser that keeps cookies.

    :param name: what they type into the login form; None presses Cancel there.
    :param consents: False presses Cancel on the consent page.
    :ivar shown: the pages they met, `login` or `consent`, in turn.
    """

    def __init__(self, name: str | None, *, consents: bool = True) -> None:
        self.name, self.consents = name, consents
        self.shown: list[str] = []
        self._cookies = requests.Session()

    def visit(self, url: str, redirect_uri: str) -> dict[str, Any]:
        """Follow the authorization request *url* through the provider's pages. Returns what comes back to *redirect_uri*."""
        answer = self._get(url)
        for _ in range(20):
            if answer.is_redirect:
                there = urljoin(answer.url, answer.headers["Location"])
                if there.partition("?")[0] == redirect_uri:
                    return callback(urlsplit(there).query)
                answer = self._get(there)
            else:
                assert answer.ok, f"{answer.url}: {answer.status_code} {answer.text}"
                answer = self._act(answer.url, _Page(answer.text))
        raise AssertionError(f"never came back from {url}")

    def _act(self, here: str, page: _Page) -> requests.Response:
        is_login = "login" in page.fields
        self.shown.append("login" if is_login else "consent")
        if self.name is None if is_login else not self.consents:
            return self._get(urljoin(here, page.links["Cancel"]))
        typed = {"login": self.name or "", "password": "any"} if is_login else {}
        return self._cookies.post(
            urljoin(here, page.action), data={**page.fields, **typed}, allow_redirects=False, timeout=10
        )

    def _get(self, url: str) -> requests.Response:
        return self._cookies.get(url, allow_redirects=False, timeout=10)


def callback(query: str) -> dict[str, Any]:
    """What verify.js keeps of an address's *query*; test_hostile_provider.py compares this with the script."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in ("code", "state", "iss", "error"):
            given.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in given.items()}
