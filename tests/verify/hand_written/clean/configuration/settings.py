from q2_sdk.core.default_settings import *

INSTALLED_EXTENSIONS = ["voice_call", "bank_id"]
OUTBOUND_WHITELIST.extend(["voice.example.com", "login.bank.example"])
DANGEROUS_WHITELIST = []
