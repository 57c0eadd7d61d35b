"""The values that an extension keeps in the database."""

from __future__ import annotations

from q2_sdk.hq.models.db_config.db_config import DbConfig


class DbConfigList(list[DbConfig]):
    """``WEDGE_ADDRESS_CONFIGS``."""
