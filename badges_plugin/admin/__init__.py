"""The Django admin of the core: one module for each thing that a person edits or looks at."""

from __future__ import annotations

from django.contrib import admin

from .. import conf
from ..models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    FailedEvent,
    RequirementGroup,
)
from .awards import BadgeAwardAdmin
from .failed_events import FailedEventAdmin
from .groups import RequirementGroupAdmin
from .penalties import BadgePenaltyAdmin
from .progress import BadgeProgressAdmin
from .requirements import BadgeRequirementAdmin
from .templates import OwnBadgeTemplateAdmin
from .user_credentials import protect


def register(site: admin.AdminSite) -> None:
    """Put the pages on an admin site, unless badges are switched off."""
    if not conf.is_enabled():
        return
    site.register(BadgeTemplate, OwnBadgeTemplateAdmin)
    site.register(BadgeRequirement, BadgeRequirementAdmin)
    site.register(RequirementGroup, RequirementGroupAdmin)
    site.register(BadgePenalty, BadgePenaltyAdmin)
    site.register(BadgeProgress, BadgeProgressAdmin)
    site.register(BadgeAward, BadgeAwardAdmin)
    site.register(FailedEvent, FailedEventAdmin)
    protect(site)


register(admin.site)
