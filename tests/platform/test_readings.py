"""Readings: what the fake assumes where Q2 documents nothing."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

import pytest

from q2mfa_cli.errors import UsageError
from q2mfa_cli.platform.readings import (
    ENVIRONMENT_VARIABLE,
    LOGGING_FILTERS,
    Readings,
    alternatives,
    from_environment,
    hide_modules,
    options,
    parse,
)


def test_alternatives_have_every_value_but_the_defaults() -> None:
    for name, (default, *others) in options().items():
        found = [getattr(each, name) for each in alternatives()]
        assert [value for value in found if value != default] == others


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pizza": 1}, "the readings are token_result, "),
        ({"loc": "somewhere"}, "loc is one of 'present', 'absent', 'key'"),
        ({"autoescape": 1}, "autoescape is one of False, True"),
        ({"loc": ["key"]}, "loc is one of"),
    ],
)
def test_unknown_reading_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(values)


def test_readings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_environment() == Readings()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, json.dumps({"loc": "key", "autoescape": True}))
    assert from_environment() == Readings(loc="key", autoescape=True)


@pytest.mark.parametrize("text", ["{", "[]", '{"pizza": 1}', '{"loc": null}'])
def test_invalid_readings_in_the_environment_are_a_usage_error(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, text)
    with pytest.raises(UsageError, match=ENVIRONMENT_VARIABLE):
        from_environment()


def test_hidden_module_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, LOGGING_FILTERS, sys)
    hide_modules(Readings())
    assert importlib.import_module(LOGGING_FILTERS) is sys
    hide_modules(Readings(logging_filters=False))
    with pytest.raises(ImportError):
        importlib.import_module(LOGGING_FILTERS)
    hide_modules(Readings())
    assert LOGGING_FILTERS not in sys.modules
