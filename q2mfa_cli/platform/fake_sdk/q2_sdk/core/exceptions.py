"""Errors an extension raises to answer its page."""

from __future__ import annotations

from typing import Any


class TectonError(Exception):
    """Answered to the page with a status outside 2xx; the page's promise rejects [seen].

    :param message: what went wrong. :param data: a JSON-able dict for the page.
    """

    def __init__(self, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}
