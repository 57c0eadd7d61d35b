"""Run the provider until Return or Ctrl-C: `python tests/providers/real '{"par": "required"}'`."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from providers.real import running

options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
with contextlib.suppress(KeyboardInterrupt, EOFError), running(options) as provider:
    print(f"{provider.issuer}/.well-known/openid-configuration   (Return ends it)", flush=True)
    input()
