"""Requests to the provider and its responses, independent of Tornado."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload


class Request(OAuth2Request):
    """A request to the provider. Its parameters are neither repeated nor empty."""

    def __init__(self, method: str, uri: str, headers: Mapping[str, str], parameters: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self.parameters = parameters
        self.payload = BasicOAuth2Payload(parameters)

    @property
    def form(self) -> dict[str, str]:
        return self.parameters


@dataclass
class Response:
    """A response of the provider.

    :ivar body: The JSON object; empty if the response is a redirect.
    :ivar location: The URL that the browser is redirected to; empty if the response is JSON.
    :ivar error: Why the provider refused the request; ``None`` if it did not.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]
    location: str = ""
    error: OAuth2Error | None = None
