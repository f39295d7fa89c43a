"""The app config that providers with accounts share."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import ClassVar

from django.apps import AppConfig

from badges_plugin import conf


class ProviderConfig(AppConfig):
    """The app of a provider. Its settings get what the host's built-in app expects in them, before any model loads."""

    default_auto_field = "django.db.models.BigAutoField"
    section: ClassVar[str]
    """The provider's key in BADGES_CONFIG."""

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        defaults = import_module(f"{app_name}.conf").BUILTIN_DEFAULTS
        conf.complete({self.section: dict(defaults)})

    def ready(self) -> None:
        """Connect the provider and its checks, unless the plugin is switched off."""
        if conf.is_enabled():
            self.connect()
            import_module(f"{self.name}.checks").connect()

    def connect(self) -> None:
        """Register the backend and its chores."""
        raise NotImplementedError
