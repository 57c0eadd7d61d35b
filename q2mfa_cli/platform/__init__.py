"""A local fake of Q2's platform, which runs generated extensions where the Q2 SDK is not installed."""

from pathlib import Path

FAKE_SDK = Path(__file__).resolve().parent / "fake_sdk"

# The modules of the sandbox extra that the fake SDK and the platform behind it import.
FAKE_SDK_MODULES = ("tornado", "jinja2", "pymemcache", "requests")
