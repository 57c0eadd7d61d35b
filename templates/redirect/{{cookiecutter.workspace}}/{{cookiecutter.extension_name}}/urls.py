"""Where the extension is served."""

from tornado.web import url

from .extension import {{ cookiecutter.__handler }}

URL_PATTERNS = [
    url(r"/{{ cookiecutter.extension_name }}(?:/(?P<routing_key>[\w.-]+))?/?", {{ cookiecutter.__handler }}),
]
