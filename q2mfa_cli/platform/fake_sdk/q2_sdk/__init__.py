"""A fake of Q2's private SDK. It has the SDK's documented names, and uses Tornado and the local platform.

It runs extensions and their tests where the SDK is not installed. A process that needs it adds it to ``sys.path``, and only
if the real ``q2_sdk`` cannot be imported.
"""

import importlib.util
import sys
from pathlib import Path

__version__ = "0+fake"

if importlib.util.find_spec("q2mfa_cli") is None:
    # q2mfa runs from a checkout that is not installed, and this child process runs in another folder.
    sys.path.append(str(Path(__file__).resolve().parents[4]))
