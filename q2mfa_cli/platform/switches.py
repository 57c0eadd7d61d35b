"""Switches break something on purpose. Each part of the platform declares its own, beside the code they break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One fault that the preview can turn on.

    :param id: The name in code and in the API.
    :param label: The name on the page.
    :param says: One sentence about the effect.
    """

    id: str
    label: str
    says: str
