"""The history of a badge template's rules, on the admin's own page of its history."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from badges_plugin import reading
from badges_plugin.admin.base import ModelAdmin
from badges_plugin.models import BadgeTemplate

SHOWN = 100


class WithHistory(ModelAdmin[BadgeTemplate]):
    """Add to Django's log, which tells of the template alone, what was changed in what it asks for."""

    object_history_template = "badges_plugin/admin/template_history.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        template = self.get_object(request, object_id)
        changes = reading.history_of(template.pk).changes if template is not None else ()
        context = {"changes": changes[:SHOWN], "is_cut": len(changes) > SHOWN, **(extra_context or {})}
        return super().history_view(request, object_id, context)
