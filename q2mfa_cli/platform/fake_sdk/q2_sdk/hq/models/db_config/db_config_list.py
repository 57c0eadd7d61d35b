"""The configuration values of an extension in the database."""

from __future__ import annotations

from q2_sdk.hq.models.db_config.db_config import DbConfig


class DbConfigList(list[DbConfig]):
    """The type of ``WEDGE_ADDRESS_CONFIGS``."""
