"""Badges as they stand at Credly. Read only: they change by awards, revocations and what Credly reports."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin.base import ReadOnlyAdmin
from badges_plugin.distribution.credly.models import CredlyBadge
from badges_plugin.models import BadgeTemplate


class CredlyBadgeAdmin(ReadOnlyAdmin[CredlyBadge]):
    """What the learner has: the host's status, and the state at Credly."""

    list_display = ("uuid", "username", "template", "status", "state", "issued_badge_id", "issued_at")
    list_filter = ("status", "state")
    search_fields = ("username", "uuid", "issued_badge_id")
    readonly_fields = (
        "uuid",
        "username",
        "template",
        "status",
        "state",
        "issued_badge_id",
        "issued_at",
        "accept_badge_url",
    )
    fields = readonly_fields
    show_full_result_count = False
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredlyBadge]:
        """With the names of the templates: the host's generic relation would cost a query for each row."""
        names = BadgeTemplate.objects.filter(pk=OuterRef("credential_id")).values("name")
        return super().get_queryset(request).annotate(template_name=Subquery(names))

    @admin.display(description=_("badge template"), ordering="template_name")
    def template(self, badge: CredlyBadge) -> str:
        return getattr(badge, "template_name", None) or ""
