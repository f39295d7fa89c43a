"""Accredible's groups: what Accredible decides is read only, what is asked of learners is set up here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.templates import MirroredTemplateAdmin


class AccredibleGroupAdmin(MirroredTemplateAdmin):
    """Groups come from Accredible by synchronization, never by hand. They bring no image: that is ours to set."""

    list_display: tuple[str, ...] = (
        "name",
        "api_config",
        "group_id",
        "is_gone",
        "is_active",
        "requirement_count",
        "penalty_count",
        "site",
    )
    list_filter: ClassVar[tuple[Any, ...]] = ("api_config", "is_gone", "is_active", "site")
    list_select_related: ClassVar[tuple[str, ...]] = ("site", "api_config")
    readonly_fields: ClassVar[tuple[str, ...]] = (
        *MirroredTemplateAdmin.readonly_fields,
        "api_config",
        "group_id",
        "name",
        "description",
        "is_gone",
    )
    fieldsets: ClassVar[Any] = (
        (_("From Accredible"), {"fields": ("api_config", "group_id", "name", "description", "is_gone", "shown_uuid")}),
        (
            _("Awarding"),
            {"fields": ("is_active", "can_be_reawarded", "valid_days", "renewal_days", "icon", "image", "site")},
        ),
    )
