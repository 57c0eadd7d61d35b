"""The JSON Schemas that q2mfa publishes in docs/."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

DOCS = Path(__file__).parents[1] / "docs"


@functools.cache
def validator(name: str) -> Draft202012Validator:
    """Return the validator of ``docs/<name>.schema.json``, which is itself valid."""
    # Not at the top: every process of the tests imports this module.
    from jsonschema import Draft202012Validator

    schema = json.loads((DOCS / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)
