"""The numbers as a file for spreadsheets: a line for each badge in each week."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from badges_plugin import reading
from badges_plugin.admin.exporting import cell
from badges_plugin.distribution.numbers import AtProviders
from badges_plugin.web.desk.numbers import PERMISSION, chosen_time, weeks_of
from badges_plugin.web.desk.site import desk_page

_BOM = "\ufeff"
"""Without it, Excel takes the file for one in the code page of the computer."""


@desk_page(PERMISSION)
def export_numbers(request: HttpRequest) -> HttpResponse:
    """Send the numbers of one badge or of all, in the time that was chosen."""
    badge = request.GET.get("badge", "")
    template_id = int(badge) if badge.isdecimal() and len(badge) < 10 else None
    lines = _lines(template_id, weeks_of(chosen_time(request)))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="badge-numbers.csv"'
    return response  # type: ignore[return-value]


class _Line:
    """Where ``csv`` writes: the line is what the writer returns."""

    def write(self, text: str) -> str:
        return text


def _lines(template_id: int | None, weeks: int | None) -> Iterator[str]:
    writer: Any = csv.writer(_Line())
    acceptance = AtProviders()
    yield _BOM + writer.writerow(
        [_("Week from"), _("Badge"), _("Awarded"), _("Accepted by the learner"), _("Revoked"), _("Expired")]
    )
    for week, template, figures in reading.week_by_week(template_id, weeks=weeks, acceptance=acceptance):
        accepted = figures.accepted if acceptance.asks(template) else ""
        yield writer.writerow(
            [week.isoformat(), cell(template.name), figures.awarded, accepted, figures.revoked, figures.expired]
        )
