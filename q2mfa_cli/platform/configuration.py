"""The workspace's ``configuration`` package, as the platform reads it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType, SimpleNamespace
from typing import Any


class ConfigurationMissing(Exception):
    """``configuration/<Name>.py`` lacks a value of REQUIRED_CONFIGURATIONS. The server must not start without it."""


def workspace_settings() -> ModuleType | None:
    """Import and return ``configuration/settings.py``; ``None`` if there is none."""
    return _import("configuration.settings")


def extension_config(
    name: str, required: Mapping[str, Any], optional: Mapping[str, Any], overrides: Mapping[str, Any]
) -> SimpleNamespace:
    """Return the values of ``configuration/<name>.py``.

    :param required: The values that the file must have, by name.
    :param optional: The defaults of values that the file may omit.
    :param overrides: Values that replace those of the file.
    :raises ConfigurationMissing: The file lacks a required value.
    """
    module = _import(f"configuration.{name}")
    values = {key: value for key, value in _contents(module).items() if not key.startswith("__")}
    missing = sorted(set(required) - set(values))
    if missing:
        raise ConfigurationMissing(f"configuration/{name}.py lacks required {', '.join(missing)}")
    return SimpleNamespace(**{**optional, **values, **overrides})


def _contents(module: ModuleType | None) -> Mapping[str, Any]:
    return {} if module is None else vars(module)


def _import(module: str) -> ModuleType | None:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in ("configuration", module):
            raise
        return None
