"""Server Side Rendered Tecton extensions."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from q2_sdk.core.http_handlers.tecton_handler import TectonRequestHandler
from q2_sdk.ui.forms import Q2Form

# What the platform puts around an extension's page is a [guess].
_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{}</title>
<script src="{}"></script>
</head>
<body>
{}
</body>
</html>
"""


class Q2TectonServerRequestHandler(TectonRequestHandler):
    """Its routes return a page (a ``Q2Form``) or data (a dict)."""

    def get_template(self, template_name: str, context: dict[str, Any]) -> str:
        """Render a file of the extension's ``templates`` folder; ``this`` is the handler.

        That values are escaped is a [guess], and so a generated template escapes each itself too.
        """
        # Beside the handler's class, of which a test may have made a class of its own.
        folders = [
            Path(sys.modules[kind.__module__].__file__ or "").parent / "templates"
            for kind in type(self).__mro__[: type(self).__mro__.index(Q2TectonServerRequestHandler)]
        ]
        environment = Environment(
            loader=FileSystemLoader(folders), undefined=StrictUndefined, autoescape=True
        )
        return environment.get_template(template_name).render(this=self, **context)

    def get_tecton_form(
        self,
        title: str,
        custom_template: str = "",
        routing_key: str | None = None,
        hide_submit_button: bool = False,
    ) -> Q2Form:
        """The page, as a form."""
        return Q2Form(title, custom_template, routing_key, hide_submit_button)

    def _answer(self, result: Any) -> None:
        if isinstance(result, Q2Form):
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.write(_FRAME.format(escape(result.title), escape(self.TECTON_URL), result.custom_template))
        elif isinstance(result, dict):
            self.write({"data": result})
        else:
            raise TypeError("a route returns a Q2Form or a dict")
