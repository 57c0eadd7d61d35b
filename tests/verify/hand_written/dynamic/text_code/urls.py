from tornado.web import url

from .extension import TextCodeHandler

URL_PATTERNS = [url(r"/text_code(?:/(?P<routing_key>[\w.-]+))?/?", TextCodeHandler)]
