"""Settings of a development deployment. Plugin hooks run last."""

from __future__ import annotations

from credentials.apps.plugins.constants import PROJECT_TYPE, SettingsType
from credentials.settings.base import *  # noqa: F403
from edx_django_utils.plugins import add_plugins

DEBUG = True
ALLOWED_HOSTS = ["*"]

add_plugins(__name__, PROJECT_TYPE, SettingsType.DEVSTACK)
