"""Connects the signal receivers that plugins declare in their ``plugin_app``."""

from __future__ import annotations

from credentials.apps.plugins.constants import PROJECT_TYPE
from django.apps import AppConfig
from edx_django_utils.plugins import connect_plugin_receivers


class PluginsConfig(AppConfig):
    name = "credentials.apps.plugins"

    def ready(self) -> None:
        connect_plugin_receivers(PROJECT_TYPE)
