"""The names a plugin registers itself under."""

from __future__ import annotations

PROJECT_TYPE = "credentials.djangoapp"


class SettingsType:
    """The kinds of settings modules for which a plugin can have a hook."""

    PRODUCTION = "production"
    BASE = "base"
    DEVSTACK = "devstack"
    TEST = "test"
