"""Settings of a deployment: the operator's configuration is the YAML file that CREDENTIALS_CFG names.

From Sumac on, plugin hooks run before it and the operator wins; before Sumac they ran after it and won.
What the operator gives replaces a dictionary whole.
"""

from __future__ import annotations

import os
from pathlib import Path

import yaml
from credentials.apps.plugins.constants import PROJECT_TYPE, SettingsType
from credentials.settings.base import *  # noqa: F403
from credentials.settings.base import BEFORE_SUMAC, INSTALLED_APPS
from edx_django_utils.plugins import add_plugins

ALLOWED_HOSTS = ["*"]

if not BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.PRODUCTION)

globals().update(yaml.safe_load(Path(os.environ["CREDENTIALS_CFG"]).read_text(encoding="utf-8")) or {})
INSTALLED_APPS += globals().get("EXTRA_APPS", [])

if BEFORE_SUMAC:
    add_plugins(__name__, PROJECT_TYPE, SettingsType.PRODUCTION)
