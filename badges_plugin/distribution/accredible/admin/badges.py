"""Badges as they stand at Accredible. Read only: they change by awards, revocations and what Accredible reports."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from badges_plugin.admin.base import ReadOnlyAdmin
from badges_plugin.distribution.accredible.models import AccredibleBadge
from badges_plugin.models import BadgeTemplate


class AccredibleBadgeAdmin(ReadOnlyAdmin[AccredibleBadge]):
    """What the learner has: the host's status, and the state at Accredible."""

    list_display = ("uuid", "username", "template", "status", "state", "external_id", "issued_at")
    list_filter = ("status", "state")
    search_fields = ("username", "uuid", "external_id")
    readonly_fields = (
        "uuid",
        "username",
        "template",
        "status",
        "state",
        "external_id",
        "issued_at",
        "credential_url",
    )
    fields = readonly_fields
    show_full_result_count = False
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccredibleBadge]:
        """With the names of the templates: the host's generic relation would cost a query for each row."""
        names = BadgeTemplate.objects.filter(pk=OuterRef("credential_id")).values("name")
        return super().get_queryset(request).annotate(template_name=Subquery(names))

    @admin.display(description=_("badge template"), ordering="template_name")
    def template(self, badge: AccredibleBadge) -> str:
        return getattr(badge, "template_name", None) or ""
