"""What ``configuration/settings.py`` begins with: ``from q2_sdk.core.default_settings import *`` [seen]."""

DEBUG = True
INSTALLED_EXTENSIONS: list[object] = []
MULTITENANT = False
CUSTOM_CORES: list[object] = []
CORE = None
IS_CUSTOMER_CREATED = False
COMPANY = ""
OUTBOUND_WHITELIST: list[str] = []
DANGEROUS_WHITELIST: list[str] = []
ASSET_URL_OVERRIDE = None
VAULT_SCOPED_READ = False
