import os as __os

VOICE_API_KEY = __os.environ.get("VOICE_API_KEY", "")
VOICE_URL = "https://voice.example.com/calls"
CALLS_PER_HOUR = 5
