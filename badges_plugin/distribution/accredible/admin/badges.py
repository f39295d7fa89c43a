"""Badges as they stand at Accredible."""

from __future__ import annotations

from typing import ClassVar

from badges_plugin.distribution.accounts.admin import ProviderBadgeAdmin
from badges_plugin.distribution.accredible.models import AccredibleBadge


class AccredibleBadgeAdmin(ProviderBadgeAdmin[AccredibleBadge]):
    external_id: ClassVar[str] = "external_id"
    address: ClassVar[str] = "credential_url"
