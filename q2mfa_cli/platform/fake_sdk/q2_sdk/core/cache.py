"""The class of a handler's caches, such as ``self.cache``."""

from q2mfa_cli.platform.cache import Q2CacheClient

__all__ = ["Q2CacheClient"]
