"""The customer's phone in the preview, which shows the messages of a factor that sends codes.

A generated ``deliver`` denies until its owner completes it, and a completed one sends real messages. So the preview
replaces it after the import; the generated code has no hook for this.
"""

from __future__ import annotations

import secrets
import sys
from typing import Any

from q2mfa_cli.platform.platform import Platform
from q2mfa_cli.platform.preview.extension import Extension


def _factor(extension: Extension) -> Any:
    return getattr(sys.modules.get(f"{extension.module}.factor"), "Factor", None)


def sends_messages(extension: Extension) -> bool:
    """Whether the extension's factor sends a code with ``deliver``."""
    return hasattr(_factor(extension), "deliver")


def connect(platform: Platform, extension: Extension) -> list[str]:
    """Replace ``deliver``, if there is one. Call this after each import.

    :returns: the changes for this run, one sentence each.
    """
    if not sends_messages(extension):
        return []

    async def deliver(self: Any, code: str, destination: str) -> None:
        self.handler.deliver_message(destination, self.text(code))

    _factor(extension).deliver = deliver
    platform.overrides.setdefault("HASH_SECRET", secrets.token_urlsafe(32))
    return ["deliver() sends nothing; the phone panel shows its messages.", "HASH_SECRET is random."]
