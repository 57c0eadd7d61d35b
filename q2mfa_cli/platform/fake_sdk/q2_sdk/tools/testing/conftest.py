"""Fixtures for extensions' tests: ``from q2_sdk.tools.testing.conftest import *``."""

from __future__ import annotations

import asyncio
import inspect
import logging

import pytest


@pytest.fixture
def logger() -> logging.Logger:
    """A logger, as an API's ParamsObj wants it."""
    return logging.getLogger("q2_sdk.tests")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run ``async def test_…`` as is."""
    if not inspect.iscoroutinefunction(pyfuncitem.function):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.function(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
