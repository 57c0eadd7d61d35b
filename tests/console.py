"""The `console` blocks of documents: commands, each with what it prints."""

from __future__ import annotations

import re

BLOCK = re.compile(r"(?s)```console\n(.*?)```")
COMMAND = re.compile(r"(?ms)^\$ (.*?)\n(.*?)(?=^\$ |\Z)")


def commands_of(document: str) -> list[tuple[str, str]]:
    """The commands of the document, each with the output that follows it."""
    return [
        (command, output.rstrip("\n"))
        for block in BLOCK.findall(document)
        for command, output in COMMAND.findall(block)
    ]


def is_shown(printed: str, shown: str) -> bool:
    """Whether *printed* is what the document shows, where `…` takes the place of any text."""
    pattern = ".*".join(re.escape(part) for part in shown.split("…"))
    return re.fullmatch(pattern, printed.rstrip("\n"), re.DOTALL) is not None
