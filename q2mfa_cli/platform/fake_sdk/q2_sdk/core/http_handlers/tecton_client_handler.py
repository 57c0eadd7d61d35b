"""The handler of client-side rendered Tecton extensions."""

from __future__ import annotations

from q2_sdk.core.http_handlers.tecton_handler import TectonRequestHandler


class Q2TectonClientRequestHandler(TectonRequestHandler):
    """A handler whose routes return a dict, which is sent as JSON."""
