"""The page of a learner: every badge, how it stands and why, and what came last or failed; and how to find one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.admin import links
from badges_plugin.counting import in_words
from badges_plugin.distribution import telling
from badges_plugin.host import User
from badges_plugin.models import FailedEvent
from badges_plugin.reading import LearnerProgress, failures
from badges_plugin.reading.happenings import Happening, newest_happenings
from badges_plugin.web.desk import persons, reached
from badges_plugin.web.desk.cards import entry_of
from badges_plugin.web.desk.links import learner_url
from badges_plugin.web.desk.parts import parts_of
from badges_plugin.web.desk.site import desk_page, page
from badges_plugin.web.paging import Slice, slice_of

PER_PAGE = 25
"""Learners on a page of the search."""
LATEST = 10
"""Events that are shown of a learner, and failed ones."""
MAY_SEE = ("badges_plugin.view_badgeprogress", "badges_plugin.view_badgeaward")


@desk_page(*MAY_SEE)
def learners(request: HttpRequest) -> HttpResponse:
    """Find a learner; the only one that is found is shown at once."""
    text = request.GET.get("q", "").strip()
    found = persons.search(request, text) if text else persons.latest()
    if text and len(found) == 1:
        return redirect(learner_url(found[0]))
    pages: Slice[int] = slice_of(found, request.GET, "page", size=PER_PAGE)
    context = {"q": text, "pages": pages, "rows": [_row(each) for each in persons.rows(pages.items)]}
    return page(request, "learners", title=_("Learners"), context=context)


@desk_page(*MAY_SEE)
def learner(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show one learner, or one part of their badges page by page."""
    user = get_object_or_404(User, pk=user_id)
    users = persons.users_of(user)
    person = persons.person(user)
    keys = [each.pk for each in users]
    shelf = reading.shelf(keys, with_inactive=True)
    context: dict[str, Any] = {
        "learner": person,
        "other_names": [each.get_username() for each in users[1:]],
        "account_url": reached.account_url(request, user.pk),
        "tiles": _tiles(request, shelf, keys),
        "parts": parts_of(request, person, shelf),
        "is_whole": "part" not in request.GET,
        "latest": [_latest(request, *each) for each in newest_happenings(keys, limit=LATEST)],
        "failures": _failures(request, users) if not person.is_erased else None,
        "try_url": "" if person.is_erased else reached.desk_url(request, "desk_try", learner=person.username),
        "give_url": _give_url(request, person),
        "has_nothing": not any((shelf.held, shelf.ended, shelf.on_the_way)),
    }
    return page(request, "learner", title=person.name, trail=_trail(request), context=context)


def _latest(request: HttpRequest, progress: LearnerProgress, happening: Happening) -> dict[str, Any]:
    return {
        "entry": entry_of(happening),
        "badge": progress.template_name,
        "url": reached.badge_url(request, progress.template_id),
    }


def _failures(request: HttpRequest, users: Sequence[User]) -> dict[str, Any] | None:
    """Return the failed events of a learner with their pages; None for whom they are not."""
    if not links.may(request, "view", FailedEvent):
        return None
    found = failures.failures_of(users)
    may_try = links.may(request, "change", FailedEvent)  # who may read the content
    rows = [
        (
            each,
            reached.row_url(request, FailedEvent, each.id),
            reached.desk_url(request, "desk_try", failed=each.id) if may_try else "",
        )
        for each in found.rows[:LATEST]
    ]
    return {
        "rows": rows,
        "more": max(len(found.rows) - LATEST, 0),
        "is_cut": found.is_cut,
        "looked_at": failures.LOOKED_AT,
    }


def _trail(request: HttpRequest) -> list[tuple[str, str]]:
    return [(reached.desk_url(request, "desk_learners"), _("Learners"))]


def _row(person: persons.Person) -> dict[str, Any]:
    return {"person": person, "url": learner_url(person.id), "on_the_way": max(person.begun - person.held, 0)}


def _give_url(request: HttpRequest, person: persons.Person) -> str:
    return "" if person.is_erased else reached.desk_url(request, "desk_give", learner=person.id)


def _tiles(request: HttpRequest, shelf: reading.Shelf, user_ids: Sequence[int]) -> list[tuple[str, str, str]]:
    """Return numbers, with a shape and a word for each."""
    tiles = [
        (in_words(len(shelf.held)), "ok", _("held")),
        (in_words(len(shelf.on_the_way)), "part", _("on the way")),
        (in_words(len(shelf.ended)), "lost", _("revoked or expired")),
    ]
    if telling.may_see(request.user):
        failed = telling.needing_staff(user_ids)
        tiles.append((in_words(failed), "bad" if failed else "none", _("deliveries need you")))
    return tiles
