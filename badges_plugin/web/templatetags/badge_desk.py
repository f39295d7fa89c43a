"""What pages of staff need: when something happened, as staff read it, and where a learner's page is."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from badges_plugin.reading.words import day_and_time

register = template.Library()


@register.filter
def clock(moment: datetime | None) -> SafeString | str:
    """Return an instant as the clocks of the site show it; empty for None."""
    if moment is None:
        return ""
    at = moment.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', at.strftime("%Y-%m-%dT%H:%MZ"), day_and_time(moment))


@register.simple_tag
def desk_page_of(user_id: int | None) -> str:
    """Return the address of a learner's page; empty where there is none."""
    try:
        return reverse("badges_web:desk_learner", args=(user_id,)) if user_id else ""
    except NoReverseMatch:
        return ""
