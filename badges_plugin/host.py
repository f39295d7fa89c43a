"""
Everything that is taken from the Credentials service, and the only module that imports from it.

The names below exist in every supported release (Redwood to Verawood); what differs between releases is
settled here and nowhere else.
"""

from __future__ import annotations

from credentials.apps.core.models import User
from credentials.apps.credentials.models import AbstractCredential, UserCredential
from credentials.apps.plugins.constants import PROJECT_TYPE

__all__ = ["AWARDED", "PROJECT_TYPE", "REVOKED", "AbstractCredential", "User", "UserCredential"]

AWARDED: str = UserCredential.AWARDED
REVOKED: str = UserCredential.REVOKED
