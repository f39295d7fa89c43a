"""Rendered settings of the Credentials service, as Django settings: the file that RENDERED_SETTINGS names.

What the sandbox has no use for, but Tutor's settings change, is put there first; the database is SQLite.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import runpy
import sys
from types import ModuleType
from typing import Any

rendered_path = os.environ["RENDERED_SETTINGS"]

for name in ("credentials.settings.production", "credentials.settings.devstack"):
    host: Any = importlib.import_module(name)
    host.JWT_AUTH = getattr(host, "JWT_AUTH", {})

if importlib.util.find_spec("credentials.settings.utils") is None:
    utils: Any = ModuleType("credentials.settings.utils")
    utils.get_logger_config = lambda **_: {"version": 1, "handlers": {"local": {}}, "loggers": {}}
    sys.modules["credentials.settings.utils"] = utils

globals().update({name: value for name, value in runpy.run_path(rendered_path).items() if name.isupper()})

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["RENDERED_DATABASE"],
        "OPTIONS": {"timeout": 30},
    }
}
