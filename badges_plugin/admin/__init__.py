"""The Django admin of the core: one module for each thing that a person edits or looks at."""

from __future__ import annotations

from django.contrib import admin

from badges_plugin import conf
from badges_plugin.admin.awards import BadgeAwardAdmin
from badges_plugin.admin.failed_events import FailedEventAdmin
from badges_plugin.admin.groups import RequirementGroupAdmin
from badges_plugin.admin.own_templates import OwnBadgeTemplateAdmin
from badges_plugin.admin.penalties import BadgePenaltyAdmin
from badges_plugin.admin.progress import BadgeProgressAdmin
from badges_plugin.admin.requirements import BadgeRequirementAdmin
from badges_plugin.admin.user_credentials import protect
from badges_plugin.models import (
    BadgeAward,
    BadgePenalty,
    BadgeProgress,
    BadgeRequirement,
    BadgeTemplate,
    FailedEvent,
    RequirementGroup,
)


def register(site: admin.AdminSite) -> None:
    """Put the pages on an admin site, unless badges are disabled."""
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
