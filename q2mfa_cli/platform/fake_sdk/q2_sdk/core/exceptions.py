"""The errors that an extension raises to send an error to its page."""

from __future__ import annotations

from typing import Any


class TectonError(Exception):
    """An error for the page. The response has an error status, so the page's promise is rejected.

    :param message: What went wrong.
    :param data: A JSON-serializable dict for the page.
    """

    def __init__(self, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}
