"""The history of a badge: who changed what it asks for, and when; of deleted badges as well."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.web.desk import links
from badges_plugin.web.desk.history_rows import Row, rows_of
from badges_plugin.web.desk.site import desk_page, page

VIEW = "badges_plugin.view_badgetemplate"
PER_PAGE = 50
MOST_DELETED = 200
IN_SECTION = 5


@dataclass(frozen=True)
class Section:
    """What the page of a badge shows of its history; ``_history_section.html`` shows it as ``history``."""

    rows: tuple[Row, ...]
    total: int
    url: str

    @property
    def more(self) -> bool:
        return self.total > len(self.rows)


def section(template_id: int) -> Section:
    """Return what was done last with a badge. Some eleven queries."""
    rows = rows_of(template_id, reading.history_of(template_id).changes)
    return Section(tuple(rows[:IN_SECTION]), len(rows), links.history_url(template_id))


@desk_page(VIEW)
def history(request: HttpRequest, template_id: int) -> HttpResponse:
    """Show what was done with one badge, 50 rows on a page. 404 if nothing is known of it."""
    found = reading.history_of(template_id)
    if not found.name:
        raise Http404
    shown = Paginator(rows_of(template_id, found.changes), PER_PAGE).get_page(request.GET.get("page"))
    return page(
        request,
        "history",
        title=_("History of %(badge)s") % {"badge": found.name},
        trail=_trail(template_id, found),
        context={"page": shown, "exists": found.exists, "is_complete": found.is_complete},
    )


@desk_page(VIEW)
def deleted_badges(request: HttpRequest) -> HttpResponse:
    """List the badges that were deleted last. At most two queries."""
    badges = reading.deleted_badges(MOST_DELETED + 1)
    context = {"badges": badges[:MOST_DELETED], "is_cut": len(badges) > MOST_DELETED}
    return page(request, "deleted_badges", title=_("Deleted badges"), context=context)


def _trail(template_id: int, found: reading.History) -> list[tuple[str, str]]:
    if not found.exists:
        return [(reverse("badges_web:desk_deleted_badges"), _("Deleted badges"))]
    return [(links.badge_url(template_id), found.name)]
