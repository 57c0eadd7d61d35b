"""Errors an extension raises to answer its page."""

from __future__ import annotations

from typing import Any


class TectonError(Exception):
    """Answered to the page with a status that is not 2xx. The page's promise rejects.

    :param message: What went wrong.
    :param data: A JSON-able dict for the page.
    """

    def __init__(self, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}
