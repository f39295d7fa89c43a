"""Lists of the admin on a narrow screen: each row becomes a card, whose cells say what they are."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.contrib.admin.utils import label_for_field
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from badges_plugin.admin.links import desk_page_for
from badges_plugin.models import BadgeTemplate

register = template.Library()

# The tags that Django's template writes. What cells contain is escaped, so that it has none of them.
_CELL = re.compile(r'<(td|th) class="field-(\w+)')
_EMPTY = re.compile(r'(<td class="field-\w+[^">]*)">-</td>')
_ROLES = (
    ('<table id="result_list">', '<table id="result_list" class="badges-cards" role="table">'),
    ("<thead>", '<thead role="rowgroup">'),
    ("<tbody>", '<tbody role="rowgroup">'),
    ("<tr>", '<tr role="row">'),
    ('<th scope="col"', '<th scope="col" role="columnheader"'),
    ('<td class="action-checkbox"', '<td role="cell" class="action-checkbox"'),
)


@register.simple_tag(takes_context=True)
def new_badge_url(context: template.Context, changelist: Any) -> str:
    """Return the address of the page on which a badge is made in words; empty for other lists, and for who may not."""
    return desk_page_for(context["request"].user, "desk_new_badge") if changelist.model is BadgeTemplate else ""


@register.filter
def labeled(html: str, changelist: Any) -> SafeString:
    """Return the table of a list with the name of its column at each cell, and with the roles that cards would lose.

    Nothing to say is not said: Django writes a hyphen.
    """
    names = [name for name in changelist.list_display if name != "action_checkbox"]
    labels = {
        str(name): escape(capfirst(str(label_for_field(name, changelist.model, changelist.model_admin))))
        for name in names[1:]
    }

    def told(cell: re.Match[str]) -> str:
        tag, name = cell.groups()
        label = f' data-label="{labels[name]}"' if name in labels else ""
        return f'<{tag} role="{"cell" if tag == "td" else "rowheader"}"{label} class="field-{name}'

    html = _CELL.sub(told, _EMPTY.sub(r'\1 badges-empty">&nbsp;</td>', html))
    for plain, spoken in _ROLES:
        html = html.replace(plain, spoken)
    return mark_safe(html)  # noqa: S308  Django's own template made it, and escaped what the cells contain
