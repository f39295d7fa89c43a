"""Credly's badge templates: what Credly decides is read only, what is asked of learners is set up here."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.accounts.templates import MirroredTemplateAdmin


class CredlyBadgeTemplateAdmin(MirroredTemplateAdmin):
    """Templates come from Credly by synchronization or webhook."""

    list_display: tuple[str, ...] = (
        "name",
        "organization",
        "state",
        "is_active",
        "requirement_count",
        "penalty_count",
        "site",
    )
    list_filter: ClassVar[tuple[Any, ...]] = ("organization", "state", "is_active", "site")
    list_select_related: ClassVar[tuple[str, ...]] = ("site", "organization")
    readonly_fields: ClassVar[tuple[str, ...]] = (
        *MirroredTemplateAdmin.readonly_fields,
        "organization",
        "name",
        "description",
        "icon",
        "state",
    )
    fieldsets: ClassVar[Any] = (
        (
            _("From Credly"),
            {"fields": ("organization", "name", "description", "icon", "image", "state", "shown_uuid")},
        ),
        (_("Awarding"), {"fields": ("is_active", "can_be_reawarded", "valid_days", "renewal_days", "site")}),
    )
