"""A local fake of Q2's platform. It runs extensions where the Q2 SDK is not installed."""

from pathlib import Path

FAKE_SDK = Path(__file__).resolve().parent / "fake_sdk"

# The third-party modules that the fake SDK and the platform import. The sandbox extra has them.
FAKE_SDK_MODULES = ("tornado", "jinja2", "pymemcache", "requests")
