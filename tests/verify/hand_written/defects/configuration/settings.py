from q2_sdk.core.default_settings import *

INSTALLED_EXTENSIONS = ["voice_call", "bank_id"]
OUTBOUND_WHITELIST.extend(["voice.example.com", "*.bank.example"])  # DEFECT whitelist
DANGEROUS_WHITELIST = ["10.0.0.7"]  # DEFECT whitelist
