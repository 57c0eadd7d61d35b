"""Filters that remove secrets from the log, for LOGGING_FILTERS of a handler and GLOBAL_LOGGING_FILTERS of the settings."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

REMOVED = "*****"


class StringSecretsFilter(logging.Filter):
    """Removes the values of *keys* from XML, JSON and dicts in log messages."""

    def __init__(self, keys: Iterable[str]) -> None:
        super().__init__()
        names = "|".join(map(re.escape, keys))
        text = r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' """
        self._patterns = [
            # JSON and dicts
            re.compile(rf"""(["'](?:{names})["']\s*:\s*) (?: b?(?:{text}) | [^\s,}}\]]+ )""", re.VERBOSE),
            # XML
            re.compile(rf"(<(?:{names})(?:\s[^>]*)?>)[^<]+"),
        ]

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        for pattern in self._patterns:
            message = pattern.sub(rf"\g<1>{REMOVED}", message)
        record.msg, record.args = message, ()
        return True
