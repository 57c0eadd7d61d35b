from tornado.web import url

from .extension import CityLoginHandler

URL_PATTERNS = [url(r"/city_login(?:/(?P<routing_key>[\w.-]+))?/?", CityLoginHandler)]
