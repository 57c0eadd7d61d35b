"""Logging for extensions."""
