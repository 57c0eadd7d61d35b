"""Recognize an HTML page: a login page, an error page, or another page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from q2mfa_cli.provider.observation import Response

TYPED = {"text", "email", "password", "tel", "number", ""}
# Words on the error pages of providers (RFC 6749, 4.1.2.1; Entra ID).
ERRORS = re.compile(
    r"invalid[_ ](request|client|scope|redirect)|unauthorized[_ ]client|unsupported_response_type"
    r"|redirect_uri|mismatching redirect|AADSTS\d+|client_id",
    re.IGNORECASE,
)


class Page(HTMLParser):
    """The parts of a page that show its kind.

    :ivar typed: The number of fields that a person types into.
    :ivar forms: The number of forms.
    :ivar scripts: The number of scripts.
    """

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.typed = self.forms = self.scripts = 0
        self._words: list[str] = []
        self._hidden = False
        self.response = response
        if self.is_html:
            self.feed(response.text)
            self.close()

    @property
    def is_html(self) -> bool:
        return "html" in self.response.first("Content-Type").lower()

    @property
    def is_error(self) -> bool:
        return self.response.status >= 400 or (not self.typed and bool(ERRORS.search(" ".join(self._words))))

    @property
    def is_login(self) -> bool:
        """Whether the page has a field to type into, or a script that may add one."""
        if not self.is_html or self.is_error or self.response.status != 200:
            return False
        return self.typed > 0 or (self.scripts > 0 and self.forms == 0)

    @property
    def names_passkeys(self) -> bool:
        return bool(re.search(r"navigator\.credentials|webauthn|passkey", self.response.text, re.IGNORECASE))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._hidden = tag in ("script", "style")
        self.forms += tag == "form"
        self.scripts += tag == "script"
        self.typed += tag == "input" and given.get("type", "").lower() in TYPED

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._words.append(data)
