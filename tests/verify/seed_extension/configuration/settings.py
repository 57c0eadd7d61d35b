from q2_sdk.core.default_settings import *

INSTALLED_EXTENSIONS = ["MyExternalMFA"]
OUTBOUND_WHITELIST.extend(["idp.example.com"])
