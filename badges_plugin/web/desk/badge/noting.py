"""Note in the history of a badge who did what, in words."""

from __future__ import annotations

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from badges_plugin.models import BadgeTemplate


def note(request: HttpRequest, template: BadgeTemplate, text: str, *, is_new: bool = False) -> None:
    LogEntry.objects.create(
        user_id=request.user.pk or 0,  # nobody gets here without having signed in
        content_type=ContentType.objects.get_for_model(BadgeTemplate),
        object_id=str(template.pk),
        object_repr=str(template)[:200],
        action_flag=ADDITION if is_new else CHANGE,
        change_message=text,
    )
