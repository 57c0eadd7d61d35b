from tornado.web import url

from .extension import MyExternalMFAHandler

URL_PATTERNS = [url(r"/MyExternalMFA(?:/(?P<routing_key>[\w.-]+))?/?", MyExternalMFAHandler)]
