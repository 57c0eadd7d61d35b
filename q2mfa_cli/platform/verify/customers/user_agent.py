"""The customer's browser at an identity provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from tornado.httpclient import HTTPResponse

from q2mfa_cli.platform.preview.workflows import CUSTOMER
from q2mfa_cli.platform.verify.customers.customer import Deviation

MAX_PAGES = 10
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Fetch = Callable[..., Awaitable[HTTPResponse]]


class UserAgent:
    """A browser that follows redirects and fills in the provider's login form.

    :param fetch: :meth:`Customer.fetch`.
    :ivar user: the name of the user who logs in.
    :ivar bring_back: changes the parameters that the browser brings back.
    :ivar visited: the URL of each authorization request.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.user = CUSTOMER
        self.bring_back: Callable[[dict[str, Any]], dict[str, Any]] = lambda parameters: parameters
        self.visited: list[str] = []

    async def log_in(self, authorization_url: str) -> dict[str, Any]:
        """Log in at the provider. Return the parameters in the landing page's URL, as a list if one repeats."""
        self.visited.append(authorization_url)
        url, provider = authorization_url, _origin(authorization_url)
        for _ in range(MAX_PAGES):
            if urlsplit(url).hostname not in LOOPBACK:
                raise Deviation(f"the customer is sent to {_origin(url)}")
            answer = await self._fetch(url)
            if "Location" not in answer.headers:
                form = LoginForm.parse(answer.body.decode())
                fields = {**form.fields, "user": self.user, "decision": "approve"}
                answer = await self._fetch(urljoin(url, form.action), fields, provider, urlencode)
            if "Location" not in answer.headers:
                raise Deviation(f"the provider answers {answer.code}")
            url = urljoin(url, answer.headers["Location"])
            if _origin(url) != provider:
                return self.bring_back(await self._come_back(url))
        raise Deviation("the provider never sends the customer back")

    async def _come_back(self, url: str) -> dict[str, Any]:
        if urlsplit(url).hostname in LOOPBACK:
            page = await self._fetch(url)
            if page.code != 200:
                raise Deviation(f"{urlsplit(url).path.rpartition('/')[2]} answers {page.code}")
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True):
            given.setdefault(name, []).append(value)
        return {name: values[0] if len(values) == 1 else values for name, values in given.items()}


class LoginForm(HTMLParser):
    """The form of the provider's login page: its action and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    @classmethod
    def parse(cls, page: str) -> LoginForm:
        form = cls()
        form.feed(page)
        if not form.action:
            raise Deviation("the provider shows no login form")
        return form

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        elif tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes.get("name") or ""] = attributes.get("value") or ""


def _origin(url: str) -> str:
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"
