"""How it runs: how far consumers are behind, and which processes there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from badges_plugin import vitals
from badges_plugin.counting import in_thousands
from badges_plugin.models import RunningProcess
from badges_plugin.vitals import ALIVE, GroupLag
from badges_plugin.web.desk.site import desk_page, page

PERMISSION = "badges_plugin.view_runningprocess"
LATE_SECONDS = vitals.LATE.total_seconds()
MOST_PROCESSES = 100


@dataclass(frozen=True)
class Partition:
    """How far a group is behind in a partition. Empty texts: not known."""

    number: int
    messages: str
    waited: str
    is_late: bool


@dataclass(frozen=True)
class Group:
    """A consumer group, its partitions, and when they were measured."""

    lag: GroupLag
    state: str
    is_late: bool
    partitions: tuple[Partition, ...]


@desk_page(PERMISSION)
def running(request: HttpRequest) -> HttpResponse:
    """Show consumer groups and processes. Three queries."""
    now = timezone.now()
    rows = RunningProcess.objects.order_by("-beat_at", "pk")[:MOST_PROCESSES]
    context = {
        "groups": [_group(each) for each in vitals.group_lags(now)],
        "processes": [(row, *_state(row, now)) for row in rows],
    }
    return page(request, "running", title=_("How it runs"), context=context)


def waited(seconds: int) -> str:
    """Return how long something has waited, in words."""
    if seconds < 60:
        return ngettext("%s second", "%s seconds", seconds) % in_thousands(seconds)
    minutes = seconds // 60
    if minutes < 120:
        return ngettext("%s minute", "%s minutes", minutes) % in_thousands(minutes)
    hours = minutes // 60
    return ngettext("%s hour", "%s hours", hours) % in_thousands(hours)


def _group(lag: GroupLag) -> Group:
    is_late = lag.seconds >= LATE_SECONDS
    state = _("Nothing waits.")
    if not lag.partitions:
        state = _("Not known: no worker has measured it of late.")
        if lag.problem:
            state = _("Not known: the event bus did not answer.")
    elif lag.messages or lag.seconds:
        number = ngettext("%s event waits.", "%s events wait.", lag.messages) % in_thousands(lag.messages)
        since = _("The first has waited for %s.") % waited(lag.seconds)
        state = f"{number} {since}" if lag.seconds else number
    return Group(lag, state, is_late, tuple(_partitions(lag)))


def _partitions(lag: GroupLag) -> Iterator[Partition]:
    for row in lag.partitions:
        yield Partition(
            number=row.partition,
            messages="" if row.messages is None else in_thousands(row.messages),
            waited="" if row.seconds is None else waited(row.seconds),
            is_late=(row.seconds or 0) >= LATE_SECONDS,
        )


def _state(row: RunningProcess, now: datetime) -> tuple[str, str]:
    """Return the state of a process in words, and its color."""
    if row.ended_at is not None:
        return _("ended"), "none"
    return (_("runs"), "ok") if now - row.beat_at <= ALIVE else (_("silent"), "bad")
