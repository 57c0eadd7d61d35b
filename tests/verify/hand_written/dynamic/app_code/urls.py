from tornado.web import url

from .extension import AppCodeHandler

URL_PATTERNS = [url(r"/app_code(?:/(?P<routing_key>[\w.-]+))?/?", AppCodeHandler)]
