"""The numbers as a file for spreadsheets: a line for each badge in each week."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.admin.exporting import BOM, lines
from badges_plugin.distribution.numbers import AtProviders
from badges_plugin.web.desk.numbers import PERMISSION, chosen_time, weeks_of
from badges_plugin.web.desk.site import desk_page


@desk_page(PERMISSION)
def export_numbers(request: HttpRequest) -> HttpResponse:
    """Send the numbers of one badge or of all, in the time that was chosen."""
    badge = request.GET.get("badge", "")
    template_id = int(badge) if badge.isdecimal() and len(badge) < 10 else None
    parts = _written(template_id, weeks_of(chosen_time(request)))
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="badge-numbers.csv"'
    return response  # type: ignore[return-value]


def _written(template_id: int | None, weeks: int | None) -> Iterator[str]:
    acceptance = AtProviders()
    titles = [_("Week from"), _("Badge"), _("Awarded"), _("Accepted by the learner"), _("Revoked"), _("Expired")]
    yield BOM + lines([titles])
    for week, template, figures in reading.week_by_week(template_id, weeks=weeks, acceptance=acceptance):
        accepted = figures.accepted if acceptance.asks(template) else ""
        row = [week.isoformat(), template.name, figures.awarded, accepted, figures.revoked, figures.expired]
        yield lines([row])
