"""The local platform: a stand-in for what cannot be installed, to run generated extensions on."""

from pathlib import Path

FAKE_SDK = Path(__file__).resolve().parent / "fake_sdk"

# The modules of the sandbox extra that the fake SDK and the platform behind it import.
FAKE_SDK_MODULES = ("tornado", "jinja2", "pymemcache", "requests")
