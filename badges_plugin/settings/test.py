"""Settings of a test host: as in production."""

from .production import plugin_settings

__all__ = ["plugin_settings"]
