"""Tags of the pages of numbers: bars and swatches, which need attributes instead of styles, and numbers for people."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from badges_plugin.counting import in_thousands

register = template.Library()


@register.simple_tag
def swatch(name: str) -> SafeString:
    """Return a patch as the bars of a series look, for a legend."""
    return format_html(
        '<svg width="14" height="12" aria-hidden="true" focusable="false">'
        '<rect class="{}" x="1" y="1" width="12" height="10"/></svg>',
        name,
    )


@register.simple_tag
def meter(percent: int) -> SafeString:
    """Return a bar that is as long as a share. The share stands beside it in words."""
    return format_html(
        '<svg class="desk-meter" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="s1" width="{}" height="10"/></svg>',
        str(percent),
    )


@register.filter
def thousands(number: int) -> str:
    """Return a number with its thousands apart."""
    return in_thousands(number)
