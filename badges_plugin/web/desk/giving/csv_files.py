"""A list of awards by hand as a CSV file."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from badges_plugin.admin.exporting import BOM
from badges_plugin.admin.exporting import lines as csv_lines
from badges_plugin.models import ManualAwardList
from badges_plugin.web.desk.giving.lines import rows

BATCH = 1_000


def of_list(found: ManualAwardList) -> HttpResponse:
    """Return all lines of a list, with what will happen, or has happened, in words."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="awards-by-hand-{found.pk}.csv"'
    titles = [_("Line"), _("Written"), _("User name"), _("Name"), _("E-mail address"), _("What happens")]
    response.write(BOM + csv_lines([titles]))
    lines = list(found.lines.select_related("user__badges_learner", "award").order_by("number"))
    for start in range(0, len(lines), BATCH):
        some = lines[start : start + BATCH]
        cells = []
        for line, row in zip(some, rows(found, some, with_addresses=True), strict=True):
            username = line.user.get_username() if line.user is not None else ""
            # Of the erased, only the user name, as in the other files.
            name = "" if row.is_erased else row.name
            cells.append([row.number, row.written, username, name, row.address, row.text])
        response.write(csv_lines(cells))
    return response
