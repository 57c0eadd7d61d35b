"""What a server-side route returns [seen]."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass
class Q2Form:
    """A page of online banking; the platform adds the frame around ``custom_template``."""

    title: str
    custom_template: str = ""
    routing_key: str | None = None
    hide_submit_button: bool = False
    tecton_url: str = ""

    @property
    def document(self) -> str:
        """The page as the browser gets it. What the platform's frame looks like is a [guess]."""
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(self.title)}</title>\n'
            f'<script src="{escape(self.tecton_url)}"></script>\n</head>\n<body>\n{self.custom_template}\n</body>\n'
            "</html>\n"
        )
