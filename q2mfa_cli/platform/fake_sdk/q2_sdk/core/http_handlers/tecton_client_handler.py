"""Client Side Rendered Tecton extensions."""

from __future__ import annotations

from typing import Any

from q2_sdk.core.http_handlers.tecton_handler import TectonRequestHandler


class Q2TectonClientRequestHandler(TectonRequestHandler):
    """Its routes return a dict, sent as JSON."""

    def _answer(self, result: Any) -> None:
        if not isinstance(result, dict):
            raise TypeError("a route returns a dict")
        self.write({"data": result})
