"""Fixtures for extensions' tests: ``from q2_sdk.tools.testing.conftest import *``."""

from __future__ import annotations

import asyncio
import inspect
import logging

import pytest

from q2_sdk import context
from q2mfa_cli.platform.readings import hide_modules

# The platform does not start if the settings cannot be imported, so the tests fail to start too.
context.settings()
hide_modules(context.current().platform.readings)


@pytest.fixture
def logger() -> logging.Logger:
    """A logger for the ParamsObj of an API call."""
    return logging.getLogger("q2_sdk.tests")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run async test functions in an event loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.function(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
