"""*My badges*: what I have, what is missing, and what is no longer valid."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from badges_plugin import reading
from badges_plugin.web.pages.rendering import page
from badges_plugin.web.pages.serving import served
from badges_plugin.web.pages.shelf import Cabinet
from badges_plugin.web.paging import slice_of
from badges_plugin.web.shared import people_of

EARNED_PER_PAGE = 20
OTHERS_PER_PAGE = 10


@served
@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Show the badges of the person who is signed in, by whichever of their users they were earned."""
    people = people_of(request.user)
    found = reading.shelf(people)
    earned = slice_of(found.held, request.GET, "earned", size=EARNED_PER_PAGE)
    way = slice_of(found.on_the_way, request.GET, "way", size=OTHERS_PER_PAGE)
    past = slice_of(found.ended, request.GET, "past", size=OTHERS_PER_PAGE)
    cabinet = Cabinet([*earned.items, *past.items], way.items)
    context = {
        "earned": earned,
        "earned_rows": cabinet.earned(earned.items),
        "way": way,
        "way_rows": cabinet.on_the_way(way.items),
        "past": past,
        "past_rows": cabinet.past(past.items),
        "is_empty": not (found.held or found.on_the_way or found.ended),
    }
    return page(request, "my_badges", context, current="mine", has_form=bool(earned.items), pictures=cabinet.pictures)
