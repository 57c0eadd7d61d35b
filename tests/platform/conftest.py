"""The fake SDK in the process of the tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from q2mfa_cli.platform import FAKE_SDK


@pytest.fixture
def fake_sdk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the fake SDK importable, new for each test."""
    monkeypatch.syspath_prepend(str(FAKE_SDK))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "q2_sdk"]:
        del sys.modules[name]
