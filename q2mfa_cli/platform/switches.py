"""Switches turn on faults. Each part of the platform declares its own switches next to the code that they break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One fault that the preview can turn on.

    :param id: The name in code and in the preview's API.
    :param label: The name on the preview's page.
    :param says: A sentence about the effect.
    """

    id: str
    label: str
    says: str
