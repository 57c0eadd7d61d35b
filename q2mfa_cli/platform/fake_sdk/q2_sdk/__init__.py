"""A fake of Q2's private SDK: its documented names, on real Tornado, over the local platform.

It runs generated extensions and their tests where the SDK is not installed. It is put on ``sys.path`` of a process
that needs it, and only if no real ``q2_sdk`` can be imported.
"""

import importlib.util
import sys
from pathlib import Path

__version__ = "0+fake"

if importlib.util.find_spec("q2mfa_cli") is None:
    # q2mfa runs from a checkout that is not installed, and this is a child process in another folder.
    sys.path.append(str(Path(__file__).resolve().parents[4]))
