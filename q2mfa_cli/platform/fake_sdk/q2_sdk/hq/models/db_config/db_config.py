"""A value that an extension keeps in the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class DbConfig:
    """One value, with its default."""

    name: str
    default: object
