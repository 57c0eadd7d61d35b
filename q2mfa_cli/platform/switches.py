"""Switches break something on purpose. Each part of the platform declares its own, beside the code they break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switch:
    """One fault that the preview can turn on.

    :param id: the name in code and in the API. :param label: the name on the page. :param says: one sentence about the effect.
    """

    id: str
    label: str
    says: str
