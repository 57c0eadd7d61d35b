"""Client Side Rendered Tecton extensions."""

from __future__ import annotations

from q2_sdk.core.http_handlers.tecton_handler import TectonRequestHandler


class Q2TectonClientRequestHandler(TectonRequestHandler):
    """Its routes return a dict, sent as JSON."""
