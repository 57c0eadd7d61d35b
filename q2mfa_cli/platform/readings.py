"""Readings: assumptions about what Q2 does not document. The fake follows them, by default the strictest ones.

Generated code has to work with every reading.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_type_hints

from q2mfa_cli.errors import UsageError

# The environment variable with the readings for a command, as a JSON object.
ENVIRONMENT_VARIABLE = "Q2MFA_READINGS"

LOGGING_FILTERS = "q2_sdk.core.q2_logging.filters"


def _reading(default: Any, says: str) -> Any:
    return field(default=default, metadata={"says": says})


@dataclass(frozen=True)
class Readings:
    """One reading of each undocumented point. The default is the strictest one, which gives generated code the least."""

    token_result: Literal["dict", "text", "nested"] = _reading(
        "dict", "The result of set_external_mfa_token: a dict, the token itself, or a dict nested in data."
    )
    missing_mfa_info: Literal["absent", "none"] = _reading(
        "absent", "An attribute of mfa_info that the workflow does not have: absent, or None."
    )
    autoescape: bool = _reading(False, "Whether templates of server-side rendered pages are auto-escaped.")
    error_data: Literal["data", "nested", "message"] = _reading(
        "data",
        "Where the data of a TectonError is in a rejection: error.data, error.data.data, or nowhere, so that only the "
        "message reaches the page.",
    )
    verify_mfa: Literal["actions", "sources", "missing"] = _reading(
        "actions", "Where verifyMFA is: tecton.actions, tecton.sources, or neither."
    )
    loc: Literal["present", "absent", "key"] = _reading(
        "present", "tecton.sources.loc: present, absent, or it returns the key if a text is missing."
    )
    form_wrapper: bool = _reading(
        True, "Whether the SDK puts its own form around a server-side rendered page."
    )
    cache_inherited: Literal["raw", "prefixed"] = _reading(
        "raw",
        "How add, cas, decr, gets, incr and touch of a cache treat keys and values: they use them as they are, or they add "
        "the prefix and convert values as get and set do.",
    )
    logging_filters: bool = _reading(True, f"Whether {LOGGING_FILTERS} exists.")


def options() -> dict[str, tuple[Any, ...]]:
    """Return the possible values of each field, with the default first."""
    hints = get_type_hints(Readings)
    found = {}
    for each in fields(Readings):
        values = (False, True) if hints[each.name] is bool else get_args(hints[each.name])
        found[each.name] = (each.default, *(value for value in values if value != each.default))
    return found


def alternatives() -> list[Readings]:
    """Return the smallest list of readings in which each value that is not a default appears.

    The first has the second value of each field, the next has the third value of each field that has one.
    """
    ranks = range(1, max(map(len, options().values())))
    return [
        Readings(**{name: values[rank] for name, values in options().items() if rank < len(values)})
        for rank in ranks
    ]


def parse(values: Mapping[str, Any]) -> Readings:
    """Return the readings in *values*, a JSON object. Missing fields get their defaults.

    :raises ValueError: A field or its value does not exist.
    """
    known = options()
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"the readings are {', '.join(known)}")
        if not any(value is option or (isinstance(value, str) and value == option) for option in known[name]):
            raise ValueError(f"{name} is one of {', '.join(map(repr, known[name]))}")
    return Readings(**values)


def from_environment() -> Readings:
    """Return the readings of :data:`ENVIRONMENT_VARIABLE`.

    :raises UsageError: The variable does not contain valid readings. See :func:`parse`.
    """
    try:
        return parse(json.loads(os.environ.get(ENVIRONMENT_VARIABLE) or "{}"))
    except (ValueError, AttributeError) as error:
        raise UsageError(
            f"The environment variable {ENVIRONMENT_VARIABLE} is not valid: {error}.",
            """Set it to a JSON object such as {"loc": "key"}, or unset it.""",
        ) from error


def hide_modules(readings: Readings) -> None:
    """Make the import of an SDK module fail if these *readings* say that it does not exist.

    Call this before importing extensions.
    """
    if readings.logging_filters:
        if sys.modules.get(LOGGING_FILTERS, sys) is None:
            del sys.modules[LOGGING_FILTERS]
    else:
        sys.modules[LOGGING_FILTERS] = None  # type: ignore[assignment]


def as_json(readings: Readings) -> list[dict[str, Any]]:
    """Return the readings for the preview's page, each with its possible values."""
    known = options()
    return [
        {"id": each.name, "says": each.metadata["says"], "value": getattr(readings, each.name)}
        | {"options": list(known[each.name])}
        for each in fields(Readings)
    ]
