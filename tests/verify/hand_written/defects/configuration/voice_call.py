import os as __os

VOICE_API_KEY = __os.environ.get("VOICE_API_KEY", "k3y-of-2024-live")  # DEFECT secret-in-source
VOICE_URL = "http://voice.example.com/calls"  # DEFECT tls
