"""What the tests of this folder share: a workspace with generated extensions, and the two providers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks import real
from attacks.served import create_workspace


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the extensions Ssr and Csr as they are generated; served in copies, nobody changes it."""
    return create_workspace(tmp_path_factory.mktemp("generated") / "workspace")


@pytest.fixture(scope="session")
def provider() -> Iterator[real.RealProvider]:
    with real.running() as provider:
        yield provider
