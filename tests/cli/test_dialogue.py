"""docs/reference/dialogue.md shows the dialogue as it is."""

from __future__ import annotations

import pytest
from recorded_dialogue import DOCUMENT, document


@pytest.mark.slow
def test_recorded_dialogue_is_up_to_date() -> None:
    """`make snapshots` records it again."""
    assert document() == DOCUMENT.read_text("utf-8")
