"""The pages that server-side routes return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Q2Form:
    """A page of online banking. The platform adds the document around ``custom_template``."""

    title: str
    custom_template: str = ""
    routing_key: str | None = None
    hide_submit_button: bool = False
