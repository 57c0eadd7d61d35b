"""TOML on every supported Python."""

from __future__ import annotations

import sys
from typing import Any


def loads(text: str) -> dict[str, Any]:
    """Return the document as a mapping.

    :raises ValueError: The text is not TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib  # only needed for a TOML file
    else:
        import tomli as tomllib
    return tomllib.loads(text)
