"""Generate External MFA extensions for Q2 online banking."""

__version__ = "0.1.0"
