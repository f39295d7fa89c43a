"""The numbers of the site and of a badge: what was awarded and lost, how far learners get, and what fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from badges_plugin import reading
from badges_plugin.counting import in_thousands
from badges_plugin.distribution.numbers import AtProviders
from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import BadgeNumbers, Numbers
from badges_plugin.web.desk import charts, links
from badges_plugin.web.desk.failures import failures_for
from badges_plugin.web.desk.site import desk_page, page
from badges_plugin.web.desk.steps import share, steps_of
from badges_plugin.weekly import Figures

PERMISSION = "badges_plugin.view_badgetemplate"
TIMES = {
    "8": gettext_lazy("Last 8 weeks"),
    "26": gettext_lazy("Last 26 weeks"),
    "52": gettext_lazy("Last 52 weeks"),
    "all": gettext_lazy("Since the beginning"),
}
"""What can be chosen: a number of weeks, or all."""
USUAL = "8"
MOST_BADGES = 50
"""Rows of the table of badges, unless all are asked for."""
MOST_ROWS = 13
"""Rows of figures that are shown at once. More of them are below a line that opens them."""
MOST_CHOICES = 200
"""Badges among which one can choose. Each has a link in the table, too."""


@desk_page(PERMISSION)
def numbers(request: HttpRequest) -> HttpResponse:
    """Show the numbers of all badges; of one that was chosen, its own page does."""
    time = chosen_time(request)
    badge = request.GET.get("badge", "")
    if badge.isdecimal() and len(badge) < 10:
        return HttpResponseRedirect(f"{reverse('badges_web:desk_badge_numbers', args=(int(badge),))}?weeks={time}")
    found = reading.numbers(weeks=weeks_of(time), acceptance=AtProviders())
    shows_all = "all" in request.GET
    context = {
        **_common(found, time),
        "badges": [_badge_row(each, time) for each in found.badges[: None if shows_all else MOST_BADGES]],
        "all_badges": "" if shows_all or len(found.badges) <= MOST_BADGES else in_thousands(len(found.badges)),
        "choices": _choices(None),
        "lead": _lead(found),
        "failures": failures_for(request),
        "csv_url": f"{reverse('badges_web:desk_export_numbers')}?weeks={time}",
    }
    return page(request, "numbers", title=_("Numbers"), context=context)


@desk_page(PERMISSION)
def badge_numbers(request: HttpRequest, template_id: int) -> HttpResponse:
    """Show the numbers of one badge."""
    template = get_object_or_404(BadgeTemplate, pk=template_id)
    time, acceptance = chosen_time(request), AtProviders()
    found = reading.numbers(template_id, weeks=weeks_of(time), acceptance=acceptance)
    context = {
        **_common(found, time, asks=acceptance.asks(template)),
        "badge": template,
        "choices": _choices(template),
        "lead": _lead_of_badge(found),
        "funnel": steps_of(reading.funnel(template_id, acceptance=acceptance), acceptance.names(template)),
        "failures": failures_for(request, template_id),
        "csv_url": f"{reverse('badges_web:desk_export_numbers')}?{urlencode({'weeks': time, 'badge': template_id})}",
    }
    trail = [
        (links.badge_url(template.pk), str(template)),
        (f"{reverse('badges_web:desk_numbers')}?weeks={time}", _("Numbers")),
    ]
    return page(request, "numbers", title=_("Numbers of %(badge)s") % {"badge": template}, trail=trail, context=context)


def chosen_time(request: HttpRequest) -> str:
    """Return the key of the time that was chosen, or the usual one."""
    chosen = request.GET.get("weeks", USUAL)
    return chosen if chosen in TIMES else USUAL


def weeks_of(time: str) -> int | None:
    """Return a number of weeks; None stands for the beginning."""
    return int(time) if time.isdecimal() else None


def _common(found: Numbers, time: str, *, asks: bool | None = None) -> dict[str, Any]:
    asks = any(badge.asks for badge in found.badges) if asks is None else asks
    return {
        "asks": asks,
        "time": time,
        "times": TIMES,
        "is_counted": found.is_counted,
        "tiles": _tiles(found, time, asks=asks) if found.is_counted else (),
        "span_rows": [
            {"begins": span.begins, "name": _day_with_year(span.begins), "figures": span.figures}
            for span in found.spans
        ],
        "span_heading": ngettext("Week from", "%(count)s weeks from", found.weeks_of_span)
        % {"count": found.weeks_of_span},
        "is_long": len(found.spans) > MOST_ROWS,
        "chart": _chart(found, asks=asks),
        "is_empty": found.figures == Figures(),
        "counted_at": found.counted_at,
        "is_live": found.is_live,
    }


def _chart(found: Numbers, *, asks: bool) -> charts.Chart:
    figures = [span.figures for span in found.spans]
    series = [charts.Series("s1", [each.awarded for each in figures])]
    if asks:
        series.append(charts.Series("s2", [each.accepted for each in figures]))
    series += [
        charts.Series("s3", [each.revoked for each in figures], hangs=True),
        charts.Series("s4", [each.expired for each in figures], hangs=True),
    ]
    name = _day if len(found.spans) * found.weeks_of_span <= 52 else _month
    return charts.draw([name(span.begins) for span in found.spans], series)


def _tiles(found: Numbers, time: str, *, asks: bool) -> Iterator[tuple[str, str]]:
    """Yield a number and what it counts."""
    total, number = found.figures, weeks_of(time)
    awarded = _("awarded since the beginning")
    if number is not None:
        awarded = ngettext("awarded in the last week", "awarded in the last %(count)s weeks", number) % {
            "count": number
        }
    yield in_thousands(total.awarded), awarded
    if asks:
        yield in_thousands(total.accepted), _accepted(total.accepted, found.asked, total.awarded)
    yield in_thousands(total.revoked), _("revoked")
    yield in_thousands(total.expired), _("expired")


def _accepted(accepted: int, asked: int, awarded: int) -> str:
    """Return what the number of accepted badges says, with its share of those that had to be accepted."""
    if not asked:
        return _("accepted by the learner")
    text = _("accepted by the learner (%(share)s)")
    if asked < awarded:
        text = _("accepted by the learner (%(share)s of those that had to be accepted)")
    return text % {"share": share(accepted, asked)}


def _lead(found: Numbers) -> str:
    held = ngettext("Learners hold %(count)s badge today.", "Learners hold %(count)s badges today.", found.held)
    return " ".join((held % {"count": in_thousands(found.held)}, _on_the_way(found)))


def _lead_of_badge(found: Numbers) -> str:
    held = ngettext("%(count)s learner has this badge today.", "%(count)s learners have this badge today.", found.held)
    return " ".join((held % {"count": in_thousands(found.held)}, _on_the_way(found)))


def _on_the_way(found: Numbers) -> str:
    number = found.on_the_way
    return ngettext("%(count)s is on the way.", "%(count)s are on the way.", number) % {"count": in_thousands(number)}


def _badge_row(badge: BadgeNumbers, time: str) -> Mapping[str, object]:
    return {
        "name": badge.name,
        "url": f"{reverse('badges_web:desk_badge_numbers', args=(badge.template_id,))}?weeks={time}",
        "held": badge.held,
        "on_the_way": badge.on_the_way,
        "awarded": badge.figures.awarded,
        "accepted": share(badge.figures.accepted, badge.figures.awarded) if badge.asks else _("not asked for"),
    }


def _choices(chosen: BadgeTemplate | None) -> Sequence[tuple[int, str, bool]]:
    """Return badges to choose from, and whether each is the one that is shown."""
    rows = list(BadgeTemplate.objects.order_by("name", "pk").values_list("pk", "name")[:MOST_CHOICES])
    if chosen is not None and (chosen.pk, chosen.name) not in rows:
        rows.append((chosen.pk, chosen.name))
    return [(pk, name, chosen is not None and pk == chosen.pk) for pk, name in rows]


def _day(day: date) -> str:
    # Translators: a format of Django's date filter for a day without its year, as short as possible.
    return date_format(day, pgettext("format of a short day", "M j"))


def _month(day: date) -> str:
    # Translators: a format of Django's date filter for a month with its year, as short as possible.
    return date_format(day, pgettext("format of a short month", "M Y"))


def _day_with_year(day: date) -> str:
    return date_format(day, "DATE_FORMAT")
