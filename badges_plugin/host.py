"""
Everything that is taken from the Credentials service, and the only module that imports from it.

The names below exist in every supported release (Redwood to Verawood); what differs between releases is
settled here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection

from credentials.apps.core.models import User
from credentials.apps.credentials.models import AbstractCredential, UserCredential
from credentials.apps.plugins.constants import PROJECT_TYPE
from django.apps import apps
from django.db.models.functions import Lower

__all__ = ["AWARDED", "PROJECT_TYPE", "REVOKED", "AbstractCredential", "User", "UserCredential", "course_keys_like"]

AWARDED: str = UserCredential.AWARDED
REVOKED: str = UserCredential.REVOKED


def course_keys_like(keys: Collection[str]) -> list[str]:
    """
    Return the keys of course runs in the service's catalogue that are one of ``keys`` but for capital letters.

    The catalogue is copied from Discovery by a command: it may be empty or old. One query, none without a catalogue.
    """
    if not apps.is_installed("credentials.apps.catalog"):
        return []
    label = "catalog"  # a type checker looks for literal names, and the stand-in has no such app
    runs = apps.get_model(label, "CourseRun").objects.annotate(letters=Lower("key"))
    found = runs.filter(letters__in=[key.lower() for key in keys]).order_by()
    return list(found.values_list("key", flat=True).distinct())
