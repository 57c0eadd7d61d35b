"""A workspace with generated extensions."""

from __future__ import annotations

from pathlib import Path

import pytest

from attacks.served_extension import create_workspace


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the extensions Ssr and Csr as they are generated; served in copies, and never changed."""
    return create_workspace(tmp_path_factory.mktemp("generated") / "workspace")
