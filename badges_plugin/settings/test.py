"""Settings of a test host: as in production."""

from badges_plugin.settings.production import plugin_settings

__all__ = ["plugin_settings"]
