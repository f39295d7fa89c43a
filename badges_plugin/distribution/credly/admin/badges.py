"""Badges as they stand at Credly."""

from __future__ import annotations

from typing import ClassVar

from badges_plugin.distribution.accounts.admin import ProviderBadgeAdmin
from badges_plugin.distribution.credly.models import CredlyBadge


class CredlyBadgeAdmin(ProviderBadgeAdmin[CredlyBadge]):
    external_id: ClassVar[str] = "issued_badge_id"
    address: ClassVar[str] = "accept_badge_url"
