"""Settings of the service's own tests.

Two things a plugin meets here and nowhere else: its hook runs twice, and BADGES_ENABLED is set after it.
"""

from __future__ import annotations

from credentials.apps.plugins.constants import PROJECT_TYPE, SettingsType
from credentials.settings.base import *  # noqa: F403
from credentials.settings.base import BEFORE_SUMAC
from edx_django_utils.plugins import add_plugins

ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

add_plugins(__name__, PROJECT_TYPE, SettingsType.TEST)
if not BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.TEST)
    BADGES_ENABLED = True
