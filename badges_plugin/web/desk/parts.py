"""The badges of a learner under three headings: the beginning of each, or one of them page by page."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from badges_plugin.reading import Shelf
from badges_plugin.web.desk.cards import Card, Cards
from badges_plugin.web.desk.persons import Person
from badges_plugin.web.paging import Slice, slice_of

FIRST = 5
"""Badges of each part that are shown at first."""
PER_PAGE = 25


@dataclass(frozen=True)
class Part:
    """Some badges of a learner. ``all_url`` is empty where all are shown, or ``pages`` leads to the others."""

    name: str
    title: str
    cards: list[Card]
    total: int
    all_url: str = ""
    pages: Slice[int] | None = None


def parts_of(request: HttpRequest, person: Person, shelf: Shelf) -> list[Part]:
    """Return the parts that have badges or, if the request asks for one of them (``part``), a page of that one."""
    keys = {"way": shelf.on_the_way, "ended": shelf.ended, "held": shelf.held}
    wanted = request.GET.get("part", "")
    pages: Slice[int] | None = None
    if wanted in keys:
        pages = slice_of(keys[wanted], request.GET, "page", size=PER_PAGE)
        shown = {wanted: pages.items}
    else:
        shown = {name: found[:FIRST] for name, found in keys.items() if found}
    cards = Cards(request, person, [*shown.get("held", ()), *shown.get("ended", ())], shown.get("way", ()))
    return [
        Part(
            name,
            _title(name),
            cards.on_the_way(found) if name == "way" else cards.of_awards(found),
            len(keys[name]),
            all_url=f"?part={name}" if pages is None and len(keys[name]) > len(found) else "",
            pages=pages,
        )
        for name, found in shown.items()
    ]


def _title(name: str) -> str:
    titles = {"way": _("On the way"), "ended": _("Revoked or expired"), "held": _("Held")}
    return titles[name]
