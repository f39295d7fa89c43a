"""Settings of the sandbox: the stand-in's, plugin hooks, and the environment in place of an operator.

Environment: ``DATABASE_URL``; ``BADGES_SANDBOX_DIR``, the folder for files (default: ``var/`` of the
repository); ``BADGES_SANDBOX_LOG_LEVEL``; ``BADGES_SANDBOX_LOG_EVENTS``, which is ``DEBUG`` for a line per event of a
consumer; ``BADGES_SANDBOX_DEBUG``; ``CREDENTIALS_STANDIN_RELEASE``; and what ``sandbox.environment`` reads. Plugin
hooks are those of type ``production``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edx_django_utils.plugins import add_plugins

# First on the path: these settings mean the stand-in, whatever other ``credentials`` there may be.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from credentials.apps.plugins.constants import PROJECT_TYPE, SettingsType
from credentials.settings.base import *  # noqa: F403
from credentials.settings.base import BEFORE_SUMAC

from sandbox import environment

SANDBOX_DIR = Path(os.environ.get("BADGES_SANDBOX_DIR", Path(__file__).resolve().parents[1] / "var"))

# As in production, where openedx-events goes on after a receiver that raised. The development server asks for it.
DEBUG = os.environ.get("BADGES_SANDBOX_DEBUG") == "true"
ALLOWED_HOSTS = ["*"]
DATABASES = environment.databases(os.environ, SANDBOX_DIR)
ROOT_URLCONF = "sandbox.urls"
WSGI_APPLICATION = "sandbox.wsgi.application"
MEDIA_ROOT = SANDBOX_DIR / "media"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("BADGES_SANDBOX_LOG_LEVEL", "INFO")},
    "loggers": {"badges_plugin.consumers.reporting": {"level": os.environ.get("BADGES_SANDBOX_LOG_EVENTS", "NOTSET")}},
}

if not BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.PRODUCTION)

globals().update(environment.overrides(os.environ, globals().get("BADGES_CONFIG", {})))

if BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.PRODUCTION)
