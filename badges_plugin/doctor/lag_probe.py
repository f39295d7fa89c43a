"""Probe what runs, and how far the consumers are behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from badges_plugin import vitals
from badges_plugin.consumers.lag import Lag
from badges_plugin.doctor.findings import Finding, Level
from badges_plugin.vitals import LATE, Kind

TOO_LATE = timedelta(hours=1)

_START = {
    Kind.CONSUMER: "Start manage.py consume_events for the topic and the group.",
    Kind.WORKER: "Start manage.py deliver_badges.",
}


def lag(group: str, lags: Sequence[Lag], now: datetime) -> Iterator[Finding]:
    """Say how far a group is behind, as the bus told just now."""
    some = [each for each in lags if each.messages or each.messages is None]
    waiting = sum(each.messages or 0 for each in some)
    seconds = max((each.seconds(now) or 0 for each in some), default=0)
    number = str(waiting) if all(each.messages is not None for each in some) else "An unknown number of"
    by_partition = {each.partition: each.messages for each in some}
    what = f"{number} events wait for group {group}, the first of them for {in_words(seconds)}"
    if len(lags) > 1 and some:
        what = f"{what}, by partition: {by_partition}"
    level = Level.OK if seconds < LATE.total_seconds() else Level.WARNING
    if seconds >= TOO_LATE.total_seconds():
        level = Level.ERROR
    if not some:
        yield Finding.ok(f"Group {group} has processed all events.")
    elif level is Level.OK:
        yield Finding.ok(f"{what}.")
    else:
        yield Finding(
            level,
            f"{what}.",
            "Start the consumers. If they run, start more of them, up to the number of partitions, and look in their "
            "log for what takes them long.",
        )


def in_words(seconds: int) -> str:
    """Return a duration as the doctor writes it."""
    if seconds < 120:
        return f"{seconds} seconds"
    minutes = seconds // 60
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def processes() -> Iterator[Finding]:
    """Check that a consumer and a worker run. One that has not run of late was perhaps not set up yet."""
    now = timezone.now()
    for each in vitals.running(now):
        if each.number:
            yield Finding.ok(f"Processes of the kind {each.kind.value} that run: {each.number}.")
        elif (since := each.silent_since) is not None:
            yield Finding.error(
                f"No {each.kind.value} has reported for {in_words(round((now - since).total_seconds()))}.",
                f"{_START[each.kind]} If one is running, look in its log for what holds it up.",
            )
