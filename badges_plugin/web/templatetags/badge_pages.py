"""Tags of the pages: signs, and dates as people and programs read them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from badges_plugin.times import site_day
from badges_plugin.web.shared import day_in_full

register = template.Library()

# Drawn in the color of the text beside them, 20 units wide. None says anything without its word.
_SHAPES = {
    "good": '<circle cx="10" cy="10" r="8"/><path d="m6.5 10.25 2.5 2.5 4.75-5.25"/>',
    "care": '<circle cx="10" cy="10" r="8"/><path d="M10 5.5V10l3 2"/>',
    "bad": '<circle cx="10" cy="10" r="8"/><path d="m7.25 7.25 5.5 5.5m0-5.5-5.5 5.5"/>',
    "tick": '<path d="m3.5 10.75 4 4 9-9.5"/>',
    "todo": '<circle cx="10" cy="10" r="6.5"/>',
    "way": '<path d="M4 16c3-7 9-4 12-12"/><circle cx="4" cy="16" r="1.5"/><path d="M11.5 4H16v4.5"/>',
}
_SIGN = (
    '<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" '
    'stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>'
)
_SIGNS = {name: mark_safe(_SIGN.format(shape)) for name, shape in _SHAPES.items()}  # noqa: S308 - ours


@register.simple_tag
def sign(name: str) -> SafeString:
    """Return a small picture for a status or a step."""
    return _SIGNS[name]


@register.filter
def day(moment: datetime | date | None) -> SafeString | str:
    """Return the day of an instant, where the site is, with the names of months in full."""
    if moment is None:
        return ""
    on = site_day(moment) if isinstance(moment, datetime) else moment
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), day_in_full(on))


@register.filter
def isolated(text: object) -> SafeString:
    """Return what others wrote, for the middle of a sentence of ours, whichever way either runs."""
    return format_html("<bdi>{}</bdi>", text)


@register.filter
def instant(moment: datetime) -> SafeString:
    """Return an instant to the minute, in UTC: whoever checks a badge may be anywhere."""
    at = moment.astimezone(UTC)
    text = f"{day_in_full(at)}, {date_format(at, 'H:i')} UTC"
    return format_html('<time datetime="{}">{}</time>', at.strftime("%Y-%m-%dT%H:%MZ"), text)
