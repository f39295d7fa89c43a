"""*Badges you can earn*: what each asks for, and for who is signed in, how far they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from badges_plugin import reading
from badges_plugin.host import other_tenants
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import AwardState
from badges_plugin.web.pages.answers import not_found
from badges_plugin.web.pages.limits import limited
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.paging import Slice, slice_of
from badges_plugin.web.shared import arts, people_of, site_of

PER_PAGE = 24
ALL, OPEN, WAY = "all", "open", "way"
TABS = (ALL, OPEN, WAY)
MAX_SEARCH = 200


@served
@limited("public", lambda settings: settings.public_rate)
@require_safe
def catalog(request: HttpRequest) -> HttpResponse:
    """List the badges that can be earned now, found by words of their names and descriptions."""
    sought = request.GET.get("q", "").replace("\x00", "").strip()[:MAX_SEARCH]
    people = people_of(request.user)
    tab = request.GET.get("show", ALL)
    tab = tab if people and tab in TABS else ALL
    rows = _filtered(_earnable(request), sought, tab, people)
    listed: Slice[BadgeTemplate] = slice_of(
        rows.only("pk", "uuid", "name", "icon", "origin"), request.GET, "page", size=PER_PAGE
    )
    keys = [row.pk for row in listed.items]
    pictures = arts(listed.items)
    texts = reading.criteria(keys) if keys else {}
    states = reading.standings(people, keys) if people and keys else {}
    way = _progress(people, states)
    context = {
        "sought": sought,
        "tab": tab,
        "tabs": TABS if people else (),
        "listed": listed,
        "badges": [
            {
                "template": row,
                "art": pictures[row.pk],
                "sentences": texts[row.pk].sentences if row.pk in texts else (),
                "state": _state(row.pk, states),
                "progress": way.get(row.pk),
            }
            for row in listed.items
        ],
    }
    elsewhere = [art.url for art in pictures.values() if art.is_elsewhere]
    return page(request, "catalog", context, current="catalog", pictures=elsewhere)


@served
@limited("public", lambda settings: settings.public_rate)
@require_safe
def badge_type(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show what one badge asks for."""
    template = _earnable(request).filter(uuid=uuid).first()
    if template is None:
        return not_found(request)
    people = people_of(request.user)
    states = reading.standings(people, [template.pk]) if people else {}
    art = arts([template])[template.pk]
    context = {
        "template": template,
        "art": art,
        "criteria": reading.criteria([template.pk])[template.pk],
        "state": _state(template.pk, states),
        "progress": _progress(people, states).get(template.pk),
    }
    return page(request, "badge_type", context, pictures=[art.url] if art.is_elsewhere else [])


def _earnable(request: HttpRequest) -> QuerySet[BadgeTemplate]:
    """Return active badges of this site, and of sites that nobody is served by.

    Staff choose a badge's site from all rows of a table. A row without a configuration, such as Django's example.com,
    is no tenant of its own: if its badges were left out, no site would show them.
    """
    return BadgeTemplate.objects.filter(is_active=True).exclude(site__in=other_tenants(site_of(request)))


def _filtered(rows: QuerySet[BadgeTemplate], sought: str, tab: str, people: list[int]) -> QuerySet[BadgeTemplate]:
    for word in sought.split():
        rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
    if tab != ALL:
        found = reading.shelf(people)
        if tab == OPEN:
            rows = rows.exclude(progresses__awards__in=found.held)
        else:
            rows = rows.filter(progresses__in=found.on_the_way)
    return rows.order_by("name", "pk").distinct()


def _progress(people: list[int], states: dict[int, AwardState | None]) -> dict[int, Any]:
    """Return how far a learner is on the way to badges; of several users of theirs, the one who is furthest."""
    template_ids = [pk for pk, state in states.items() if state is None]
    if not template_ids:
        return {}
    found: dict[int, Any] = {}
    for (_user, template), progress in sorted(reading.progress(people, template_ids).items()):
        if template not in found or progress.share > found[template].share:
            found[template] = progress
    return found


def _state(template_id: int, states: dict[int, AwardState | None]) -> str:
    """Return "held", "revoked", "expired", "way", or nothing for a badge that nothing happened with."""
    if template_id not in states:
        return ""
    state = states[template_id]
    return "way" if state is None else state.value
