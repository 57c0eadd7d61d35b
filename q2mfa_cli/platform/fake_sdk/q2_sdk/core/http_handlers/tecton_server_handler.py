"""The handler of server-side rendered Tecton extensions."""

from __future__ import annotations

import functools
import sys
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from q2_sdk.core.exceptions import TectonError
from q2_sdk.core.http_handlers.tecton_handler import TectonRequestHandler
from q2_sdk.ui.forms import Q2Form
from q2mfa_cli.platform.sessions import FORM_TOKEN_FIELD

# The document around an extension's template.
DOCUMENT = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<script src="{tecton_url}"></script>
</head>
{body}
</html>
"""

BODY = """<body>
{template}
</body>"""

# The SDK's own form around the template. Browsers drop the start tag of a nested form.
BODY_WITH_FORM = """<body data-tecton-module>
<form class="sdk-form form-container pad(3)" role="form" method="post" enctype="multipart/form-data" id="1">
<input type="hidden" name="{form_token_field}" value="{form_token}">
{template}
{submit_button}</form>
<script>
function validate_input_fields() {{ return document.querySelector("form.sdk-form").reportValidity(); }}
function submitForm() {{ document.querySelector("form.sdk-form").submit(); }}
</script>
</body>"""

SUBMIT_BUTTON = """<button type="submit" class="btn">Submit</button>
"""

ERROR = """<main data-platform-error>
<h1>This page cannot be shown</h1>
<p>{}</p>
</main>"""


class Q2TectonServerRequestHandler(TectonRequestHandler):
    """A handler whose routes return a page (a ``Q2Form``) or data (a dict)."""

    def get_template(self, template_name: str, context: dict[str, Any]) -> str:
        """Render a file of the extension's ``templates`` folder. In the template, ``this`` is the handler.

        Q2 does not document whether values are auto-escaped, so generated templates escape each value.
        """
        # The folder is next to the module of the handler's class. A test may have derived a class from it.
        folders = tuple(
            Path(sys.modules[kind.__module__].__file__ or "").parent / "templates"
            for kind in type(self).__mro__[: type(self).__mro__.index(Q2TectonServerRequestHandler)]
        )
        environment = _environment(folders, self._platform.readings.autoescape)
        return environment.get_template(template_name).render(this=self, **context)

    def get_tecton_form(
        self,
        title: str,
        custom_template: str = "",
        routing_key: str | None = None,
        hide_submit_button: bool = False,
    ) -> Q2Form:
        """Return a page with *custom_template*."""
        return Q2Form(title, custom_template, routing_key, hide_submit_button)

    async def _routed(self, routing_key: str) -> Any:
        for form_token in self.request.body_arguments.get(FORM_TOKEN_FIELD, []):
            self._platform.hq.report_form_post(form_token.decode("latin-1"))
            raise TectonError(
                "The page posted the SDK's form around it. An External MFA page must not post a form."
            )
        return await super()._routed(routing_key)

    def _answer(self, result: Any) -> None:
        if isinstance(result, Q2Form):
            self._write_document(result)
        else:
            super()._answer(result)

    def _answer_error(self, status: int, error: TectonError) -> None:
        """Respond to the outlet with a page, and to ``requestExtensionData`` with JSON."""
        if self._is_json:
            super()._answer_error(status, error)
            return
        self.set_status(status)
        self._write_document(Q2Form("Error", ERROR.format(escape(error.message))), form_wrapper=False)

    def _write_document(self, form: Q2Form, form_wrapper: bool | None = None) -> None:
        if form_wrapper is None:
            form_wrapper = self._platform.readings.form_wrapper
        body = (BODY_WITH_FORM if form_wrapper else BODY).format(
            form_token_field=FORM_TOKEN_FIELD,
            form_token=self._hq_session.form_token if form_wrapper else "",
            template=form.custom_template,
            submit_button="" if form.hide_submit_button else SUBMIT_BUTTON,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.write(DOCUMENT.format(title=escape(form.title), tecton_url=escape(self.TECTON_URL), body=body))


@functools.lru_cache(maxsize=8)
def _environment(folders: tuple[Path, ...], autoescape: bool) -> Environment:
    """Return the environment for templates in *folders*. It compiles a template again after its file has changed."""
    return Environment(loader=FileSystemLoader(folders), undefined=StrictUndefined, autoescape=autoescape)
