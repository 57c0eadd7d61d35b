"""The class of ``self.cache`` and the other caches of a handler."""

from q2mfa_cli.platform.cache import Q2CacheClient

__all__ = ["Q2CacheClient"]
