"""The settings of a real checkout, and the least that makes its pages work under test.

The steps are the sandbox's own: the service's base settings, plugin hooks of type ``production``, and the
environment in place of an operator. ``BADGES_SANDBOX_DIR`` is the folder for files.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from credentials.apps.plugins.constants import PROJECT_TYPE, SettingsType
from credentials.settings import base as service
from credentials.settings.base import *  # noqa: F403
from edx_django_utils.plugins import add_plugins

from sandbox import environment

# Quince and Redwood have no badges of their own, and let plugin hooks win over the operator.
BEFORE_SUMAC = not hasattr(service, "BADGES_CONFIG")

FILES = Path(os.environ["BADGES_SANDBOX_DIR"])

ALLOWED_HOSTS = ["*"]
DATABASES = environment.databases(os.environ, FILES)
MEDIA_ROOT = str(FILES / "media")
# The service's own writes to a file in /var/tmp and to syslog.
LOGGING = {"version": 1, "disable_existing_loggers": False}

# The themes come from a git URL, which is left out; no page under test needs them.
INSTALLED_APPS = [app for app in service.INSTALLED_APPS if app != "edx_credentials_themes" or find_spec(app)]
# Without a site configuration every page but /health/ is an error.
INSTALLED_APPS.append("tests.host.apps.HostTestsConfig")

# Neither collectstatic nor webpack has run.
if hasattr(service, "STORAGES"):
    STORAGES = {
        **service.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
else:
    STATICFILES_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
WEBPACK_LOADER = {"DEFAULT": {"LOADER_CLASS": "webpack_loader.loaders.FakeWebpackLoader"}}

if not BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.PRODUCTION)

globals().update(environment.overrides(os.environ, globals().get("BADGES_CONFIG", {})))

if BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.PRODUCTION)
