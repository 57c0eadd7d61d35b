"""The source of one extension, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """The files of the extension *name*.

    :param workspace: the root; paths of locations are relative to it. :param folder: the extension's package.
    """

    workspace: Path
    name: str
    folder: Path
