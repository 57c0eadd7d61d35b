"""A configuration value of an extension in the database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class DbConfig:
    """A value, with its default."""

    name: str
    default: object
