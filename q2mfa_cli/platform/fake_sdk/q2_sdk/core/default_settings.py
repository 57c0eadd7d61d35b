"""The defaults of ``configuration/settings.py``, which starts with ``from q2_sdk.core.default_settings import *``."""

import os  # noqa: F401 - settings files use os without importing it

DEBUG = True
INSTALLED_EXTENSIONS: list[object] = []
MULTITENANT = False
CUSTOM_CORES: list[object] = []
CORE = None
IS_CUSTOMER_CREATED = False
COMPANY = ""
HQ_URL = ""
OUTBOUND_WHITELIST: list[str] = []
DANGEROUS_WHITELIST: list[str] = []
ASSET_URL_OVERRIDE = None
USE_SCSS = False
VAULT_SCOPED_READ = False
CACHE: dict[str, object] = {}
LOGGING_CONF: dict[str, object] = {}
GLOBAL_LOGGING_FILTERS: list[object] = []
