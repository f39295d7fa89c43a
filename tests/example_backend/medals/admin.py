from django.contrib import admin

from badges_plugin.distribution.api import BadgeTemplateAdmin, is_enabled
from medals.models import MedalTemplate


class MedalTemplateAdmin(BadgeTemplateAdmin):
    list_display = ("name", "medal_name", "is_active", "requirement_count", "penalty_count", "site")
    fieldsets = (
        (None, {"fields": ("name", "medal_name", "description", "icon", "site")}),
        ("Awarding", {"fields": ("is_active", "can_be_reawarded", "valid_days", "renewal_days")}),
    )


if is_enabled():
    admin.site.register(MedalTemplate, MedalTemplateAdmin)
