"""The customer's phone in the preview: messages of a factor that sends codes land in its panel.

A generated `deliver` denies until its owner fills it in, and one that is filled in sends real messages. So the preview
replaces it, from outside: the generated code has no hook for it.
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
    """Whether the extension's factor has ``deliver``, which sends a code."""
    return hasattr(_factor(extension), "deliver")


def connect(platform: Platform, extension: Extension) -> list[str]:
    """Replace ``deliver``, if there is one. Call it after each import.

    :returns: what is changed for this run, one sentence each.
    """
    if not sends_messages(extension):
        return []

    async def deliver(self: Any, code: str, destination: str) -> None:
        self.handler.deliver_message(destination, self.text(code))

    _factor(extension).deliver = deliver
    platform.overrides.setdefault("HASH_SECRET", secrets.token_urlsafe(32))
    return ["deliver() sends nothing: its messages land in the phone panel.", "HASH_SECRET is random."]
