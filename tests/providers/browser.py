"""What a person's browser does at a provider: follow redirects, keep cookies, fill in forms."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests


class _Page(HTMLParser):
    """The one form of a page, and its links by their text."""

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


class Callback(NamedTuple):
    """Where the provider sent the browser back to."""

    address: str
    parameters: dict[str, str]


class Browser:
    """A person's way through a provider's pages.

    :param login: the name typed into the login form; None presses Cancel there.
    :param consents: False presses Cancel on the consent page.
    """

    def __init__(self, login: str | None, *, consents: bool = True) -> None:
        self.login, self.consents = login, consents
        self.cookies = requests.Session()

    def visit(self, url: str, redirect_uri: str) -> Callback:
        """Go from *url*, an authorization request, through the provider's pages to *redirect_uri*."""
        answer = self.cookies.get(url, allow_redirects=False, timeout=10)
        for _ in range(20):
            here = answer.url
            if answer.is_redirect:
                there = urljoin(here, answer.headers["Location"])
                if there.startswith(redirect_uri):
                    return Callback(there.partition("?")[0], dict(parse_qsl(urlsplit(there).query)))
                answer = self.cookies.get(there, allow_redirects=False, timeout=10)
                continue
            assert answer.ok, f"{here}: {answer.status_code} {answer.text}"
            page = _Page(answer.text)
            if self._cancels(page):
                answer = self.cookies.get(
                    urljoin(here, page.links["Cancel"]), allow_redirects=False, timeout=10
                )
            else:
                answer = self.cookies.post(
                    urljoin(here, page.action), data=self._filled(page), allow_redirects=False, timeout=10
                )
        raise AssertionError(f"never came back from {url}")

    def _cancels(self, page: _Page) -> bool:
        return self.login is None if "login" in page.fields else not self.consents

    def _filled(self, page: _Page) -> dict[str, str]:
        if "login" in page.fields:
            return {**page.fields, "login": self.login or "", "password": "any"}
        return page.fields
